"""Small values: states, exits, errors, settings, and numbers as people read them."""

import signal
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gglib_desktop.domain import errors
from gglib_desktop.domain.documents.settings import AppSettings, OnQuit, Theme
from gglib_desktop.domain.errors import (
    ConfigurationError,
    GglibError,
    InvalidDraft,
    InvalidModelFile,
    LibraryError,
    PortTaken,
    ProcessError,
    ResourceExhausted,
    StartFailed,
)
from gglib_desktop.domain.options.host import openai_url
from gglib_desktop.domain.servers.failures import Absence, Failure, FailureCause, ServerExit, StopRung, signal_name
from gglib_desktop.domain.servers.log_text import text_lines, without_escapes
from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.domain.servers.states import (
    Busy,
    Crashed,
    Degraded,
    Ended,
    Failed,
    Healthy,
    Loading,
    Running,
    Starting,
    Stopped,
    Stopping,
    Unreachable,
    Unresponsive,
    handle_of,
    is_live,
)
from gglib_desktop.domain.units import count_text, duration_stays_s, duration_text, shortest, size_text

HANDLE = ProcessHandle(1, "Tiny", 4711, 9000, 1000)
FAILURE = Failure(FailureCause.KILLED)
STATES = {
    "Starting": Starting(0),
    "Loading": Loading(HANDLE, 0),
    "Healthy": Healthy(HANDLE),
    "Busy": Busy(HANDLE),
    "Degraded": Degraded(HANDLE, 1, "late"),
    "Unresponsive": Unresponsive(HANDLE, 0, "silent"),
    "Stopping": Stopping(HANDLE, 0, 5),
    "Stopped": Stopped(0),
    "Failed": Failed(0, FAILURE),
    "Crashed": Crashed(0, FAILURE),
    "Unreachable": Unreachable(0, "attic"),
}


# -- states


@pytest.mark.parametrize(("word", "state"), STATES.items())
def test_the_words_are_exactly_these(word, state):
    assert state.word == word
    assert is_live(state) == (word not in {"Stopped", "Failed", "Crashed", "Unreachable"})
    has_process = word not in {"Starting", "Stopped", "Failed", "Crashed", "Unreachable"}
    assert handle_of(state) == (HANDLE if has_process else None)


def test_a_server_that_is_stopped_while_it_starts_has_no_process():
    assert handle_of(Stopping(None, 0, 5)) is None


def test_every_state_is_in_one_group():
    grouped = {*get_args(Running), *get_args(Ended), Starting, Stopping, Unreachable}
    assert grouped == {type(state) for state in STATES.values()}


# -- exits


@pytest.mark.parametrize(
    ("end", "text", "number"),
    [
        (ServerExit(0), "exit code 0", None),
        (ServerExit(1), "exit code 1", None),
        (ServerExit(-9), "signal 9", 9),
        (ServerExit(None), "ended, reason unknown to us", None),
        (ServerExit(None, absence=Absence.NOT_RUNNING), "ended while this program was not running", None),
    ],
)
def test_an_end_in_words(end, text, number):
    assert str(end) == text
    assert end.signal_number == number


def test_what_we_stopped_was_asked_for():
    assert not ServerExit(-9).asked_for
    assert all(ServerExit(0, rung).asked_for for rung in StopRung if rung is not StopRung.NONE)


@pytest.mark.parametrize(("number", "name"), [(9, "SIGKILL"), (11, "SIGSEGV"), (signal.SIGTERM, "SIGTERM"), (99, "99")])
def test_signals_have_names(number, name):
    assert signal_name(number) == name


# -- errors


def test_the_tree_of_errors_is_the_one_that_is_drawn():
    drawn = []
    for line in (errors.__doc__ or "").splitlines():
        name = line.replace("│", " ").replace("├─", "  ").replace("└─", "  ").split()
        if name and isinstance(getattr(errors, name[0], None), type):
            drawn.append(getattr(errors, name[0]))
    assert drawn[0] is GglibError
    assert all(issubclass(each, GglibError) for each in drawn)
    undrawn = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, GglibError)}
    assert undrawn - set(drawn) <= {PortTaken}, "a refinement of ResourceExhausted"


def test_errors_say_all_they_know():
    failed = StartFailed("ended early", exit_status=1, log_lines=["one", "two"], log_name="run")
    assert str(failed) == "ended early\none\ntwo"
    assert (failed.summary, failed.exit_status, failed.log_lines) == ("ended early", 1, ("one", "two"))
    assert str(StartFailed("refused")) == "refused"
    assert str(ConfigurationError("port", 80, "must be more")) == "port: must be more (got 80)"
    assert str(PortTaken(9000, "nginx (pid 7)")) == "port 9000 is in use by nginx (pid 7)"
    assert str(PortTaken(9000, None)) == "port 9000 is in use by another program"
    assert issubclass(PortTaken, ResourceExhausted)
    assert issubclass(ResourceExhausted, ProcessError)
    assert str(InvalidModelFile(Path("/m"), "is truncated", offset=12)) == "/m: is truncated at byte 12"
    assert str(InvalidModelFile(Path("/m"), "is gone")) == "/m: is gone"
    assert issubclass(InvalidModelFile, LibraryError)
    draft = InvalidDraft({"port": "too low", "name": "missing"})
    assert str(draft) == "port: too low; name: missing"
    assert draft.fields == {"port": "too low", "name": "missing"}


# -- settings


def test_settings_have_defaults_and_limits():
    settings = AppSettings()
    assert (settings.base_port, settings.stop_grace_s) == (9000, 5.0)
    assert (settings.on_quit, settings.theme, settings.engine_path) == (OnQuit.ASK, Theme.SYSTEM, None)
    for field, value in (("base_port", 80), ("stop_grace_s", 0.1), ("stop_grace_s", 121), ("theme", "pink")):
        with pytest.raises(ConfigurationError) as caught:
            settings.replace(**{field: value})
        assert caught.value.field == field
    changed = settings.replace(on_quit="leave running", engine_path="/opt/llama-server")
    assert changed.on_quit is OnQuit.LEAVE_RUNNING
    assert AppSettings.from_mapping(changed.to_mapping()) == changed


# -- numbers


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1_048_524, "1023.9 KiB"),
        (1_048_575, "1.0 MiB"),
        (18_361_000_000, "17.1 GiB"),
        (2**60, "1048576.0 TiB"),
    ],
)
def test_sizes(size, text):
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (999, "999"), (1000, "1.0 K"), (999_999, "1.0 M"), (27_400_000_000, "27.4 B"), (10**15, "1000.0 T")],
)
def test_counts(count, text):
    assert count_text(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (0.9, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h 0 min"),
        (7500, "2 h 5 min"),
        (86_399, "23 h 59 min"),
        (86_400, "1 d 0 h"),
        (349_200, "4 d 1 h"),
    ],
)
def test_durations(seconds, text):
    assert duration_text(seconds) == text


@pytest.mark.parametrize("began", [-1.0, 0.0, 0.3, 58.5, 59.999, 60.0, 3541.0, 86_341.0])
def test_a_duration_is_told_anew_when_it_says_something_else(began):
    """A server that runs for a day is looked at once a minute, not once a second."""
    stays_s = duration_stays_s(began)
    assert 0 < stays_s <= (60 if began >= 60 else 1)
    assert duration_text(began + stays_s * 0.99) == duration_text(began)
    assert duration_text(max(began, 0) + stays_s) != duration_text(began)


def test_a_day_is_counted_in_minutes():
    told, seconds = 0, 0.0
    while seconds < 86_400:
        seconds += duration_stays_s(seconds)
        told += 1
    assert told == 60 + 24 * 60 - 1


# -- output of servers


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("plain", "plain"),
        ("\x1b[32mgreen\x1b[0m", "green"),
        ("\x1b[1;38;5;9mred\x1b[K", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bMup", "up"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("price [32m]", "price [32m]"),
    ],
)
def test_escape_sequences_are_left_out(text, plain):
    assert without_escapes(text) == plain


def test_bytes_become_lines():
    assert text_lines(b"one\r\ntwo\n\xff\xc3\xbc") == ["one", "two", "\ufffd\u00fc"]
    assert text_lines(b"") == []


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1"), (0.75, "0.75"), (0.1, "0.1"), (0.0, "0"), (2, "2"), (-1, "-1"), ("none", "none")]
)
def test_numbers_print_as_people_write_them(value, text):
    assert shortest(value) == text


@given(st.floats(0, 2))
def test_short_numbers_are_the_same_numbers(value):
    assert float(shortest(value)) == value


def test_clients_are_told_where_to_find_a_server():
    assert openai_url(9000) == "http://127.0.0.1:9000/v1"
    assert openai_url(9000, "0.0.0.0") == "http://127.0.0.1:9000/v1"
    assert openai_url(9000, "fd00::2") == "http://[fd00::2]:9000/v1"
