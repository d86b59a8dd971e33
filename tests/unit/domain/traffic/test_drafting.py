"""What drafting brings, from requests and counters."""

import pytest

from gglib_desktop.domain.traffic.drafting import drafting, times_without_drafting
from gglib_desktop.domain.traffic.figures import Counters, Drafting
from gglib_desktop.domain.traffic.requests import RequestEnd, RequestRow, RunFacts

RUN = RunFacts("run-2", model_id=1, model="Tiny", n_max=3, speed_key="b10434 cpu 4")
OFF = RunFacts("run-1", model_id=1, model="Tiny", speed_key="b10434 cpu 4")


def request(gen_n: int, gen_ms: float, draft_n: int | None = None, accepted_n: int | None = None) -> RequestRow:
    return RequestRow(
        1.0,
        RequestEnd.OK,
        gen_n=gen_n,
        gen_ms=gen_ms,
        timed_n=gen_n - 1,
        draft_n=draft_n,
        accepted_n=accepted_n,
    )


# -- without


def test_the_speed_without_drafting_is_measured_by_the_last_twenty():
    history = [(OFF, request(101, 100.0 * each)) for each in [10, 11, 12] + [50] * 17 + [1] * 30]
    assert times_without_drafting(history, RUN) == pytest.approx([10, 11, 12] + [50] * 17)


@pytest.mark.parametrize(
    ("run", "row"),
    [
        (RUN, request(101, 500.0)),
        (RunFacts("run-1", 2, "Other", speed_key=RUN.speed_key), request(101, 500.0)),
        (RunFacts("run-1", 1, "Tiny", speed_key="b10434 gpu"), request(101, 500.0)),
        (OFF, request(63, 500.0)),
        (OFF, request(101, 500.0)._replace(busy_slots=2)),
        (OFF, request(101, 0.0)),
        (OFF, RequestRow(1.0, RequestEnd.CANCELLED)),
    ],
)
def test_only_equal_conditions_measure_it(run, row):
    assert times_without_drafting([(run, row)], RUN) == []
    assert times_without_drafting([(run, row), (OFF, request(64, 63.0))], RUN) == pytest.approx([1.0])


def test_drafting_off_by_number_is_off():
    assert times_without_drafting([(RunFacts("x", 1, "", n_max=0, speed_key="k"), request(64, 63.0))], OFF) == []
    off = RunFacts("x", 1, "", n_max=0, speed_key=OFF.speed_key)
    assert times_without_drafting([(off, request(64, 63.0))], RUN) == pytest.approx([1.0])


def test_conditions_that_are_not_known_are_not_equal():
    unknown = RunFacts("run-1", 1, "Tiny")
    assert times_without_drafting([(unknown, request(101, 500.0))], unknown) == []


# -- with


def test_tokens_per_step_and_acceptance_are_of_the_last_400_tokens():
    rows = [request(201, 1000.0, 150, 100), request(201, 3000.0, 150, 50), request(9, 9.0, 9, 0)]
    assert drafting(rows) == Drafting(tokens_per_step=1 + 150 / 250, accepted=0.5)


def test_requests_in_which_nothing_was_drafted_count_as_steps():
    assert drafting([request(101, 1000.0), request(101, 1000.0, 60, 50)]) == Drafting(1 + 50 / 150, 50 / 60)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [RequestRow(1.0, RequestEnd.CANCELLED)],
        [request(101, 1000.0)],
        [request(101, 1000.0, 0, 0)],
        [request(1, 0.0, 3, 1)],
        [request(4, 10.0, 3, 3)],
    ],
)
def test_without_drafts_there_is_nothing_to_say(rows):
    assert drafting(rows) is None


@pytest.mark.parametrize(("off_ms", "gain"), [(10.0, 1.25), (7.0, 0.875)])
def test_the_gain_is_that_of_the_time_per_token(off_ms, gain):
    found = drafting([request(101, 800.0, 75, 50)] * 5, off_times=[off_ms] * 5)
    assert found is not None
    assert found.gain == pytest.approx(gain)
    assert found.tokens_per_step == pytest.approx(2)
    assert found.breaks_even_at == pytest.approx(16 / off_ms)


DRAFTED = request(101, 800.0, 75, 50)
NOTHING = (None, None, None, None)


@pytest.mark.parametrize(
    ("rows", "off_times", "was_measured"),
    [
        ([DRAFTED] * 5, [], False),
        ([DRAFTED._replace(busy_slots=2)] * 5, [10.0] * 5, True),
        ([DRAFTED] * 4, [10.0] * 5, True),
        ([DRAFTED] * 5, [10.0] * 4, True),
        # Their median is not known to a tenth.
        ([DRAFTED] * 5, [8.0, 9.0, 10.0, 11.0, 12.0], True),
        ([request(101, gen_ms, 75, 50) for gen_ms in (500.0, 650.0, 800.0, 950.0, 1100.0)], [10.0] * 5, True),
        # It is known to 7 %, which is more than the gain.
        ([request(101, 970.0, 75, 50)] * 5, [9.4, 9.6, 10.0, 10.4, 10.6], True),
        # Drafts of which all were accepted, after none were left to draft.
        ([request(2, 800.0, 1, 1)] * 5 + [request(301, 90.0, 1, 1)._replace(busy_slots=2)], [10.0] * 5, True),
    ],
)
def test_the_gain_is_not_known_without_enough_measurements_that_can_be_compared(rows, off_times, was_measured):
    found = drafting(rows, off_times=off_times)
    assert found is not None
    assert (found.gain, found.breaks_even_at, found.fewer, found.fewer_gain) == NOTHING
    assert found.is_uncertain is was_measured


@pytest.mark.parametrize(
    ("gen_ms", "off_times", "gain"),
    [
        (500.0, [9.6, 9.9, 10.0, 10.1, 99.0], 2.0),
        (990.0, [9.9, 10.0, 10.0, 10.0, 10.1], 1.0101),
    ],
)
def test_a_gain_is_told_with_a_small_error_whatever_single_requests_took(gen_ms, off_times, gain):
    found = drafting([request(101, gen_ms, 75, 50)] * 5, off_times=off_times)
    assert found is not None
    assert found.gain == pytest.approx(gain, rel=1e-3)
    assert not found.is_uncertain


def test_enough_requests_are_compared_however_long_they_are():
    rows = [request(1001, 8000.0, 750, 500)] * 5 + [DRAFTED] * 20
    found = drafting(rows, off_times=[10.0] * 5)
    assert found is not None
    assert found.gain == pytest.approx(1.25)


def test_other_clients_do_not_spoil_the_gain():
    busy = request(201, 9000.0, 150, 100)._replace(busy_slots=2)
    found = drafting([busy, *[DRAFTED] * 5], off_times=[10.0] * 5)
    assert found is not None
    assert found.gain == pytest.approx(1.25)


# -- by position


def counters(*accepted_at: int, drafts: int | None = 1000, draft_n: int | None = 3000) -> Counters:
    return Counters(1, 1.0, 1, 1.0, drafts=drafts, draft_n=draft_n, accepted_at=accepted_at)


@pytest.mark.parametrize(
    ("counted", "shares"),
    [
        (counters(800, 300, 10), (0.8, 0.3, 0.01)),
        (counters(), ()),
        (counters(drafts=0), ()),
        (counters(drafts=None), ()),
        (None, ()),
    ],
)
def test_acceptance_by_position_is_a_share_of_the_drafts(counted, shares):
    found = drafting([request(101, 800.0, 75, 50)], counted)
    assert found is not None
    assert found.accepted_at == shares


# 50 steps of 3 tokens drafted, 50 of them accepted in all: 20 ms a step, of which 2 ms are for each draft token.
ALONE = request(101, 1000.0, 150, 50)


def test_fewer_draft_tokens_are_recommended_where_the_last_is_hardly_accepted():
    found = drafting([ALONE] * 5, counters(700, 290, 10), off_times=[10.0] * 5)
    assert found is not None
    assert found.fewer == 2
    # Two draft tokens: 1.99 tokens in a step of 18 ms. Three: 2 tokens in 20 ms.
    assert found.fewer_gain == pytest.approx(1.99 / 18 * 20 / 2)


def test_a_single_draft_token_must_be_much_better():
    """Its estimate was up to 17 % too high."""
    found = drafting([ALONE] * 5, counters(840, 5, 5), off_times=[10.0] * 5)
    assert found is not None
    assert found.fewer == 2
    assert found.fewer_gain == pytest.approx(1.845 / 18 * 20 / 1.85)
    found = drafting([ALONE] * 5, counters(200, 0, 0), off_times=[1.0] * 5)
    assert found is not None
    assert found.fewer == 1
    # 1.2 tokens in a step of 12.4 ms instead of 20, and slower by that much.
    assert found.fewer_gain == pytest.approx(20 / 12.4 / 1.17)


@pytest.mark.parametrize(
    ("counted", "off_ms"),
    [
        (counters(400, 350, 250), 15.0),
        (counters(800, 190, 10, draft_n=2600), 10.0),
        (counters(80, 19, 1, drafts=99, draft_n=297), 10.0),
        (counters(800, 190, 10, draft_n=None), 10.0),
        (counters(800, 190, 10, drafts=None), 10.0),
        (counters(800, 190, 10), 20.0),
        (counters(800, 190, 10), None),
        (counters(), 10.0),
        (None, 10.0),
    ],
)
def test_nothing_is_recommended_where_the_counters_do_not_support_it(counted, off_ms):
    """The last is not worse, drafts stop early, there were too few, or drafting costs no time."""
    found = drafting([ALONE] * 5, counted, [off_ms] * 5 if off_ms else [])
    assert found is not None
    assert (found.fewer, found.fewer_gain) == (None, None)
