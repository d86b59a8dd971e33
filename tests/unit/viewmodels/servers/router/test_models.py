"""The models of a router as its panel follows them."""

import pytest

from gglib_desktop.domain.servers.router.models import RoutedModel, RoutedState
from gglib_desktop.viewmodels.servers.router.models import RoutedModels, RoutedModelsViewModel
from tests.fakes.routers import FakeRouter
from tests.fakes.waiting import poll

A, B = RoutedModel("A"), RoutedModel("B")


@pytest.fixture
async def router() -> FakeRouter:
    return FakeRouter(A, B)


@pytest.fixture
async def routed(router, scope) -> RoutedModelsViewModel:
    made = RoutedModelsViewModel(lambda: router, scope)
    made.set_living(True)
    made.set_shown(True)
    await poll(lambda: made.state.is_current)
    return made


async def test_nothing_is_asked_unless_somebody_looks_and_it_lives(router, scope):
    routed = RoutedModelsViewModel(lambda: router, scope)
    routed.set_shown(True)
    assert routed.state == RoutedModels()
    routed.set_living(True)
    await poll(lambda: router.watchers == 1)
    routed.set_shown(False)
    await poll(lambda: router.watchers == 0)
    assert not routed.state.is_current


async def test_it_follows_what_the_router_says(routed, router):
    assert routed.state == RoutedModels((A, B), used="A", is_current=True)
    loading = RoutedModel("B", RoutedState.LOADING, 0.5)
    router.change(A, loading)
    await poll(lambda: routed.state.models == (A, loading))


async def test_the_model_in_use_is_chosen_and_stays_as_long_as_it_is_listed(routed, router):
    routed.choose("B")
    routed.choose("Nobody")
    assert routed.state.used == "B"
    routed.set_living(False)
    assert routed.state == RoutedModels(used="B")
    routed.set_living(True)
    await poll(lambda: routed.state == RoutedModels((A, B), used="B", is_current=True))
    router.change(A)
    await poll(lambda: routed.state.used == "A")


async def test_orders_reach_the_router_and_refusals_the_user(routed, router):
    told: list[object] = []
    routed.failed.connect(told.append)
    routed.load("A")
    routed.unload("B")
    await poll(lambda: router.told == [("load", "A"), ("unload", "B")])
    router.break_off()
    await poll(lambda: not routed.state.is_current)
    assert routed.state.models == (A, B), "what it said last"
    routed.load("A")
    await poll(lambda: told == [router.refusal])


@pytest.mark.jumping_clock
async def test_one_that_broke_off_is_followed_again(router, scope):
    routed = RoutedModelsViewModel(lambda: router, scope)
    routed.set_living(True)
    routed.set_shown(True)
    await poll(lambda: routed.state.is_current)
    router.break_off()
    await poll(lambda: not routed.state.is_current)
    router.refusal = None
    await poll(lambda: routed.state.is_current)


async def test_without_a_router_there_is_nothing_to_follow(scope):
    routed = RoutedModelsViewModel(lambda: None, scope)
    routed.set_living(True)
    routed.set_shown(True)
    routed.load("A")
    routed.unload("A")
    assert routed.state == RoutedModels()
