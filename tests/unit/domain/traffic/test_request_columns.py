"""Requests are sorted by any column, and exported with all that is known of them."""

import csv
import io
import json
import math

import pytest

from gglib_desktop.domain.traffic.request_columns import RequestColumn, RequestValues, csv_text, json_text
from gglib_desktop.domain.traffic.requests import RequestEnd, RequestRow, RunFacts

RUN = RunFacts("20261130-100000-tiny", 7, 'Tiny, "the" ünfinished', "b10434", 3, 0.75, "4 threads")
SHORT = RequestRow(1000.5, RequestEnd.OK, 4, 1, 12.5, 9, 3, 6.5, 60, 66.0, 59, 55, 39)
LONG = RequestRow(1001.0, RequestEnd.FULL, 9, 0, 402.0, 900, 0, 90.0, 10, 500.0, 9, 0, 0)
CANCELLED = RequestRow(1002.0, RequestEnd.CANCELLED, 12, 0)


def in_order(column: RequestColumn, *, descending: bool) -> list[RequestRow]:
    rows = [CANCELLED, LONG, SHORT]
    values = RequestValues()
    values.add(rows[:1])
    values.add(rows[1:])
    return [rows[place] for place in values.places(column, range(values.count), descending=descending)]


@pytest.mark.parametrize(
    ("column", "ascending"),
    [
        (RequestColumn.TIME, [SHORT, LONG, CANCELLED]),
        (RequestColumn.FIRST_TOKEN, [SHORT, LONG, CANCELLED]),
        (RequestColumn.PROMPT, [SHORT, LONG, CANCELLED]),
        (RequestColumn.CACHED, [LONG, SHORT, CANCELLED]),
        (RequestColumn.GENERATED, [LONG, SHORT, CANCELLED]),
        (RequestColumn.PROMPT_SPEED, [SHORT, LONG, CANCELLED]),
        (RequestColumn.SPEED, [LONG, SHORT, CANCELLED]),
        (RequestColumn.DRAFTED, [LONG, SHORT, CANCELLED]),
        (RequestColumn.ACCEPTED, [LONG, SHORT, CANCELLED]),
        (RequestColumn.RESULT, [SHORT, CANCELLED, LONG]),
    ],
)
def test_what_is_not_known_comes_last_in_both_orders(column, ascending):
    assert in_order(column, descending=False) == ascending
    known = [row for row in ascending if column in {RequestColumn.TIME, RequestColumn.RESULT} or row != CANCELLED]
    unknown = [row for row in ascending if row not in known]
    assert in_order(column, descending=True) == known[::-1] + unknown


def test_what_is_not_known_has_an_infinite_key():
    values = RequestValues()
    values.add([SHORT, CANCELLED])
    assert list(values.sort_keys(RequestColumn.GENERATED)) == [60, math.inf]


def test_csv_has_a_header_and_leaves_what_is_not_known_empty():
    records = list(csv.DictReader(io.StringIO(csv_text([(RUN, SHORT), (RUN, CANCELLED)]))))
    assert records[0] == {
        "started": "1000.5", "run": RUN.run, "model": RUN.model, "task": "4", "slot": "1", "ttft_ms": "12.5",
        "prompt_n": "9", "cached_n": "3", "prompt_ms": "6.5", "gen_n": "60", "gen_ms": "66.0", "draft_n": "55",
        "accepted_n": "39", "end": "ok", "n_max": "3", "p_min": "0.75", "build": "b10434",
    }  # fmt: skip
    assert (records[1]["end"], records[1]["gen_n"]) == ("cancelled", "")


def test_json_is_a_list_of_objects():
    first, second = json.loads(json_text([(RUN, SHORT), (RUN, CANCELLED)]))
    assert (first["model"], first["ttft_ms"], first["end"]) == (RUN.model, 12.5, "ok")
    assert second["ttft_ms"] is None
    assert json.loads(json_text([])) == []
