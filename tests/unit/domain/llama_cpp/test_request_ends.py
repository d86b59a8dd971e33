"""How the lines of a request make one row, whatever is said in which order."""

import json

import pytest

from gglib_desktop.domain.llama_cpp.requests.reader import LlamaRequestReader
from gglib_desktop.domain.traffic.requests import (
    Finished,
    RequestEnd,
    RequestRow,
)
from tests.fakes.request_logs import (
    BEGAN,
    CANCEL,
    EVAL,
    FAILURE,
    IDLE,
    LAUNCH,
    NOW,
    OTHER,
    PROMPT,
    RELEASE,
    events_of,
    launched,
    rows_of,
)

# -- the end of a request


@pytest.mark.parametrize(
    ("lines", "end"),
    [
        ([PROMPT, EVAL, RELEASE], RequestEnd.OK),
        ([RELEASE, PROMPT, EVAL, IDLE], RequestEnd.OK),
        ([CANCEL, RELEASE, IDLE], RequestEnd.CANCELLED),
        ([RELEASE, CANCEL, OTHER], RequestEnd.CANCELLED),
        ([CANCEL, PROMPT, EVAL, RELEASE], RequestEnd.OK),
        ([RELEASE, OTHER], RequestEnd.OK),
        ([FAILURE, RELEASE], RequestEnd.CANCELLED),
        ([FAILURE, CANCEL, RELEASE], RequestEnd.CANCELLED),
        ([FAILURE.replace(b"Compute error", b"input is too large to process"), RELEASE], RequestEnd.REFUSED),
        ([FAILURE.replace(b"Compute error", b"Context size has been exceeded"), RELEASE], RequestEnd.FULL),
        ([LAUNCH.replace(b"task 7", b"task 9")], RequestEnd.CANCELLED),
        ([PROMPT, LAUNCH.replace(b"task 7", b"task 9")], RequestEnd.OK),
        # The server was started again, into the same log.
        ([PROMPT.replace(b"0.00.", b"3.00."), LAUNCH.replace(b"id  0 | task 7", b"id  1 | task 0")], RequestEnd.OK),
    ],
)
def test_a_request_ends_with_what_was_said_of_it(lines, end):
    reader = LlamaRequestReader(BEGAN)
    (row,) = rows_of(list(reader.feed(LAUNCH + b"".join(lines), NOW)))
    assert (row.task, row.end) == (7, end)


@pytest.mark.parametrize(
    ("lines", "end"),
    [([], None), ([PROMPT], RequestEnd.OK), ([RELEASE], RequestEnd.OK), ([CANCEL, RELEASE], RequestEnd.CANCELLED)],
)
@pytest.mark.parametrize("anew", [False, True])
def test_the_rest_of_the_last_lines_is_waited_for_two_seconds(lines, end, anew):
    reader = launched(*lines)
    if anew:
        reader = LlamaRequestReader(BEGAN, reader.state)
    assert not reader.settle(NOW + 1.9)
    assert [row.end for row in rows_of(list(reader.settle(NOW + 2)))] == ([end] if end else [])
    assert not reader.settle(NOW + 4)


@pytest.mark.parametrize("anew", [False, True])
def test_where_timings_come_first_they_are_not_waited_for(anew):
    """So a request that was cancelled is shown at once."""
    reader = launched(PROMPT, EVAL, RELEASE)
    if anew:
        reader = LlamaRequestReader(BEGAN, reader.state)
    (event,) = list(reader.feed(LAUNCH + CANCEL + RELEASE, NOW))[1:]
    assert isinstance(event, Finished)
    assert event.row.end is RequestEnd.CANCELLED


def test_it_ended_when_its_last_line_says():
    reader = launched(CANCEL, RELEASE)
    (event,) = reader.settle(NOW + 9)
    assert event.at - BEGAN == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("lines", "end"),
    [([], RequestEnd.CANCELLED), ([PROMPT], RequestEnd.OK), ([b"0.00.1"], RequestEnd.CANCELLED)],
)
def test_the_end_of_the_run_ends_its_requests(lines, end):
    reader = launched(*lines)
    events = reader.end(NOW)
    assert [row.end for row in rows_of(list(events))] == [end]
    assert events[0].at == pytest.approx(BEGAN + (0.19 if lines == [PROMPT] else 0.1))
    assert not reader.end(NOW)
    assert reader.pending_bytes == 0


def test_a_request_can_be_cancelled_before_its_launch_is_written():
    reader = LlamaRequestReader(BEGAN)
    assert not reader.feed(CANCEL, NOW)
    reader = LlamaRequestReader(BEGAN, reader.state)
    (row,) = rows_of([*reader.feed(LAUNCH + RELEASE, NOW), *reader.end(NOW)])
    assert row.end is RequestEnd.CANCELLED


def test_requests_that_were_cancelled_while_they_waited_are_forgotten():
    reader = LlamaRequestReader(BEGAN)
    for task in range(1000):
        reader.feed(
            b"W srv  stop: cancel task, id_task = %d\nE srv  send_error: task id = %d, error: x\n" % (task, task), NOW
        )
    assert len(json.loads(reader.state)["cancelled"]) == 32


@pytest.mark.parametrize(
    "line",
    [
        PROMPT.replace(b"task 7", b"task 6"),
        PROMPT.replace(b"id  0", b"id  1"),
        b"[123] " + PROMPT,
        RELEASE.replace(b"task 7", b"task -1"),
        b"prompt eval time = 10.00 ms / 8 tokens\n",
        LAUNCH.replace(b"processing task", b"sampler chain: print_timing:"),
        b"0.00.100.000 I srv  x: print_timing: nothing of the kind\n",
        b"0.00.190.000 I slot print_timing: id  0 | task 7 |    graphs reused =  4\n",
    ],
)
def test_lines_of_others_do_not_change_a_request(line):
    reader = launched(line)
    (row,) = rows_of(list(reader.end(NOW)))
    assert (row.end, row.prompt_n) == (RequestEnd.CANCELLED, None)


def test_without_speeds_it_is_not_known_how_many_tokens_were_timed():
    (row,) = rows_of([*launched(PROMPT, EVAL, RELEASE).end(NOW)]) or rows_of(
        events_of(LAUNCH + PROMPT + EVAL + RELEASE)
    )
    assert (row.gen_n, row.timed_n, row.cached_n) == (5, None, None)


def test_more_tokens_held_than_used_came_from_the_cache_never_fewer():
    held = RELEASE.replace(b"n_tokens = 9", b"n_tokens = 20")
    (row,) = rows_of(events_of(LAUNCH + PROMPT + EVAL + held))
    assert row.cached_n == 8
    (row,) = rows_of(events_of(LAUNCH + PROMPT + EVAL + RELEASE))
    assert row.cached_n is None


@pytest.mark.parametrize(
    ("line", "timed_n"),
    [
        (b"65.92 ms /    60 tokens (    1.12 ms per token,   895.08 tokens per second)", 59),
        (b"65.92 ms /    60 tokens (    1.10 ms per token,   910.19 tokens per second)", 60),
        (b"90000.00 ms /    10 tokens ( 10000.00 ms per token,     0.10 tokens per second)", 9),
        (b"90000.00 ms /    10 tokens (  9000.00 ms per token,     0.11 tokens per second)", 10),
        (b"0.00 ms /     1 tokens (    0.00 ms per token,     0.00 tokens per second)", 0),
        (b"0.00 ms /     1 tokens (     nan ms per token,      inf tokens per second)", 0),
        (b"5.00 ms /     1 tokens (     nan ms per token,      inf tokens per second)", None),
    ],
)
def test_builds_differ_in_whether_the_first_token_is_timed(line, timed_n):
    timing = b"0.00.190.000 I slot print_timing: id  0 | task 7 |        eval time = " + line + b"\n"
    (row,) = rows_of(events_of(LAUNCH + PROMPT + timing + RELEASE))
    assert row.timed_n == timed_n


def test_without_times_in_the_log_only_a_request_alone_tells_its_first_token():
    lines = [line.split(b" ", 1)[1] for line in (LAUNCH, PROMPT, EVAL, RELEASE)]
    (row,) = rows_of(events_of(b"".join(lines)))
    assert row.ttft_ms == 10.0
    other = OTHER.split(b" ", 1)[1]
    row = rows_of(events_of(lines[0] + other + b"".join(lines[1:])))[0]
    assert (row.task, row.ttft_ms, row.busy_slots) == (7, None, 2)


def test_first_tokens_are_never_early():
    """Rounding could make the time negative."""
    (row,) = rows_of(events_of(LAUNCH + PROMPT.replace(b"0.00.19", b"0.00.10") + EVAL + RELEASE))
    assert row.ttft_ms == 0.0


# -- where a part of the log is lost


@pytest.mark.parametrize(
    ("lines", "ends"),
    [
        ([], []),
        ([LAUNCH.replace(b"task 7", b"task 9")], [RequestEnd.CANCELLED]),
        ([PROMPT, EVAL, RELEASE], [RequestEnd.OK]),
        ([CANCEL, RELEASE], [RequestEnd.CANCELLED]),
    ],
)
@pytest.mark.parametrize("anew", [False, True])
def test_what_is_lost_is_one_row(lines, ends, anew):
    reader = launched(b"0.00.11")
    events = list(reader.skip(NOW))
    (row,) = rows_of(events)
    assert row == RequestRow(row.started, RequestEnd.NOT_RECORDED)
    assert row.started == pytest.approx(BEGAN + 0.1)
    assert reader.pending_bytes == 0
    if anew:
        reader = LlamaRequestReader(BEGAN, reader.state)
    # The rest of a line comes first; its time is not the one that it seems to be.
    events = [*reader.feed(b"0.00.001.000 I slot x: id  0 | task 7 | stop processing: n_tokens = 1\n", NOW)]
    events += [*reader.feed(b"".join(lines), NOW), *reader.end(NOW)]
    assert [row.end for row in rows_of(events)] == ends


def test_what_is_lost_at_the_beginning_has_the_time_of_its_discovery():
    (event,) = LlamaRequestReader(BEGAN).skip(NOW)
    assert event == Finished(NOW, RequestRow(NOW, RequestEnd.NOT_RECORDED))
