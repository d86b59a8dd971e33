"""Sums and percentiles of requests."""

import random
import statistics

import pytest

from gglib_desktop.domain.traffic.requests import RequestEnd, RequestRow
from gglib_desktop.domain.traffic.totals import RunningTotals, Spread, Totals, totals_of

OK = RequestRow(
    1.0,
    RequestEnd.OK,
    ttft_ms=20.0,
    prompt_n=100,
    cached_n=10,
    prompt_ms=50.0,
    gen_n=41,
    gen_ms=400.0,
    timed_n=40,
    draft_n=30,
    accepted_n=20,
)
CANCELLED = RequestRow(2.0, RequestEnd.CANCELLED)


@pytest.mark.parametrize(
    ("row", "prompt_speed", "speed"),
    [
        (OK, 2000.0, 100.0),
        (OK._replace(prompt_n=0, prompt_ms=0.0, timed_n=0, gen_ms=0.0), None, None),
        (OK._replace(prompt_n=0, timed_n=0), None, None),
        (OK._replace(prompt_ms=0.0, gen_ms=0.0), None, None),
        (CANCELLED, None, None),
    ],
)
def test_a_speed_is_what_was_timed_in_its_time(row, prompt_speed, speed):
    assert (row.prompt_speed, row.speed) == (prompt_speed, speed)


def test_nothing_has_no_percentiles():
    assert totals_of([]) == Totals()


def test_tokens_and_ends_are_summed_up():
    rows = [OK, OK, CANCELLED, OK._replace(end=RequestEnd.FULL, draft_n=None), RequestRow(3.0, RequestEnd.REFUSED)]
    assert totals_of(rows) == Totals(
        requests=5,
        ok=2,
        cancelled=1,
        refused=1,
        full=1,
        prompt_n=300,
        cached_n=30,
        gen_n=123,
        draft_n=60,
        accepted_n=60,
        first_token_ms=Spread(20.0, 20.0),
        prompt_speed=Spread(2000.0, 2000.0),
        speed=Spread(100.0, 100.0),
    )


def test_an_interval_adds_its_tokens_and_is_no_request():
    interval = RequestRow(1.0, RequestEnd.INTERVAL, prompt_n=1000, prompt_ms=10.0, gen_n=500, gen_ms=10.0, timed_n=500)
    totals = totals_of([OK, interval, RequestRow(2.0, RequestEnd.NOT_RECORDED)])
    assert (totals.requests, totals.prompt_n, totals.gen_n) == (1, 1100, 541)
    assert (totals.prompt_speed, totals.speed) == (Spread(2000.0, 2000.0), Spread(100.0, 100.0))
    assert totals_of([interval]).speed is None


@pytest.mark.parametrize("count", [2, 3, 20, 1000])
def test_percentiles_are_those_of_all(count):
    chance = random.Random(count)
    times = [chance.random() * 1000 for _ in range(count)]
    spread = totals_of([OK._replace(ttft_ms=ms) for ms in times]).first_token_ms
    assert spread is not None
    assert spread.p50 == pytest.approx(statistics.median(times))
    assert spread.p95 == pytest.approx(statistics.quantiles(times, n=20, method="inclusive")[-1])


@pytest.mark.parametrize("size", [1, 7, 300])
def test_requests_may_come_piece_by_piece(size):
    chance = random.Random(size)
    rows = [
        OK._replace(ttft_ms=chance.random(), gen_ms=chance.random(), end=chance.choice(list(RequestEnd)))
        for _ in range(1000)
    ]
    running = RunningTotals()
    for start in range(0, len(rows), size):
        running.add(rows[start : start + size])
    assert running.totals == totals_of(rows)
