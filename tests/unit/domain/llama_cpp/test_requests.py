"""From the log of llama.cpp's server to the requests that it tells of, on recorded logs."""

import random

import pytest

from gglib_desktop.domain.llama_cpp.requests.reader import LlamaRequestReader
from gglib_desktop.domain.traffic.requests import (
    Finished,
    Launched,
    Refused,
    RequestEvent,
    RequestRow,
)
from tests.fakes.recorded import LOGS

BEGAN = 1_790_000_000.0
NOW = BEGAN + 600


def recorded(name: str) -> bytes:
    return (LOGS / f"requests_{name}.txt").read_bytes()


def events_of(data: bytes) -> list[RequestEvent]:
    reader = LlamaRequestReader(BEGAN)
    return [*reader.feed(data, NOW), *reader.end(NOW)]


def rows_of(events: list[RequestEvent]) -> list[RequestRow]:
    return [event.row for event in events if isinstance(event, Finished)]


def test_requests_of_every_kind_become_rows():
    events = events_of(recorded("drafting"))
    rows = rows_of(events)
    assert sum(isinstance(event, Launched) for event in events) == len(rows)
    assert sum(isinstance(event, Refused) for event in events) == 2
    assert [(row.task, row.end.value) for row in rows if row.end.value != "ok"] == [
        (99, "cancelled"),
        (115, "refused"),
    ]
    assert sum(row.gen_n or 0 for row in rows) == 571
    assert sum(row.prompt_n or 0 for row in rows) == 1210
    assert sum(row.cached_n or 0 for row in rows) == 30


def in_pieces(data: bytes, cuts: list[int], *, anew: bool) -> list[RequestEvent]:
    """Reads the pieces in turn, ``anew`` each with a reader that goes on from the state of the one before."""
    events: list[RequestEvent] = []
    reader = LlamaRequestReader(BEGAN)
    start = 0
    for cut in [*sorted(cuts), len(data)]:
        events += reader.feed(data[start:cut], NOW)
        start = cut
        if anew:
            start -= reader.pending_bytes
            reader = LlamaRequestReader(BEGAN, reader.state)
    return [*events, *reader.end(NOW)]


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_a_log_cut_anywhere_tells_the_same(anew, seed):
    data = recorded("drafting")
    chance = random.Random(seed)
    cuts = [chance.randrange(len(data)) for _ in range(chance.randrange(1, 40))]
    assert in_pieces(data, cuts, anew=anew) == events_of(data)
