"""What drafting brings, with the speed without it out of the history."""

import pytest

from gglib_desktop.domain.errors import HistoryError
from gglib_desktop.domain.traffic.figures import Counters
from gglib_desktop.domain.traffic.requests import RequestEnd, RequestRow, RunFacts
from gglib_desktop.ports.servers.request_store import ReadSoFar, RunNews
from gglib_desktop.services.traffic.drafting_now import DraftingNow
from tests.fakes.request_store import MemoryRequestStore

RUN = RunFacts("now", model_id=1, model="Tiny", n_max=3, speed_key="here")
OFF = RunFacts("before", model_id=1, model="Tiny", speed_key="here")


def request(gen_ms: float, **drafts: int) -> RequestRow:
    return RequestRow(1.0, RequestEnd.OK, gen_n=101, gen_ms=gen_ms, timed_n=100, **drafts)


DRAFTED = request(500.0, draft_n=75, accepted_n=50)


@pytest.fixture
def store() -> MemoryRequestStore:
    return MemoryRequestStore()


@pytest.fixture
def now(store) -> DraftingNow:
    return DraftingNow(store)


async def keep(store: MemoryRequestStore, run: RunFacts, *rows: RequestRow) -> None:
    await store.keep([RunNews(run, ReadSoFar(), rows)])


async def test_one_that_drafts_nothing_is_not_compared(now):
    now.take(request(500.0))
    assert now.figures(RUN, None) is None
    assert not now.is_due(0)


async def test_without_a_measurement_the_gain_is_not_known(now):
    now.take(DRAFTED)
    await now.look(RUN, 0)
    found = now.figures(RUN, None)
    assert (found.tokens_per_step, found.gain) == (2, None)


async def test_the_gain_is_that_against_what_was_measured_before(now, store):
    await keep(store, OFF, *[request(1000.0)] * 5)
    await keep(store, RUN, *[DRAFTED] * 5000)
    for _ in range(5):
        now.take(DRAFTED)
    assert now.is_due(0)
    await now.look(RUN, 0)
    assert now.figures(RUN, None).gain == pytest.approx(2)


async def test_what_is_measured_later_counts_too(now, store):
    await keep(store, OFF, *[request(1000.0)] * 3)
    for _ in range(5):
        now.take(DRAFTED)
    await now.look(RUN, 0)
    assert now.figures(RUN, None).is_uncertain
    assert not now.is_due(59)
    assert now.is_due(61)
    await keep(store, OFF, *[request(2000.0)] * 17)
    await now.look(RUN, 61)
    assert now.figures(RUN, None).gain == pytest.approx(4)


async def test_counters_and_requests_change_it(now):
    now.take(DRAFTED)
    first = now.figures(RUN, None)
    assert now.figures(RUN, None) is first
    counters = Counters(0, 0, 0, 0, drafts=100, accepted_at=(90, 50, 1))
    assert now.figures(RUN, counters).accepted_at == (0.9, 0.5, 0.01)
    for _ in range(10):
        now.take(request(500.0, draft_n=300, accepted_n=0))
    assert now.figures(RUN, counters).tokens_per_step == pytest.approx(1)


async def test_a_history_that_cannot_be_read_tells_nothing(now, store):
    class Unreadable(MemoryRequestStore):
        async def history(self, *_scope, **_part):
            raise HistoryError("requests.sqlite", "no disk")

    now = DraftingNow(Unreadable())
    now.take(DRAFTED)
    await now.look(RUN, 0)
    found = now.figures(RUN, None)
    assert found is not None
    assert found.gain is None


async def test_without_a_history_none_is_asked():
    now = DraftingNow(None)
    now.take(DRAFTED)
    assert not now.is_due(0)
    await now.look(RUN, 0)
    found = now.figures(RUN, None)
    assert found is not None
    assert found.gain is None
