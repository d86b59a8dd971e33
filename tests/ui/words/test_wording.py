"""Every error, failure, state and decision has words that people understand."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from gglib_desktop.domain import errors
from gglib_desktop.domain.errors import (
    AnswerCut,
    ChatError,
    ChatRefused,
    ConfigurationError,
    DataDirectoryInUse,
    GglibError,
    HealthCheckFailed,
    HistoryError,
    HistorySetAside,
    InvalidDraft,
    InvalidModelFile,
    InvalidSettings,
    KeyRefused,
    KeyStoreError,
    LibraryError,
    LibrarySetAside,
    ModelInUse,
    NoAnswer,
    NoSuchModel,
    NotRunning,
    PicturesRefused,
    PictureUnusable,
    PlaceInUse,
    PortTaken,
    PresetFileError,
    ProcessError,
    PromptTooLong,
    ResourceExhausted,
    RunnerUnavailable,
    SettingProblem,
    SettingsEffect,
    SettingsError,
    StartFailed,
    StopFailed,
)
from gglib_desktop.domain.launch.options import MtpReason
from gglib_desktop.domain.llama_cpp.diagnosis import diagnose
from gglib_desktop.domain.servers.diagnosis import failure_of_error
from gglib_desktop.domain.servers.failures import Absence, Failure, FailureCause, ServerExit, StopRung
from gglib_desktop.domain.servers.remedies import Remedy, remedies_for
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig
from gglib_desktop.domain.servers.states import (
    Busy,
    Crashed,
    Degraded,
    Failed,
    Healthy,
    Loading,
    ServerState,
    Starting,
    Stopped,
    Stopping,
    Unreachable,
    Unresponsive,
)
from gglib_desktop.views.words.errors import Words, exit_text, mtp_reason_text, words_for_error
from gglib_desktop.views.words.failures import words_for_failure
from gglib_desktop.views.words.states import state_description, state_text, stopped_text

ERRORS: list[GglibError] = [
    GglibError("something"),
    ProcessError("something"),
    PresetFileError(Path("/p.toml"), (SettingProblem("preset.options.parallel", "must be a whole number", "x", 4),)),
    StartFailed("the program ended", exit_status=1, log_lines=("error: bad",)),
    StartFailed("the program cannot be run"),
    StopFailed("process 12 survived SIGKILL"),
    NotRunning("no such server"),
    HealthCheckFailed("no progress while loading for 120 s"),
    ConfigurationError("engine", "/opt/llama-server", "there is no such file"),
    ConfigurationError("engine", None, "no llama-server found in PATH"),
    ConfigurationError("model_path", "/models/a.gguf", "there is no such file"),
    ConfigurationError("context_size", -4, "must be at least 0"),
    ResourceExhausted("no free port from 9000 to 9099"),
    PortTaken(9000, "python (pid 42)"),
    PortTaken(9000, None),
    DataDirectoryInUse("the data directory /d is in use by process 5"),
    RunnerUnavailable("the data directory /data is in use by process 12"),
    KeyStoreError("/data/api-key: cannot be read: Permission denied"),
    ModelInUse("Qwen3"),
    LibraryError("the library cannot be used"),
    LibrarySetAside(Path("/d/library.sqlite"), Path("/d/library.sqlite.unreadable"), "file is not a database"),
    HistoryError("the history of requests cannot be used: database or disk is full"),
    HistorySetAside(Path("/d/requests.sqlite"), Path("/d/requests.sqlite.unreadable"), "file is not a database"),
    InvalidModelFile(Path("/models/a.gguf"), "the file is empty", offset=0),
    SettingsError("settings.toml: cannot be written"),
    PlaceInUse("The big machine"),
    *(
        InvalidSettings(Path("/home/me/settings.toml"), [SettingProblem("theme", "must be text", "3", 7)], effect)
        for effect in SettingsEffect
    ),
    InvalidDraft({"port": "must be from 1024 to 65535"}),
    ChatError("no connection"),
    NoAnswer("the server ended, or the connection to it, before it answered"),
    AnswerCut("the connection to the server ended in mid-answer"),
    ChatRefused("this server does not support chats"),
    PromptTooLong("request (5019 tokens) exceeds …", 5019, 1024),
    PicturesRefused("image input is not supported"),
    KeyRefused("Invalid API Key"),
    NoSuchModel("no model “x” here"),
    PictureUnusable("cat.png", "it is no image"),
]
HANDLE = ProcessHandle(1, "Tiny", 4711, 9000, 0)
ADOPTED_END = Failure(FailureCause.UNKNOWN, "ended, reason unknown to us", (), ServerExit(None))
KILLED = Failure(FailureCause.KILLED, "signal 9", (), ServerExit(-9))


def is_a_sentence(text: str) -> bool:
    starts_well = text[:1].isupper() or not text.split(maxsplit=1)[0].isalpha()
    return starts_well and text[-1] in ".…" and ".." not in text


def all_error_classes(base: type[GglibError]) -> set[type[GglibError]]:
    return {base}.union(
        *(all_error_classes(kind) for kind in base.__subclasses__() if kind.__module__ == errors.__name__)
    )


# -- errors


def test_no_error_class_is_forgotten_here():
    assert {type(error) for error in ERRORS} == all_error_classes(GglibError)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_every_error_has_a_sentence_and_something_to_go_on(qapp, error):
    words = words_for_error(error)
    assert is_a_sentence(words.summary)
    assert words.hint
    assert "None" not in words.summary + words.hint


def test_different_errors_have_different_words(qapp):
    summaries = {
        words_for_error(kind("x")).summary for kind in (StopFailed, NotRunning, RunnerUnavailable, LibraryError)
    }
    assert len(summaries) == 4


def test_a_taken_port_names_its_owner(qapp):
    assert words_for_error(PortTaken(9000, "python (pid 42)")).summary == "Port 9000 is in use by python (pid 42)."
    assert words_for_error(PortTaken(9000, None)).summary == "Port 9000 is in use by another program."


def test_a_value_is_named_as_in_the_form(qapp):
    words = words_for_error(ConfigurationError("spec_draft_n_max", 40, "must be from 0 to 16"))
    assert words == Words("Draft tokens cannot be used as it is.", "“40”: Must be from 0 to 16.")


def test_an_error_shows_its_own_detail(qapp):
    assert words_for_error(SettingsError("settings.toml: line 3")).hint == "settings.toml: line 3."
    assert "/data is in use" in words_for_error(RunnerUnavailable("the data directory /data is in use")).hint


# -- failures


@pytest.mark.parametrize("cause", FailureCause)
@pytest.mark.parametrize("ended_word", ["Failed", "Crashed"])
@pytest.mark.parametrize("end", [None, ServerExit(1), ServerExit(-9), ServerExit(None)], ids=str)
def test_every_cause_has_a_sentence_and_a_remedy(qapp, cause, ended_word, end):
    words = words_for_failure(Failure(cause, "the detail", (), end), ended_word)
    assert is_a_sentence(words.summary)
    assert is_a_sentence(words.hint)


def test_every_cause_has_words_of_its_own(qapp):
    summaries = {words_for_failure(Failure(cause, exit=ServerExit(1)), "Failed").summary for cause in FailureCause}
    assert len(summaries) == len(FailureCause)


REMEDIES_IN_WORDS = [
    ("another engine", Remedy.CHOOSE_ENGINE),
    ("newer engine", Remedy.CHOOSE_ENGINE),
    ("smaller context", Remedy.LOWER_CONTEXT),
    ("the context size", Remedy.LOWER_CONTEXT),
    ("remove the flag", Remedy.DROP_FLAGS),
    ("remove it from the settings", Remedy.DROP_FLAGS),
    ("the settings name it", Remedy.DROP_FLAGS),
    ("another port", Remedy.USE_FREE_PORT),
    ("speculative decoding", Remedy.TURN_MTP_OFF),
]


@pytest.mark.parametrize("cause", FailureCause)
@pytest.mark.parametrize("file", ["", "/d/draft.gguf"])
@pytest.mark.parametrize("end", [None, ServerExit(1), ServerExit(-9), ServerExit(-15), ServerExit(-4)], ids=str)
def test_what_the_words_advise_has_a_button(qapp, cause, file, end):
    failure = Failure(cause, "", (), end, file)
    words = words_for_failure(failure, "Failed")
    config = ServerConfig(1, "Tiny", Path("/tiny.gguf"), 9000, extra_args=("--x",), spec_draft_n_max=2)
    advised = {remedy for text, remedy in REMEDIES_IN_WORDS if text in words.hint.lower()}
    assert advised <= set(remedies_for(failure, config))


@pytest.mark.parametrize(
    ("line", "file", "summary"),
    [
        ("unknown model architecture: 'qwen99'", "", "This engine doesn't know the architecture “qwen99”."),
        ("unknown pre-tokenizer type: 'xyz'", "", "This engine doesn't know the tokenizer “xyz”."),
        ("unknown tokenizer: 'plamo2'", "", "This engine doesn't know the tokenizer “plamo2”."),
        ("has invalid ggml type 39 (NONE)", "", "This engine doesn't know this kind of model file."),
        ("unknown projector type: 'new'", "/d/mm.gguf", "This engine doesn't know this kind of model file."),
    ],
)
def test_what_an_engine_does_not_know_is_named(qapp, line, file, summary):
    words = words_for_failure(replace(diagnose(ServerExit(1), [line]), file=file), "Failed")
    assert words.summary == f"{summary} Exit code 1."
    assert ("mm.gguf" in words.hint) is bool(file)
    assert "Choose a newer engine in Settings." in words.hint


@pytest.mark.parametrize(
    ("cause", "summary"),
    [
        (FailureCause.MODEL_MISSING, "The engine can't open draft.gguf."),
        (FailureCause.MODEL_UNREADABLE, "The engine can't read draft.gguf."),
        (FailureCause.MODEL_CORRUPT, "draft.gguf is damaged or incomplete."),
        (FailureCause.COMPANION_REFUSED, "The engine can't use draft.gguf with this model."),
    ],
)
def test_the_file_that_is_blamed_is_named(qapp, cause, summary):
    assert words_for_failure(Failure(cause, file="/d/draft.gguf"), "Failed").summary == summary


def test_only_a_file_that_was_found_damaged_is_to_be_downloaded_again(qapp):
    said = {
        cause: words_for_failure(Failure(cause, "exit code 1", (), ServerExit(1)), "Failed") for cause in FailureCause
    }
    blamed = {c for c, words in said.items() if "download" in words.hint.lower() or "damaged" in words.summary.lower()}
    assert blamed == {FailureCause.MODEL_CORRUPT}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_whatever_a_start_raises_can_be_shown_as_a_failure(qapp, error):
    words = words_for_failure(failure_of_error(error, diagnose), "Failed")
    assert is_a_sentence(words.summary)
    assert words.hint


def test_a_failure_before_there_was_a_process_says_what_was_wrong(qapp):
    taken = words_for_failure(failure_of_error(PortTaken(9000, "python (pid 42)"), diagnose), "Failed")
    assert taken.summary == "Port 9000 is in use by python (pid 42)."
    gone = words_for_failure(
        failure_of_error(ConfigurationError("engine", "/x", "there is no such file"), diagnose), "Failed"
    )
    assert gone.hint.startswith("/x: there is no such file.")


def test_a_failure_tells_how_the_process_ended(qapp):
    bad_flag = Failure(FailureCause.UNKNOWN_FLAG, "exit code 1", (), ServerExit(1))
    assert words_for_failure(bad_flag, "Failed").summary == "This engine doesn't support one of the flags. Exit code 1."
    named = replace(bad_flag, flag="--nope")
    assert words_for_failure(named, "Failed").summary == "This engine doesn't support --nope. Exit code 1."
    assert words_for_failure(KILLED, "Crashed").summary.endswith("Killed by signal 9 (SIGKILL).")
    assert "unknown to us" in words_for_failure(ADOPTED_END, "Crashed").summary


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0, "Exit code 0."),
        (1, "Exit code 1."),
        (-11, "Killed by signal 11 (SIGSEGV)."),
        (-200, "Killed by signal 200 (200)."),
        (None, "Ended; the reason is unknown to us."),
    ],
)
def test_exits_are_decoded(qapp, status, text):
    assert exit_text(ServerExit(status)) == text


@pytest.mark.parametrize(
    ("absence", "text"),
    [
        (Absence.NOT_RUNNING, "It ended while GGLib Desktop was not running."),
        (Absence.COMPUTER_RESTARTED, "The computer has been restarted since."),
    ],
)
def test_an_end_that_the_program_did_not_see_says_so(qapp, absence, text):
    assert exit_text(ServerExit(None, absence=absence)) == text
    failure = Failure(FailureCause.UNKNOWN, "", (), ServerExit(None, absence=absence))
    assert words_for_failure(failure, "Crashed").summary == f"The server is no longer running. {text}"


# -- states

STATES: list[ServerState] = [
    Starting(0.0),
    Loading(HANDLE, 0.0),
    Loading(HANDLE, 0.0, usual_s=12.0),
    Healthy(HANDLE),
    Busy(HANDLE),
    Degraded(HANDLE, 1, "no answer within 2 s"),
    Degraded(HANDLE, 2, "no answer within 2 s"),
    Unresponsive(HANDLE, 0.0, "no answer within 2 s"),
    Unresponsive(HANDLE, 0.0, "the process is paused", paused=True),
    Stopping(HANDLE, 0.0, 6.0),
    Stopped(0.0),
    Failed(0.0, Failure(FailureCause.BAD_VALUE, "exit code 1", (), ServerExit(1))),
    Crashed(0.0, KILLED),
    Unreachable(0.0, "gpu-box"),
    Unreachable(0.0, "gpu-box", "no route to host"),
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.word)
def test_every_state_has_a_badge_and_a_description(qapp, state):
    assert state_text(state).startswith(state.word)
    assert is_a_sentence(state_description(state))


def test_only_a_crash_says_in_the_badge_how_it_ended(qapp):
    assert [state_text(state) for state in STATES if not isinstance(state, Crashed)] == [
        state.word for state in STATES if not isinstance(state, Crashed)
    ]
    assert state_text(Crashed(0.0, KILLED)) == "Crashed (signal 9)"
    assert state_text(Crashed(0.0, Failure(FailureCause.UNKNOWN, "", (), ServerExit(3)))) == "Crashed (exit code 3)"
    assert state_text(Crashed(0.0, ADOPTED_END)) == "Crashed"


def test_descriptions_tell_what_is_known(qapp):
    lost = state_description(Unreachable(time.time(), "gpu-box", "no route to host"))
    assert lost.startswith("gpu-box cannot be reached since ")
    assert lost.endswith(". Nothing is known of this server since then. No route to host.")
    assert "12 s" in state_description(Loading(HANDLE, 0.0, usual_s=12.0))
    assert "2 health checks" in state_description(Degraded(HANDLE, 2, "no answer within 2 s"))
    assert "No answer within 2 s." in state_description(Unresponsive(HANDLE, 0.0, "no answer within 2 s"))
    assert "kill -CONT 4711" in state_description(Unresponsive(HANDLE, 0.0, "", paused=True))


@pytest.mark.parametrize(
    ("end", "text"),
    [
        (None, "Stopped"),
        (ServerExit(0, StopRung.NONE), "Stopped"),
        (ServerExit(0, StopRung.SIGTERM), "Stopped"),
        (ServerExit(0, StopRung.SECOND_SIGTERM), "Stopped: it did not end on SIGTERM; the second one ended it"),
        (ServerExit(-9, StopRung.SIGKILL), "Stopped: it did not end on SIGTERM and was killed"),
    ],
)
def test_a_stop_tells_how_far_it_had_to_go(qapp, end, text):
    assert stopped_text(Stopped(0.0, end)) == text


@pytest.mark.parametrize("reason", MtpReason)
def test_every_reason_for_drafting_or_not_is_told(qapp, reason):
    on = reason in {
        MtpReason.CHOSEN,
        MtpReason.MODEL_AND_ENGINE_CAN,
        MtpReason.DEPENDS_ON_MODEL,
        MtpReason.METHOD_CHOSEN,
        MtpReason.MEASURED_FASTER,
    }
    assert mtp_reason_text(reason).startswith("On: " if on else "Off: ")


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ("the file is truncated: 10 bytes are missing", True),
        ("exit code 1", False),
        ("the server ended before it answered (exit code 1)", False),
    ],
)
def test_what_the_model_file_told_is_passed_on_and_an_end_is_not_said_twice(qapp, detail, told):
    words = words_for_failure(Failure(FailureCause.MODEL_CORRUPT, detail, (), ServerExit(1)), "Failed")
    assert ("10 bytes are missing." in words.hint) is told
    assert (words.summary + words.hint).lower().count("exit code 1") == 1
