"""`make bench` fails when a figure misses its limit, and names each that does."""

from __future__ import annotations

import math
import threading

import pytest

from tests.bench_figures import Figures, Stopwatch


def figures_of(*values: float) -> Figures:
    figures = Figures()
    for number, value in enumerate(values):
        figures.at_most(16, value, "ms", f"figure {number}: {value:.0f} ms")
    return figures


def test_kept_limits_end_well(capsys):
    figures = figures_of(3, 16)
    figures.tell("one without a limit: 5")
    assert figures.verdict() == 0
    assert capsys.readouterr().out.splitlines() == [
        "figure 0: 3 ms (at most 16 ms)",
        "figure 1: 16 ms (at most 16 ms)",
        "one without a limit: 5",
    ]


def test_each_missed_limit_is_named_and_fails(capsys):
    figures = figures_of(17, 3, 40)
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "figure 0: 17 ms (MISSED: at most 16 ms)"
    assert figures.verdict() == 1
    assert capsys.readouterr().out.split("\n  ")[1:] == [
        "figure 0: 17 ms (at most 16 ms)",
        "figure 2: 40 ms (at most 16 ms)\n",
    ]


@pytest.mark.parametrize("value", [16.01, math.nan, math.inf])
def test_what_is_compared_is_not_rounded(value):
    assert figures_of(value).verdict() == 1


@pytest.mark.parametrize(("ratio", "status"), [(101.0, 0), (100.0, 0), (99.9, 1)])
def test_a_limit_from_below(ratio, status):
    figures = Figures()
    figures.at_least(100, ratio, "x", f"reads {ratio:.0f} x faster")
    assert figures.verdict() == status


def test_missed_limits_of_another_process_count_too():
    figures = figures_of(3)
    figures.missed += figures_of(17).missed
    assert figures.verdict() == 1


def test_a_stopwatch_counts_waiting_for_others():
    """Waiting for a lock, a file or another thread is the program's own doing."""
    watch, let_go = Stopwatch(), threading.Event()
    threading.Timer(0.02, let_go.set).start()
    assert let_go.wait(30)
    assert watch.seconds() > 0.01
