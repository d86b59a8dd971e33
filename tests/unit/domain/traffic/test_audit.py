"""Whether the requests that a log told of are all that the engine counted."""

import pytest

from gglib_desktop.domain.traffic.audit import Audit, Told, Verdict, interval
from gglib_desktop.domain.traffic.figures import Counters
from gglib_desktop.domain.traffic.requests import RequestEnd, RequestRow

COMPLETE, CHECKING, NOT_UNDERSTOOD = Verdict.COMPLETE, Verdict.CHECKING, Verdict.NOT_UNDERSTOOD
ONE = RequestRow(1.0, RequestEnd.OK, prompt_n=10, gen_n=20)
CANCELLED = RequestRow(2.0, RequestEnd.CANCELLED)
LOST = RequestRow(2.0, RequestEnd.NOT_RECORDED)
EMBEDDING = RequestRow(3.0, RequestEnd.OK)


def counted(prompt_n: int, gen_n: int) -> Counters:
    return Counters(prompt_n, prompt_n / 1000, gen_n, gen_n / 100)


def told(*rows: RequestRow) -> Told:
    return Told().plus(rows)


def verdicts(rows: list[RequestRow], counters: Counters, *times: float, at_work: bool = False) -> list[Verdict]:
    audit = Audit()
    return [audit.compare(told(*rows), counters, now, at_work=at_work) for now in times]


def test_what_requests_add_up_to():
    refused, short = RequestRow(4.0, RequestEnd.REFUSED), RequestRow(5.0, RequestEnd.OK, prompt_n=None, gen_n=3)
    full = RequestRow(6.0, RequestEnd.FULL)
    summed = told(ONE, ONE, CANCELLED, LOST, EMBEDDING, refused, short, ONE._replace(end=RequestEnd.FULL), full)
    assert summed == Told(timed=4, cancelled=2, lost=1, read=1, prompt_n=30, gen_n=63)
    assert told(ONE).plus([ONE]) == told(ONE, ONE)
    assert told(ONE, ONE._replace(end=RequestEnd.INTERVAL)) == told(ONE)


@pytest.mark.parametrize(
    ("rows", "counters"),
    [
        ([ONE, ONE], counted(20, 40)),
        ([ONE, CANCELLED], counted(10, 27)),
        ([ONE, CANCELLED], counted(15, 27)),
        ([ONE, CANCELLED], counted(10, 20)),
        ([ONE, LOST], counted(510, 920)),
        ([ONE, EMBEDDING], counted(19, 20)),
    ],
)
def test_complete_where_the_counters_hold_nothing_that_requests_do_not_explain(rows, counters):
    assert verdicts(rows, counters, 0) == [COMPLETE]
    assert verdicts(rows, counters, 0, 100) == [COMPLETE, COMPLETE]


@pytest.mark.parametrize(
    ("rows", "counters"),
    [
        ([ONE], counted(10, 21)),
        ([ONE], counted(11, 20)),
        ([ONE, CANCELLED], counted(10, 19)),
        ([ONE, CANCELLED], counted(9, 30)),
        ([ONE, EMBEDDING], counted(19, 21)),
        ([EMBEDDING], counted(10, 20)),
    ],
)
def test_a_difference_that_stays_is_not_understood(rows, counters):
    assert verdicts(rows, counters, 0, 29, 30) == [CHECKING, CHECKING, NOT_UNDERSTOOD]


def test_nothing_counted_is_no_proof():
    assert verdicts([], counted(0, 0), 0, 100) == [CHECKING, CHECKING]


def test_a_line_may_come_later_than_its_tokens():
    audit = Audit()
    assert audit.compare(told(ONE), counted(20, 40), 0) is CHECKING
    assert audit.compare(told(ONE, ONE), counted(20, 40), 20) is COMPLETE
    # Patience begins anew.
    assert audit.compare(told(ONE, ONE), counted(20, 41), 40) is CHECKING
    assert audit.compare(told(ONE, ONE), counted(20, 41), 69) is CHECKING
    assert audit.compare(told(ONE, ONE), counted(20, 41), 70) is NOT_UNDERSTOOD


def test_while_a_request_is_at_work_nothing_is_missing():
    """Its prompt is counted before it is over."""
    assert verdicts([ONE], counted(110, 20), 0, 100, at_work=True) == [CHECKING, CHECKING]
    audit = Audit()
    assert audit.compare(told(ONE), counted(10, 20), 0) is COMPLETE
    assert audit.compare(told(ONE), counted(110, 20), 10, at_work=True) is COMPLETE
    assert audit.compare(told(ONE), counted(110, 20), 100, at_work=True) is COMPLETE


@pytest.mark.parametrize("at_work", [False, True])
def test_tokens_without_lines_are_not_waited_for(at_work):
    """Also where the lines of launches are understood: such rows tell no tokens."""
    audit = Audit()
    seen = []
    for number in range(1, 5):
        rows = [CANCELLED, *[EMBEDDING] * number]
        seen.append(audit.compare(told(*rows), counted(number * 10, number * 20), number, at_work=at_work))
    assert seen[-2:] == [COMPLETE, NOT_UNDERSTOOD]


def test_what_was_not_understood_may_be_later():
    """The log was not read for a while."""
    audit = Audit()
    for number in range(1, 4):
        verdict = audit.compare(told(), counted(number * 10, number * 20), number)
    assert verdict is NOT_UNDERSTOOD
    assert audit.compare(told(ONE, ONE, ONE), counted(30, 60), 50) is COMPLETE


def test_tokens_of_cancelled_requests_are_a_figure_of_their_own():
    audit = Audit()
    audit.compare(told(ONE, CANCELLED), counted(14, 27), 0)
    assert (audit.prompt_n, audit.gen_n) == (4, 7)


def test_an_interval_holds_what_the_counters_grew_by():
    before = Counters(100, 1.0, 200, 2.0, cached_n=10, draft_n=30, accepted_n=20)
    after = Counters(150, 1.5, 300, 4.0, cached_n=15, draft_n=50, accepted_n=35)
    assert interval(7.0, before, after) == RequestRow(
        7.0,
        RequestEnd.INTERVAL,
        prompt_n=50,
        cached_n=5,
        prompt_ms=500.0,
        gen_n=100,
        gen_ms=2000.0,
        draft_n=20,
        accepted_n=15,
    )


def test_an_interval_without_tokens_is_none():
    assert interval(7.0, counted(1, 2), counted(1, 2)) is None
    row = interval(7.0, counted(1, 2), counted(1, 3))
    assert row is not None
    assert (row.prompt_n, row.gen_n, row.cached_n, row.draft_n) == (0, 1, None, None)


@pytest.mark.parametrize("after", [counted(0, 3), counted(3, 0)])
def test_counters_that_began_anew_make_no_interval(after):
    assert interval(7.0, counted(1, 2), after) is None
