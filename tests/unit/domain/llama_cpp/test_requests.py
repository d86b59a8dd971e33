"""From recorded logs of llama.cpp's server to the requests that they tell of."""

import re

import pytest

from gglib_desktop.domain.llama_cpp.requests.reader import LlamaRequestReader
from gglib_desktop.domain.traffic.requests import (
    Finished,
    GenerationProgress,
    Launched,
    PromptProgress,
    Refused,
    RequestEnd,
    RequestRow,
    Shifted,
)
from tests.fakes.request_logs import (
    BEGAN,
    NAMES,
    NOW,
    count,
    events_of,
    recorded,
    rows_of,
)

# Task, slot, end, first token | prompt, cached, ms | generated, timed, ms | drafted, accepted | slots at work.
# Where an answer came, its own `timings` said the same.
ROWS = {
    "2025": """
        0 0 ok 812.30 | 397 0 812.30 | 50 50 1523.08 | 53 37 | 1
        52 0 ok - | 12 425 25.10 | 10 10 300.00 | - - | 2
        53 1 cancelled - | - - - | - - - | - - | 2
        90 0 full 812.30 | 397 - 812.30 | 3698 3698 112643.43 | - - | 1
    """,
    "cached": """
        0 1 ok 2.88 | 19 0 2.81 | 30 29 6.57 | - - | 1
        31 1 ok 0.75 | 1 18 0.71 | 30 29 5.92 | - - | 1
        62 0 ok 32.77 | 326 0 32.55 | 30 29 34.28 | - - | 1
        93 0 ok 1.16 | 1 325 1.11 | 30 29 11.51 | - - | 1
        124 1 ok 1.62 | 1 18 1.00 | 2 1 0.44 | - - | 1
        127 0 ok 2.34 | 21 0 2.20 | 8 7 1.60 | - - | 1
        136 0 ok 0.77 | 1 20 0.72 | 8 7 1.65 | - - | 1
        146 0 ok 1.49 | 3 0 1.47 | 5 4 2.40 | - - | 2
        145 1 ok 1.64 | 3 0 1.45 | 5 4 2.67 | - - | 2
    """,
    "choices": """
        1 0 ok 4.69 | 0 21 0.00 | 10 9 19.01 | - - | 3
        2 1 ok 4.62 | 0 21 0.00 | 10 9 19.12 | - - | 3
        0 3 ok 4.56 | 21 0 4.48 | 10 9 19.14 | - - | 3
    """,
    "colors": """
        0 1 ok 8.11 | 19 0 8.03 | 6 5 16.26 | 9 0 | 1
        8 1 ok 3.02 | 4 15 2.40 | 6 5 11.92 | 9 0 | 1
        15 0 ok 6.12 | 21 0 5.83 | 4 3 2.61 | 2 2 | 1
        19 1 cancelled - | - - - | - - - | - - | 1
    """,
    "drafting": """
        0 1 ok 9.90 | 19 0 9.79 | 30 29 57.49 | 66 7 | 1
        25 1 ok 5.46 | 4 15 5.40 | 1 0 0.00 | - - | 1
        27 1 ok 2.39 | 4 15 2.31 | 30 29 60.37 | 75 2 | 1
        56 0 ok 0.26 | 0 0 0.00 | 0 0 0.00 | - - | 1
        58 1 ok 117.38 | 497 0 117.05 | 120 119 199.64 | 111 81 | 1
        99 0 cancelled - | - - - | - - - | - - | 1
        115 1 refused - | - - - | - - - | - - | 1
        118 0 ok 14.01 | 110 0 13.86 | 40 39 32.47 | 29 29 | 2
        130 1 ok 36.36 | 114 0 34.13 | 50 49 67.22 | 39 36 | 2
        131 0 ok 20.70 | 119 0 20.64 | 60 59 99.58 | 53 41 | 2
        132 1 ok 19.87 | 99 0 17.93 | 70 69 103.46 | 63 48 | 2
        133 0 ok 19.77 | 113 0 18.93 | 80 79 147.65 | 70 54 | 2
        134 1 ok 41.26 | 131 0 39.85 | 90 89 85.88 | 78 63 | 2
    """,
    "embeddings": """
        0 1 ok - | - - - | - - - | - - | 1
        3 0 ok - | - - - | - - - | - - | 2
        2 1 ok - | - - - | - - - | - - | 2
        5 0 refused - | - - - | - - - | - - | 1
    """,
    "exceeded": """
        0 3 ok 3.35 | 23 0 3.21 | 400 399 352.13 | - - | 4
        315 0 full - | - - - | - - - | - - | 4
        314 1 full - | - - - | - - - | - - | 4
        313 2 full - | - - - | - - - | - - | 4
    """,
    "exceeded_drafting": """
        6 2 cancelled - | - - - | - - - | - - | 4
        0 3 cancelled - | - - - | - - - | - - | 4
        7 1 ok 53.32 | 24 0 48.73 | 400 399 3979.11 | 361 277 | 4
        8 0 ok 53.52 | 23 0 48.77 | 400 399 4006.85 | 366 276 | 4
    """,
    "full": """
        0 0 full 43.25 | 112 - 43.15 | 397 396 999.35 | 360 279 | 1
        123 0 ok 4.80 | 11 0 4.69 | 5 4 2.54 | 3 3 | 1
    """,
    "mid_2026": """
        765 0 ok 1800.20 | 1479 64 1800.00 | 60 59 272.50 | 55 39 | 1
    """,
    "no_prefix": """
        0 1 ok 6.05 | 19 0 6.05 | 6 5 8.24 | 9 0 | 1
        8 1 ok 2.18 | 4 15 2.18 | 6 5 5.83 | 8 2 | 1
        13 0 ok 4.21 | 21 0 4.21 | 4 3 1.45 | 2 2 | 1
        17 1 cancelled - | - - - | - - - | - - | 1
    """,
    "no_times": """
        0 1 ok 16.32 | 19 0 16.32 | 6 5 12.43 | 9 0 | 1
        8 1 ok 2.62 | 4 15 2.62 | 6 5 12.84 | 9 0 | 1
        15 0 ok 5.62 | 21 0 5.62 | 4 3 2.48 | 2 2 | 1
        19 1 cancelled - | - - - | - - - | - - | 1
    """,
    "plain": """
        0 1 ok 4.11 | 19 0 4.03 | 30 29 8.23 | - - | 1
        32 1 ok 1.78 | 4 15 1.74 | 1 0 0.00 | - - | 1
        34 1 ok 1.54 | 4 15 1.52 | 30 29 5.37 | - - | 1
        65 0 ok 0.16 | 0 0 0.00 | 0 0 0.00 | - - | 1
        67 1 ok 38.70 | 497 0 38.65 | 120 119 38.68 | - - | 1
        189 0 cancelled - | - - - | - - - | - - | 1
        309 1 refused - | - - - | - - - | - - | 1
        314 1 ok 13.82 | 110 0 13.73 | 40 39 17.93 | - - | 2
        312 0 ok 21.86 | 114 0 21.70 | 50 49 37.36 | - - | 2
        315 1 ok 9.88 | 119 0 9.84 | 60 59 31.38 | - - | 2
        316 0 ok 9.13 | 99 0 9.02 | 70 69 33.73 | - - | 2
        317 1 ok 8.46 | 113 0 8.42 | 80 79 36.98 | - - | 2
        318 0 ok 9.60 | 131 0 9.57 | 90 89 26.01 | - - | 2
    """,
    "router": """
        0 3 ok 3.98 | 5 0 3.86 | 5 4 2.17 | - - | 1
        0 3 ok 2.08 | 5 0 1.79 | 5 4 10.77 | - - | 1
        7 3 ok 2.79 | 4 1 2.70 | 5 4 2.38 | - - | 1
    """,
    "shift": """
        0 0 ok 19.96 | 112 - 19.85 | 700 699 1274.81 | - - | 1
        701 0 ok 5.74 | 11 0 5.68 | 5 4 9.52 | - - | 1
    """,
    "sleeping": """
        0 0 ok 2.75 | 19 0 2.68 | 30 29 4.58 | - - | 1
        32 0 ok 1.89 | 19 0 1.87 | 30 29 3.90 | - - | 1
        64 0 ok 1.07 | 4 15 1.03 | 30 29 4.95 | - - | 1
    """,
    "slow": """
        0 1 ok 50312.44 | 1526 0 50312.31 | 30 29 1705.71 | - - | 2
        2 0 ok 38699.35 | 2550 0 38699.28 | 150 149 12274.33 | - - | 2
    """,
    "verbose_4": """
        0 1 ok 10.53 | 19 0 10.45 | 6 5 23.41 | 9 0 | 1
        8 1 ok 2.74 | 4 15 2.56 | 6 5 8.74 | 9 0 | 1
        15 0 ok 4.76 | 21 0 4.63 | 4 3 1.71 | 2 2 | 1
        19 1 cancelled - | - - - | - - - | - - | 1
    """,
    "verbose_5": """
        11 1 ok 3.65 | 4 15 3.29 | 1 0 0.00 | - - | 1
        85 0 ok 30.78 | 99 0 29.26 | 70 69 187.01 | 67 46 | 1
    """,
    "waiting": """
        0 0 ok 8.43 | 19 0 8.38 | 300 299 92.33 | - - | 1
        302 0 ok 3.72 | 24 0 3.67 | 30 29 9.05 | - - | 1
        334 0 ok 2.97 | 19 0 2.93 | 5 4 1.27 | - - | 1
        341 0 ok 1.43 | 4 15 1.37 | 2000 1999 2476.86 | - - | 1
    """,
}


def text_of(row: RequestRow) -> str:
    def said(value: object) -> str:
        return "-" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)

    values = [row.task, row.slot, row.end.value, said(row.ttft_ms), "|", said(row.prompt_n), said(row.cached_n)]
    values += [said(row.prompt_ms), "|", said(row.gen_n), said(row.timed_n), said(row.gen_ms), "|", said(row.draft_n)]
    return " ".join(map(str, [*values, said(row.accepted_n), "|", row.busy_slots]))


# -- what recorded logs tell


@pytest.mark.parametrize("name", NAMES)
def test_requests_of_every_kind_become_rows(name):
    events = events_of(recorded(name))
    assert [text_of(row) for row in rows_of(events)] == [line.strip() for line in ROWS[name].strip().splitlines()]
    assert count(events, Launched) == count(events, Finished)


@pytest.mark.parametrize(
    ("name", "refused"),
    [("plain", 2), ("drafting", 2), ("colors", 1), ("2025", 1), ("cached", 2), ("full", 0), ("exceeded_drafting", 0)],
)
def test_what_was_refused_before_it_had_a_slot_is_counted(name, refused):
    assert count(events_of(recorded(name)), Refused) == refused


def test_times_are_those_of_the_lines():
    first, last = events_of(recorded("plain"))[:2]
    assert first == Launched(first.at, slot=1, task=0)
    assert first.at - BEGAN == pytest.approx(0.237399)
    assert isinstance(last, Finished)
    assert last.at - BEGAN == pytest.approx(0.249916)
    assert last.row.started == first.at


def test_no_line_is_later_than_its_reading():
    """When a process started may be known in whole seconds only."""
    lines = recorded("plain").splitlines(keepends=True)
    reader = LlamaRequestReader(BEGAN)
    (launched,) = reader.feed(b"".join(lines[:3]), BEGAN + 0.2)
    (finished,) = reader.feed(b"".join(lines[3:8]), BEGAN + 0.3)
    assert (launched.at - BEGAN, finished.at - BEGAN) == pytest.approx((0.2, 0.2 + 0.249916 - 0.237399))


def test_lines_without_a_time_have_that_of_their_reading():
    first, last = events_of(recorded("no_times"))[:2]
    assert first == Launched(NOW, slot=1, task=0)
    assert isinstance(last, Finished)
    assert (last.at, last.row.started) == (NOW, NOW)


def test_the_times_of_a_long_run():
    data = re.sub(rb"(?m)^0\.", b"132.", recorded("plain"))
    events = list(LlamaRequestReader(BEGAN).feed(data, BEGAN + 9999))
    first, rows, early = events[0], rows_of(events), rows_of(events_of(recorded("plain")))
    assert first.at == pytest.approx(BEGAN + 132 * 60 + 0.237399)
    assert [row.started - 132 * 60 for row in rows] == pytest.approx([row.started for row in early])
    assert [row.ttft_ms for row in rows] == [row.ttft_ms and pytest.approx(row.ttft_ms) for row in early]


def test_progress_of_a_long_prompt_and_of_a_long_answer():
    events = events_of(recorded("slow"))
    read = [(event.task, event.read_n, event.total_n) for event in events if isinstance(event, PromptProgress)]
    # From a share of two digits; the true lengths are 2550 and 1526. At first it says too little.
    assert read[:4] == [(2, 512, None), (2, 1024, 2560), (2, 1536, 2560), (0, 512, 1506)]
    assert read[-1] == (0, 1522, 1522)
    generated = [event for event in events if isinstance(event, GenerationProgress)]
    assert [(event.task, event.gen_n) for event in generated] == [(2, 100)]


@pytest.mark.parametrize(("name", "lengths"), [("verbose_4", [19, 19, 21, 47]), ("2025", [397, 397, 397])])
def test_some_logs_tell_the_length_of_a_prompt(name, lengths):
    events = events_of(recorded(name))
    assert [event.total_n for event in events if isinstance(event, PromptProgress)][: len(lengths)] == lengths


def test_shifts_of_the_context():
    assert count(events_of(recorded("shift")), Shifted) == 2


def test_servers_behind_a_router_have_times_of_their_own():
    """Each began when the router said so."""
    started = [row.started - BEGAN for row in rows_of(events_of(recorded("router")))]
    assert started == pytest.approx([2.043889 + 0.161873, 2.267388 + 0.093102, 2.043889 + 0.371282])


def test_a_server_behind_a_router_whose_start_is_lost_began_before_it_was_read_of():
    data = recorded("router")
    (first, *_) = events_of(data[data.index(b"[35243] 0.00.161.873") :])
    assert first == Launched(first.at, slot=3, task=0)
    assert first.at == pytest.approx(NOW)


def test_a_server_that_a_router_starts_again_has_no_old_requests():
    launch = b"[35243] 0.00.200.000 I slot launch_slot_: id  3 | task 9 | processing task, is_child = 0\n"
    spawn = b"0.09.000.000 I srv          load: spawning server instance with name=alpha on port 35243\n"
    reader = LlamaRequestReader(BEGAN)
    reader.feed(launch, NOW)
    assert [row.end for row in rows_of(list(reader.feed(spawn, NOW)))] == [RequestEnd.CANCELLED]
