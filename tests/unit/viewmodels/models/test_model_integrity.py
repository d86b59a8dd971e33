"""The check of a model's files: what is compared, how far it is, and that it can be ended."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from gglib_desktop.domain.models.integrity import HashSource, KnownHash
from gglib_desktop.domain.models.model import Model
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.models.model_integrity import IntegrityState, ModelIntegrityViewModel
from tests.fakes.details import FakeChecksums
from tests.fakes.waiting import poll

ONE, TWO = Path("/m/1.gguf"), Path("/m/2.gguf")
MODEL = Model(1, ONE, None, None, 0.0, "m", size_bytes=200, parts=(ONE, TWO))


@pytest.fixture
def sums() -> FakeChecksums:
    sums = FakeChecksums()
    sums.sums = {ONE: "aa", TWO: "bb"}
    return sums


def known(sums: FakeChecksums, **by_name: str) -> None:
    sums.known_sums = {
        Path(f"/m/{name[1:]}.gguf"): KnownHash(value, HashSource.OLLAMA) for name, value in by_name.items()
    }


async def checked(sums: FakeChecksums, scope: TaskScope, model: Model = MODEL) -> IntegrityState:
    integrity = ModelIntegrityViewModel(model, sums, scope)
    integrity.check.trigger()
    await poll(lambda: not integrity.check.is_busy)
    return integrity.state


async def test_what_is_known_is_looked_up_at_once(qapp, scope, sums):
    known(sums, _2="bb")
    integrity = ModelIntegrityViewModel(MODEL, sums, scope)
    assert integrity.state == IntegrityState((ONE, TWO))
    await poll(lambda: integrity.state.known == (None, KnownHash("bb", HashSource.OLLAMA)))
    assert sums.read == []


@pytest.mark.parametrize(
    ("expected", "right"),
    [
        ({"_1": "aa", "_2": "bb"}, True),
        ({"_1": "aa", "_2": "xx"}, False),
        ({"_2": "xx"}, False),
        ({"_1": "aa"}, None),
        ({}, None),
    ],
)
async def test_every_file_is_compared_with_what_is_known_of_it(qapp, scope, sums, expected, right):
    known(sums, **expected)
    state = await checked(sums, scope)
    assert state.is_right is right
    assert state.share is None
    assert state.text == "aa  /m/1.gguf\nbb  /m/2.gguf\n"


async def test_a_model_of_one_file_is_that_file(qapp, scope, sums):
    state = await checked(sums, scope, replace(MODEL, parts=()))
    assert state.text == "aa  /m/1.gguf\n"


async def test_the_progress_is_told(qapp, scope, sums):
    sums.go_on = type(sums.go_on)(0)
    integrity = ModelIntegrityViewModel(MODEL, sums, scope)

    def shows(share: float) -> bool:
        return integrity.state.share == share

    integrity.check.trigger()
    await poll(partial(shows, 0.0))
    for share in (0.125, 0.25, 0.375):
        sums.go_on.release()
        await poll(partial(shows, share))
    assert sums.read == [ONE]
    sums.go_on.release(5)
    await poll(lambda: not integrity.check.is_busy)
    assert integrity.state.share is None


async def test_without_a_known_size_there_is_no_share(qapp, scope, sums):
    sums.go_on = type(sums.go_on)(0)
    integrity = ModelIntegrityViewModel(replace(MODEL, size_bytes=None), sums, scope)
    integrity.check.trigger()
    await poll(lambda: integrity.state.share == 0.0)
    sums.go_on.release(8)
    await poll(lambda: bool(integrity.state.sums))


async def test_cancelling_ends_the_reading(qapp, scope, sums):
    sums.go_on = type(sums.go_on)(1)
    integrity = ModelIntegrityViewModel(MODEL, sums, scope)
    integrity.check.trigger()
    await poll(lambda: integrity.state.share == 0.125)
    integrity.check.cancel()
    await poll(lambda: not integrity.check.is_busy)
    assert integrity.state.was_cancelled
    assert (integrity.state.share, integrity.state.sums) == (None, ())
    sums.go_on.release()
    await poll(sums.ended.is_set)
    sums.go_on.release(100)
    integrity.check.trigger()
    await poll(lambda: len(integrity.state.sums) == 2)
    assert not integrity.state.was_cancelled


async def test_closing_ends_it_too(qapp, scope, sums):
    sums.go_on = type(sums.go_on)(1)
    integrity = ModelIntegrityViewModel(MODEL, sums, scope)
    integrity.check.trigger()
    await poll(lambda: len(sums.read) == 1)
    integrity.close()
    await poll(lambda: not integrity.check.is_busy)
    sums.go_on.release()
    await poll(sums.ended.is_set)


async def test_a_file_that_cannot_be_read_says_why(qapp, scope, sums):
    del sums.sums[TWO]
    state = await checked(sums, scope)
    assert state.problem == "the file cannot be read: gone"
    assert (state.share, state.sums, state.is_right) == (None, (), None)
