"""From the answers of a server to its state: every rule, and the ten seconds in which a freeze must show."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gglib_desktop.domain.servers.health import (
    EARLY_S,
    FIRST_INTERVAL_S,
    HEALTHY_INTERVAL_S,
    HIDDEN_INTERVAL_S,
    LAST_LOADING_INTERVAL_S,
    MISSED_INTERVAL_S,
    PROBE_TIMEOUT_S,
    HealthTracker,
    Probe,
    ProbeResult,
    Usage,
    loading_interval_s,
    next_look_at,
)
from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.domain.servers.states import Busy, Degraded, Healthy, Loading, Unreachable, Unresponsive

HANDLE = ProcessHandle(1, "Tiny", 4711, 9000, 1000)
OK, LOADING = Probe(ProbeResult.OK), Probe(ProbeResult.LOADING, "loading the model")
TIMEOUT, REFUSED = Probe(ProbeResult.TIMEOUT, "no answer within 2 s"), Probe(ProbeResult.REFUSED, "refused")
FOREIGN = Probe(ProbeResult.FOREIGN, "something else answers")
IDLE = Usage(cpu_s=1.0, rss_bytes=1)


def observed(tracker, *probes, before=IDLE, after=IDLE, now=100.0):
    for probe in probes:
        tracker = tracker.observe(probe, before, after, now)
    return tracker


@pytest.fixture
def loading():
    return HealthTracker.begin(HANDLE, 50.0, usual_s=3.0)


@pytest.fixture
def healthy(loading):
    return observed(loading, OK)


# -- loading


def test_it_begins_with_loading(loading):
    assert loading.state == Loading(HANDLE, 50.0, 3.0)
    assert loading.handle == HANDLE
    assert HealthTracker.begin(HANDLE, 50.0, since=20.0).state == Loading(HANDLE, 20.0)


@pytest.mark.parametrize("probe", [LOADING, TIMEOUT, REFUSED, FOREIGN])
def test_before_it_was_ready_nothing_is_unhealthy(loading, probe):
    tracker = observed(loading, *[probe] * 10)
    assert tracker.state == loading.state
    assert tracker.missed == 0


def test_loading_is_asked_ever_more_slowly(loading):
    intervals, asked_at = [], 0.0
    while asked_at < 5:
        due_at = loading.due_at(asked_at, 1, visible=True)
        intervals.append(round(due_at - asked_at, 9))
        asked_at, loading = due_at, observed(loading, LOADING)
    assert intervals[0] == FIRST_INTERVAL_S
    assert intervals == sorted(intervals)
    assert intervals[-1] == LAST_LOADING_INTERVAL_S


def test_loading_goes_on_with_the_pace_of_the_start():
    loading = HealthTracker.begin(HANDLE, 50.0, began_at=7.0)
    assert loading.due_at(9.0, 1, visible=False) == 9.0 + loading_interval_s(2.0) == 9.2


def test_loading_stalls_when_neither_cpu_nor_memory_nor_log_moves(loading):
    tracker = loading.observe(LOADING, None, IDLE, 51.0)
    assert tracker.stalled_for(60.0) == 9.0
    tracker = tracker.observe(LOADING, IDLE, IDLE, 70.0)
    assert tracker.stalled_for(80.0) == 29.0
    for change in ({"cpu_s": 2.0}, {"rss_bytes": 2}, {"log_bytes": 9}):
        moved = tracker.observe(LOADING, IDLE, replace(IDLE, **change), 90.0)
        assert moved.stalled_for(95.0) == 5.0


def test_a_process_that_cannot_be_measured_is_never_called_stalled(loading):
    tracker = loading.observe(LOADING, None, None, 60.0).observe(LOADING, None, None, 500.0)
    assert tracker.stalled_for(501.0) == 1.0


def test_one_that_is_ready_never_stalls(healthy):
    assert healthy.stalled_for(1e6) == 0.0


# -- ready


def test_the_first_answer_makes_it_healthy(healthy):
    assert healthy.state == Healthy(HANDLE)
    assert healthy.interval_s == HEALTHY_INTERVAL_S


@pytest.mark.parametrize("probe", [TIMEOUT, REFUSED, FOREIGN])
def test_misses_degrade_and_the_third_is_unresponsive(healthy, probe):
    one = observed(healthy, probe)
    assert one.state == Degraded(HANDLE, 1, probe.message)
    assert one.interval_s == MISSED_INTERVAL_S
    two = observed(one, probe)
    assert two.state == Degraded(HANDLE, 2, probe.message)
    three = observed(two, probe, now=200.0)
    assert three.state == Unresponsive(HANDLE, 200.0, probe.message)
    four = observed(three, probe, now=300.0)
    assert four.state == Unresponsive(HANDLE, 200.0, probe.message), "since when it is so stays"
    assert four.missed == 4


@pytest.mark.parametrize("before", [(), (TIMEOUT,), (TIMEOUT, TIMEOUT, TIMEOUT)])
def test_a_lost_place_hides_what_it_was_until_it_answers(healthy, before):
    lost = observed(observed(healthy, *before), Probe(ProbeResult.UNREACHABLE, "no route", 50.0))
    assert lost.shown == Unreachable(50.0, "local", "no route", HANDLE)
    assert not lost.is_calm
    assert lost.due_at(200.0, 7, visible=False) == 200.0 + HEALTHY_INTERVAL_S
    assert observed(lost, OK).shown == Healthy(HANDLE)
    assert observed(lost, TIMEOUT).shown == Degraded(HANDLE, 1, TIMEOUT.message)


def test_one_that_was_loading_when_its_place_was_lost_goes_on_loading(loading):
    lost = observed(loading, Probe(ProbeResult.UNREACHABLE, "no route", 50.0), now=1e6)
    assert (lost.shown.word, lost.stalled_for(1e6)) == ("Unreachable", 0.0)
    assert lost.due_at(100.0, 7, visible=True) == 100.0 + HEALTHY_INTERVAL_S
    assert observed(lost, LOADING, now=1e6).shown == loading.state


@pytest.mark.parametrize("misses", [1, 2, 3, 9])
def test_one_answer_in_time_makes_it_healthy_again(healthy, misses):
    tracker = observed(healthy, *[TIMEOUT] * misses, OK)
    assert tracker.state == Healthy(HANDLE)
    assert (tracker.missed, tracker.interval_s) == (0, HEALTHY_INTERVAL_S)


def test_a_miss_with_progress_is_busy(healthy):
    tracker = observed(healthy, TIMEOUT, after=replace(IDLE, cpu_s=1.2))
    assert tracker.state == Busy(HANDLE)
    assert (tracker.missed, tracker.interval_s) == (0, MISSED_INTERVAL_S)
    assert observed(tracker, OK).interval_s == HEALTHY_INTERVAL_S


def test_progress_begins_the_count_anew(healthy):
    tracker = observed(healthy, TIMEOUT, TIMEOUT)
    tracker = observed(tracker, TIMEOUT, after=replace(IDLE, cpu_s=9.0))
    assert observed(tracker, TIMEOUT).state == Degraded(HANDLE, 1, TIMEOUT.message)


@pytest.mark.parametrize(("before", "after"), [(None, IDLE), (IDLE, None), (IDLE, replace(IDLE, cpu_s=1.04))])
def test_what_is_no_progress(healthy, before, after):
    assert isinstance(observed(healthy, TIMEOUT, before=before, after=after).state, Degraded)


def test_a_paused_process_is_named_as_such(healthy):
    paused = replace(IDLE, paused=True)
    one = observed(healthy, TIMEOUT, after=paused)
    assert one.state == Degraded(HANDLE, 1, "the process is paused (stopped by a signal)")
    three = observed(one, TIMEOUT, TIMEOUT, after=paused)
    assert isinstance(three.state, Unresponsive)
    assert three.state.paused


def test_a_ready_server_may_load_again(healthy):
    tracker = observed(healthy, LOADING, now=200.0)
    assert tracker.state == Loading(HANDLE, 200.0)
    tracker = observed(tracker, LOADING, now=300.0)
    assert tracker.state == Loading(HANDLE, 200.0)
    assert tracker.missed == 0
    assert observed(tracker, TIMEOUT).state == Degraded(HANDLE, 1, TIMEOUT.message)


def test_loading_between_misses_is_an_answer(healthy):
    assert observed(healthy, TIMEOUT, TIMEOUT, LOADING).missed == 0


@given(st.floats(0, HEALTHY_INTERVAL_S))
def test_a_freeze_shows_within_ten_seconds(frozen_at):
    """Questions begin at their intervals; one in flight at the freeze may still have been answered."""
    tracker = observed(HealthTracker.begin(HANDLE, 0.0), OK)
    now = HEALTHY_INTERVAL_S if frozen_at > 0 else 0.0
    while not isinstance(tracker.state, Unresponsive):
        begun = now
        now += PROBE_TIMEOUT_S
        tracker = observed(tracker, TIMEOUT, now=now)
        now = max(now, begun + tracker.interval_s)
        assert now - frozen_at <= 10.0
    assert tracker.state.since - frozen_at <= 10.0


def test_no_usage_before_is_no_progress():
    assert not IDLE.shows_progress_since(None)
    assert Usage(2.0, 1).shows_progress_since(IDLE)


@pytest.mark.parametrize("interval_s", [HEALTHY_INTERVAL_S, HIDDEN_INTERVAL_S])
@pytest.mark.parametrize("asked_at", [0.0, 0.25, 1.0, 3.5, 12_345.678, 1e7 + 1 / 3])
@pytest.mark.parametrize("server_id", [1, 4, 27, 28, 50])
def test_a_healthy_server_is_never_asked_later_than_its_interval(asked_at, interval_s, server_id):
    due = next_look_at(asked_at, interval_s, server_id)
    assert asked_at + EARLY_S < due <= asked_at + interval_s + EARLY_S
    # From then on in step, also when a timer is a little early.
    assert next_look_at(due - 1e-9, interval_s, server_id) == pytest.approx(due + interval_s)
    assert next_look_at(due, interval_s, server_id) == pytest.approx(due + interval_s)


@pytest.mark.parametrize(("servers", "wake_ups", "at_once"), [(5, 2, 4), (50, 7, 8)])
def test_healthy_servers_are_asked_in_groups_that_are_not_large(servers, wake_ups, at_once):
    """Whenever they were started."""
    due = Counter(next_look_at(1000.0 + 0.7 * number, HEALTHY_INTERVAL_S, number) for number in range(1, servers + 1))
    phases = Counter[float]()
    for at, count in due.items():
        phases[at % HEALTHY_INTERVAL_S] += count
    assert len(phases) == wake_ups
    assert max(phases.values()) <= at_once


@pytest.mark.parametrize(("visible", "interval_s"), [(True, HEALTHY_INTERVAL_S), (False, HIDDEN_INTERVAL_S)])
def test_only_a_server_that_is_well_waits_for_its_group(loading, healthy, visible, interval_s):
    assert healthy.is_calm
    assert healthy.due_at(100.25, 7, visible=visible) == next_look_at(100.25, interval_s, 7)
    busy = observed(healthy, TIMEOUT, after=replace(IDLE, cpu_s=9.0))
    assert loading.due_at(100.25, 7, visible=visible) == 100.25 + loading_interval_s(100.25)
    for tracker in (observed(healthy, TIMEOUT), busy):
        assert tracker.due_at(100.25, 7, visible=visible) == 100.25 + tracker.interval_s
    assert not any(tracker.is_calm for tracker in (loading, observed(healthy, TIMEOUT), busy))


def test_an_adopted_server_that_is_silent_and_does_not_move_is_not_loading(loading):
    silent = observed(loading, TIMEOUT)
    assert silent.adopted(silent.last_advance_at + 0.1).state == loading.state
    assert observed(silent.adopted(1e6), *[TIMEOUT] * 3).state == Unresponsive(HANDLE, 100.0, TIMEOUT.message)
