"""What people read about errors, failures, states and decisions: the one place where those get words."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from gglib_desktop.domain.engine import ENGINE_VARIABLE
from gglib_desktop.domain.errors import (
    ConfigurationError,
    GglibError,
    HealthCheckFailed,
    InvalidDraft,
    InvalidModelFile,
    InvalidSettings,
    KeyStoreError,
    LibraryError,
    ModelInUse,
    NotRunning,
    PortTaken,
    PresetFileError,
    ResourceExhausted,
    RunnerUnavailable,
    SettingsError,
    StartFailed,
    StopFailed,
)
from gglib_desktop.domain.exits import ServerExit, StopRung, signal_name
from gglib_desktop.domain.failures import Failure, FailureCause
from gglib_desktop.domain.launch import MtpReason
from gglib_desktop.domain.llama_args import name_of
from gglib_desktop.domain.options import engine_option, engine_options
from gglib_desktop.domain.states import (
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
    Unresponsive,
)
from gglib_desktop.domain.units import duration_text

translate = QCoreApplication.translate


@dataclass(frozen=True)
class Words:
    """One sentence that says what is the matter, and what can be done about it."""

    summary: str
    hint: str = ""


def sentence(text: str) -> str:
    """An error's own English text as a sentence: full stop last, and capital letter first unless that is a name's."""
    text = text.strip()
    if text and text[-1] not in ".!?…":
        text += "."
    first_word = text.partition(" ")[0].rstrip(".,:;")
    return text[0].upper() + text[1:] if first_word.isalpha() else text


# -- errors


def words_for_error(error: GglibError) -> Words:
    """What to tell people who did something that raised ``error``."""
    match error:
        case ConfigurationError():
            return _configuration(error)
        case PortTaken():
            return _port_taken(error)
        case ModelInUse():
            return Words(
                translate("Errors", "{name} stays in the list while a server of it runs.").format(name=error.name),
                translate("Errors", "Stop its server first."),
            )
        case InvalidModelFile():
            return Words(
                translate("Errors", "{name} cannot be used as a model.").format(name=error.path.name),
                _joined(
                    sentence(error.reason),
                    translate("Errors", "The file is in {folder}.").format(folder=error.path.parent),
                ),
            )
        case InvalidDraft():
            return Words(
                translate("Errors", "Some values cannot be used."),
                "\n".join(f"{field_name(name)}: {text}" for name, text in error.fields.items()),
            )
        case InvalidSettings():
            from gglib_desktop.views.settings_words import invalid_settings_texts  # noqa: PLC0415  # rare

            return Words(*invalid_settings_texts(error))
        case StartFailed():
            ending = exit_text(ServerExit(error.exit_status)) if error.exit_status is not None else ""
            return Words(translate("Errors", "The server did not start."), _joined(sentence(error.summary), ending))
        case _:
            return Words(_summary(error), sentence(str(error)))


def _summary(error: GglibError) -> str:
    match error:
        case StopFailed():
            return translate("Errors", "The server could not be stopped.")
        case NotRunning():
            return translate("Errors", "This server does not run any more.")
        case HealthCheckFailed():
            return translate("Errors", "The server never became ready.")
        case ResourceExhausted():
            return translate("Errors", "Nothing is free any more of what this needs.")
        case KeyStoreError():
            return translate("Errors", "The key for clients cannot be used.")
        case RunnerUnavailable():
            return translate("Errors", "Servers cannot be reached now.")
        case LibraryError():
            return translate("Errors", "The model library has a problem.")
        case PresetFileError():
            return translate("Errors", "This file of presets cannot be used.")
        case SettingsError():
            return translate("Errors", "The settings file has a problem. The settings in force have not changed.")
        case _:
            return translate("Errors", "That did not work.")


def _configuration(error: ConfigurationError) -> Words:
    if error.field in {"engine", "engine_path"}:
        if error.value is None:
            summary = translate("Errors", "No llama-server was found.")
        else:
            summary = translate("Errors", "{path} cannot be used as the engine.").format(path=error.value)
        return Words(summary, _joined(sentence(error.reason), _choose_engine(error.reason)))
    if error.field == "model_path":
        return Words(
            translate("Errors", "The model file {path} cannot be used.").format(path=error.value),
            sentence(error.reason),
        )
    return Words(
        translate("Errors", "{field} cannot be used as it is.").format(field=field_name(error.field)),
        translate("Errors", "“{value}”: {reason}").format(value=error.value, reason=sentence(error.reason)),
    )


def _choose_engine(reason: str) -> str:
    """Settings help unless the environment names the engine; the reason then says what does."""
    return "" if ENGINE_VARIABLE in reason else translate("Errors", "Choose another engine in Settings.")


def _port_taken(error: PortTaken) -> Words:
    owner = error.owner or translate("Errors", "another program")
    return Words(
        translate("Errors", "Port {port} is in use by {owner}.").format(port=error.port, owner=owner),
        translate("Errors", "Choose another port, or Auto for one that is free."),
    )


def field_name(field: str) -> str:
    """The name that people see for a field of a configuration or of the settings."""
    name = name_of(field)
    if name in {option.name for option in engine_options()}:
        return translate("Options", engine_option(name).spec.label)
    names = {
        "base_port": translate("Fields", "First port"),
        "mtp": translate("Fields", "Speculative decoding (MTP)"),
        "restart": translate("Fields", "Start again after a crash"),
        "model_path": translate("Fields", "Model file"),
        "command_line": translate("Fields", "Command line"),
        "command_file": translate("Fields", "The file"),
        "preset_name": translate("Fields", "The preset's name"),
        "engine": translate("Fields", "Engine"),
        "engine_path": translate("Fields", "Engine"),
        "stop_grace_s": translate("Fields", "Time to stop"),
        "on_quit": translate("Fields", "On quit"),
        "theme": translate("Fields", "Theme"),
    }
    return names.get(field, field)


# -- failures


def words_for_failure(failure: Failure, ended_word: str) -> Words:
    """What to tell people about a server that ended by itself. ``ended_word`` is its state's: Failed or Crashed."""
    ending = exit_text(failure.exit) if failure.exit is not None else ""
    return Words(_joined(_failure_summary(failure, crashed=ended_word == Crashed.word), ending), _failure_hint(failure))


def words_for_rejected(failure: Failure, *, runs: bool) -> Words:
    """What to tell people whose new settings did not start. ``runs``: the previous ones are in force again already."""
    if runs:
        summary = translate("Failures", "The new settings did not start. The previous ones run again.")
    else:
        summary = translate("Failures", "The new settings did not start. The previous ones are being started again.")
    words = words_for_failure(failure, Failed.word)
    return Words(
        summary, _joined(words.summary, words.hint, translate("Failures", "The form below keeps what you entered."))
    )


def _failure_summary(failure: Failure, *, crashed: bool) -> str:
    match failure.cause:
        case FailureCause.CONFIGURATION | FailureCause.PORT_TAKEN if failure.exit is None and failure.detail:
            # Raised before a process was spawned: the detail names the value or the port's owner.
            return sentence(failure.detail)
        case FailureCause.KILLED:
            return translate("Failures", "Something else on this computer ended the server.")
        case FailureCause.UNKNOWN if crashed:
            return translate("Failures", "The server ended unexpectedly.")
        case FailureCause.UNKNOWN if failure.exit is None and failure.detail:
            return sentence(failure.detail)
        case FailureCause.OUT_OF_MEMORY if crashed:
            return translate("Failures", "The server ran out of memory.")
    return _failure_sentences()[failure.cause]


def _failure_sentences() -> dict[FailureCause, str]:
    return {
        FailureCause.UNKNOWN_FLAG: translate("Failures", "This engine does not know one of the flags."),
        FailureCause.BAD_VALUE: translate("Failures", "The engine refused the value of a flag."),
        FailureCause.MODEL_MISSING: translate("Failures", "The model file cannot be opened."),
        FailureCause.MODEL_CORRUPT: translate("Failures", "The engine cannot read the model file."),
        FailureCause.ARCHITECTURE_UNSUPPORTED: translate(
            "Failures", "This engine does not know the model's architecture."
        ),
        FailureCause.MTP_LAYERS_MISSING: translate("Failures", "The engine found no MTP layers in this model."),
        FailureCause.PORT_TAKEN: translate("Failures", "Another program uses the port."),
        FailureCause.OUT_OF_MEMORY: translate("Failures", "There is not enough memory for this model."),
        FailureCause.LIBRARY_MISSING: translate("Failures", "The engine lacks a library that it needs."),
        FailureCause.ENGINE_UNUSABLE: translate("Failures", "The engine cannot be run."),
        FailureCause.CONFIGURATION: translate("Failures", "The launch settings cannot be used as they are."),
        FailureCause.RUNNER_UNAVAILABLE: translate("Failures", "Servers cannot be started now."),
        FailureCause.KILLED: translate("Failures", "Something else on this computer ended the server."),
        FailureCause.STALLED: translate("Failures", "The server stopped making progress before it was ready."),
        FailureCause.FROZEN: translate("Failures", "The server runs but does not answer."),
        FailureCause.UNKNOWN: translate("Failures", "The server ended before it was ready."),
    }


def _failure_hint(failure: Failure) -> str:
    reason = sentence(failure.detail) if failure.exit is None else ""
    match failure.cause:
        case FailureCause.ENGINE_UNUSABLE:
            return _joined(reason, _choose_engine(failure.detail))
        case FailureCause.RUNNER_UNAVAILABLE | FailureCause.MODEL_MISSING if reason:
            return reason
        case FailureCause.FROZEN:
            return _joined(reason, translate("Failures", "It may come back by itself; stop it if you will not wait."))
        case FailureCause.STALLED:
            return _joined(reason, translate("Failures", "Start it again; the log shows how far it came."))
        case FailureCause.KILLED if failure.exit is not None and failure.exit.signal_number == 9:
            return translate(
                "Failures",
                "If nobody did that, the system may have run out of memory. Start it again, or lower the context size.",
            )
    return _failure_hints()[failure.cause]


def _failure_hints() -> dict[FailureCause, str]:
    look = translate("Failures", "The last lines of the log may say why. Start it again, or open the log.")
    return {
        FailureCause.UNKNOWN_FLAG: translate("Failures", "Choose another engine, or remove the flag."),
        FailureCause.BAD_VALUE: translate(
            "Failures", "The lines below name the flag. Change its value and start again."
        ),
        FailureCause.MODEL_MISSING: translate(
            "Failures", "Check that the file is still there and that you may read it."
        ),
        FailureCause.MODEL_CORRUPT: translate(
            "Failures", "The file may be incomplete or damaged; download it again. A newer engine may read it too."
        ),
        FailureCause.ARCHITECTURE_UNSUPPORTED: translate("Failures", "Choose a newer engine in Settings."),
        FailureCause.MTP_LAYERS_MISSING: translate(
            "Failures", "Set Speculative decoding (MTP) to Auto or Off and start again."
        ),
        FailureCause.PORT_TAKEN: translate("Failures", "Choose another port, or Auto for one that is free."),
        FailureCause.OUT_OF_MEMORY: translate(
            "Failures", "Lower the context size, stop other servers, or use a smaller model."
        ),
        FailureCause.LIBRARY_MISSING: translate(
            "Failures", "The lines below name it. Install it, or choose another engine in Settings."
        ),
        FailureCause.CONFIGURATION: translate("Failures", "Change the value and start again."),
        FailureCause.RUNNER_UNAVAILABLE: translate("Failures", "Try again."),
        FailureCause.KILLED: translate("Failures", "Start it again."),
        FailureCause.UNKNOWN: look,
    }


def exit_text(end: ServerExit) -> str:
    """How a process ended, decoded: ``Exit code 1.``, ``Killed by signal 9 (SIGKILL).``"""
    if end.status is None:
        return translate("Exits", "Ended; the reason is unknown to us.")
    if end.signal_number is None:
        return translate("Exits", "Exit code {code}.").format(code=end.status)
    return translate("Exits", "Killed by signal {number} ({name}).").format(
        number=end.signal_number, name=signal_name(end.signal_number)
    )


# -- states


def state_text(state: ServerState) -> str:
    """What the badge says: the state's word, with the way a crash ended where it is known."""
    word = _state_words()[type(state).word]
    if isinstance(state, Crashed) and state.failure.exit is not None:
        end = state.failure.exit
        if end.signal_number is not None:
            return translate("States", "{word} (signal {number})").format(word=word, number=end.signal_number)
        if end.status is not None:
            return translate("States", "{word} (exit code {code})").format(word=word, code=end.status)
    return word


def _state_words() -> dict[str, str]:
    return {
        Starting.word: translate("States", "Starting"),
        Loading.word: translate("States", "Loading"),
        Healthy.word: translate("States", "Healthy"),
        Busy.word: translate("States", "Busy"),
        Degraded.word: translate("States", "Degraded"),
        Unresponsive.word: translate("States", "Unresponsive"),
        Stopping.word: translate("States", "Stopping"),
        Stopped.word: translate("States", "Stopped"),
        Failed.word: translate("States", "Failed"),
        Crashed.word: translate("States", "Crashed"),
    }


def state_description(state: ServerState) -> str:
    """A state in a sentence or two, for tool tips and accessible descriptions."""
    match state:
        case Starting():
            return translate("States", "The server was asked to run and has not answered yet.")
        case Loading(usual_s=usual_s):
            usual = (
                translate("States", "This usually takes {time}.").format(time=duration_text(usual_s)) if usual_s else ""
            )
            return _joined(translate("States", "The server is loading the model."), usual)
        case Healthy():
            return translate("States", "The server answers in time.")
        case Busy():
            return translate("States", "The server works and answers health checks late.")
        case Degraded() | Unresponsive():
            return _not_answering(state)
        case Stopping():
            return translate("States", "The server was asked to end. It will be killed if it does not.")
        case Stopped():
            return sentence(stopped_text(state))
        case Failed(failure=failure) | Crashed(failure=failure):
            return words_for_failure(failure, type(state).word).summary


def _not_answering(state: Degraded | Unresponsive) -> str:
    if isinstance(state, Unresponsive):
        if state.paused:
            return translate(
                "States", "The process is paused: somebody stopped it with a signal. “kill -CONT {pid}” lets it go on."
            ).format(pid=state.handle.pid)
        missed = translate("States", "The server does not answer and shows no progress.")
    elif state.missed == 1:
        missed = translate("States", "The server missed a health check.")
    else:
        missed = translate("States", "The server missed {count} health checks in a row.").format(count=state.missed)
    return _joined(missed, sentence(state.reason))


def stopped_text(state: Stopped) -> str:
    """The word ``Stopped`` and, unless the first SIGTERM was enough, how far we had to go."""
    word = translate("States", "Stopped")
    how = state.end.stopped_by if state.end is not None else StopRung.NONE
    if how is StopRung.SECOND_SIGTERM:
        return translate("States", "{word}: it did not end on SIGTERM; the second one ended it").format(word=word)
    if how is StopRung.SIGKILL:
        return translate("States", "{word}: it did not end on SIGTERM and was killed").format(word=word)
    return word


# -- decisions


def mtp_reason_text(reason: MtpReason) -> str:
    """Whether drafting will be on, and why."""
    return {
        MtpReason.CHOSEN: translate("Mtp", "On: you switched it on"),
        MtpReason.MODEL_AND_ENGINE_CAN: translate("Mtp", "On: this model has MTP layers"),
        MtpReason.DEPENDS_ON_MODEL: translate("Mtp", "On: where a model has MTP layers"),
        MtpReason.SWITCHED_OFF: translate("Mtp", "Off: you switched it off"),
        MtpReason.NO_LAYERS: translate("Mtp", "Off: this model has no MTP layers"),
        MtpReason.NO_ENGINE_SUPPORT: translate("Mtp", "Off: this engine has no draft-mtp"),
        MtpReason.SUPPRESSED: translate("Mtp", "Off: suppressed by GGLIB_DISABLE_MTP"),
    }[reason]


def _joined(*sentences: str) -> str:
    return " ".join(part for part in sentences if part)
