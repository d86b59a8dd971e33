"""The texts about errors, states and decisions, all in one place."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from gglib_desktop.domain.environment import ENGINE_VARIABLE
from gglib_desktop.domain.errors import (
    ChatError,
    ConfigurationError,
    GglibError,
    HealthCheckFailed,
    HistoryError,
    HistorySetAside,
    InvalidDraft,
    InvalidModelFile,
    InvalidSettings,
    KeyStoreError,
    LibraryError,
    LibrarySetAside,
    ModelInUse,
    NotRunning,
    PictureUnusable,
    PlaceInUse,
    PortTaken,
    PresetFileError,
    ResourceExhausted,
    RunnerUnavailable,
    SettingsError,
    StartFailed,
    StopFailed,
)
from gglib_desktop.domain.launch.options import MtpReason
from gglib_desktop.domain.options.engine_options import engine_option, engine_options, name_of
from gglib_desktop.domain.servers.failures import Absence, ServerExit, signal_name
from gglib_desktop.views.words.settings import invalid_settings_texts

translate = QCoreApplication.translate


@dataclass(frozen=True)
class Words:
    """One sentence about what is wrong, and a hint about what to do."""

    summary: str
    hint: str = ""

    @property
    def text(self) -> str:
        """Both, where there is one line for them."""
        return f"{self.summary} {self.hint}".strip()


def sentence(text: str) -> str:
    """An error's own English text as a sentence: with a full stop, and a capital letter unless a name begins it."""
    text = text.strip()
    if text and text[-1] not in ".!?…":
        text += "."
    first_word = text.partition(" ")[0].rstrip(".,:;")
    return text[0].upper() + text[1:] if first_word.isalpha() else text


# -- errors


def words_for_error(error: GglibError) -> Words:
    """What to tell the user about an action that raised ``error``."""
    match error:
        case ConfigurationError():
            return _configuration(error)
        case PortTaken():
            return _port_taken(error)
        case ModelInUse() | LibrarySetAside() | HistorySetAside() | InvalidModelFile():
            return _library(error)
        case InvalidDraft():
            return Words(
                translate("Errors", "Some values cannot be used."),
                "\n".join(f"{field_name(name)}: {text}" for name, text in error.fields.items()),
            )
        case ChatError() | PictureUnusable():
            from gglib_desktop.views.words.chat import chat_error_texts

            summary, hint = chat_error_texts(error)
            return Words(summary, sentence(hint or str(error)))
        case InvalidSettings():
            return Words(*invalid_settings_texts(error))
        case PlaceInUse():
            return Words(
                translate("Errors", "{name} cannot be removed while servers run there.").format(name=error.name),
                translate("Errors", "Stop them first."),
            )
        case StartFailed():
            ending = exit_text(ServerExit(error.exit_status)) if error.exit_status is not None else ""
            return Words(translate("Errors", "The server did not start."), joined(sentence(error.summary), ending))
        case _:
            return Words(_summary(error), sentence(str(error)))


def _library(error: ModelInUse | LibrarySetAside | HistorySetAside | InvalidModelFile) -> Words:
    match error:
        case ModelInUse():
            return Words(
                translate("Errors", "{name} stays in the list while a server of it runs.").format(name=error.name),
                translate("Errors", "Stop its server first."),
            )
        case LibrarySetAside():
            return Words(
                translate(
                    "Errors",
                    "The model library couldn't be read, so a new one was started; the old file is kept as {path}.",
                ).format(path=error.kept),
                translate("Errors", "Add your model folders again to list their models."),
            )
        case HistorySetAside():
            return Words(
                translate("Errors", "The history of requests couldn't be read, so a new one was started."),
                translate("Errors", "The old file is kept as {path}.").format(path=error.kept),
            )
        case InvalidModelFile():
            return Words(
                translate("Errors", "{name} cannot be used as a model.").format(name=error.path.name),
                joined(
                    sentence(error.reason),
                    translate("Errors", "The file is in {folder}.").format(folder=error.path.parent),
                ),
            )


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
        case HistoryError():
            return translate("Errors", "Requests are not recorded now: their history cannot be used.")
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
        return Words(summary, joined(sentence(error.reason), choose_engine(error.reason)))
    if error.field == "model_path":
        return Words(
            translate("Errors", "The model file {path} cannot be used.").format(path=error.value),
            sentence(error.reason),
        )
    return Words(
        translate("Errors", "{field} cannot be used as it is.").format(field=field_name(error.field)),
        translate("Errors", "“{value}”: {reason}").format(value=error.value, reason=sentence(error.reason)),
    )


def choose_engine(reason: str) -> str:
    """Settings help unless the environment names the engine; then the reason says so."""
    return "" if ENGINE_VARIABLE in reason else translate("Errors", "Choose another engine in Settings.")


def _port_taken(error: PortTaken) -> Words:
    owner = error.owner or translate("Errors", "another program")
    return Words(
        translate("Errors", "Port {port} is in use by {owner}.").format(port=error.port, owner=owner),
        translate("Errors", "Choose another port, or Auto for one that is free."),
    )


def field_name(field: str) -> str:
    """The visible name of a field of a configuration or of the settings."""
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
        "requests_keep_rows": translate("Fields", "Requests to keep"),
        "requests_keep_days": translate("Fields", "Days to keep requests"),
        "on_quit": translate("Fields", "On quit"),
        "theme": translate("Fields", "Theme"),
        "address": translate("Fields", "Address"),
        "name": translate("Fields", "Name"),
        "key": translate("Fields", "Key"),
        "place": translate("Fields", "Place"),
        "rpc_workers": translate("Fields", "Workers"),
    }
    return names.get(field, field)


# -- ends


def exit_text(end: ServerExit) -> str:
    """How a process ended, decoded: ``Exit code 1.``, ``Killed by signal 9 (SIGKILL).``"""
    if end.absence is Absence.NOT_RUNNING:
        return translate("Exits", "It ended while GGLib Desktop was not running.")
    if end.absence is Absence.COMPUTER_RESTARTED:
        return translate("Exits", "The computer has been restarted since.")
    if end.status is None:
        return translate("Exits", "Ended; the reason is unknown to us.")
    if end.signal_number is None:
        return translate("Exits", "Exit code {code}.").format(code=end.status)
    return translate("Exits", "Killed by signal {number} ({name}).").format(
        number=end.signal_number, name=signal_name(end.signal_number)
    )


def mtp_reason_text(reason: MtpReason) -> str:
    """Whether drafting will be on, and why."""
    return {
        MtpReason.CHOSEN: translate("Mtp", "On: you switched it on"),
        MtpReason.MODEL_AND_ENGINE_CAN: translate("Mtp", "On: this model has MTP layers"),
        MtpReason.DEPENDS_ON_MODEL: translate("Mtp", "On: where a model has MTP layers"),
        MtpReason.METHOD_CHOSEN: translate("Mtp", "On: by the chosen method"),
        MtpReason.SWITCHED_OFF: translate("Mtp", "Off: you switched it off"),
        MtpReason.NO_LAYERS: translate("Mtp", "Off: this model has no MTP layers"),
        MtpReason.UNREAD_MODEL: translate("Mtp", "Off: file not read, MTP layers unknown"),
        MtpReason.NO_ENGINE_SUPPORT: translate("Mtp", "Off: this engine has no draft-mtp"),
        MtpReason.SUPPRESSED: translate("Mtp", "Off: suppressed by GGLIB_DISABLE_MTP"),
        MtpReason.MEASURED_FASTER: translate("Mtp", "On: measured to be faster"),
        MtpReason.MEASURED_SLOWER: translate("Mtp", "Off: measured not to be faster"),
    }[reason]


def joined(*sentences: str) -> str:
    """Sentences in one line, without empty ones."""
    return " ".join(part for part in sentences if part)
