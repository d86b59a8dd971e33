"""Every error the program expects, as one tree; anything else that is raised is a bug.

GglibError
├─ ProcessError                 starting, stopping and watching servers
│  ├─ StartFailed               spawn refused or early exit, with exit status and decisive log lines
│  ├─ StopFailed                survived every signal
│  ├─ NotRunning
│  ├─ HealthCheckFailed         alive, never became ready
│  ├─ ConfigurationError        a value, a file or a flag that cannot be used; names the field and the value
│  ├─ ResourceExhausted         no free port, no memory
│  └─ RunnerUnavailable         the place where servers run cannot be used: not writable, unreachable
│     ├─ DataDirectoryInUse     another program has it
│     └─ KeyStoreError          no server that asks for a key can be started: the key can be neither read nor kept
├─ LibraryError                 the model library's storage
│  ├─ ModelInUse                a server of the model runs; names the model
│  ├─ LibrarySetAside           its file was unusable; names where it is kept. A new library is in use
│  ├─ HistoryError              the history of requests, which has a file of its own
│  │  └─ HistorySetAside        its file was unusable; names where it is kept. A new history is in use
│  └─ InvalidModelFile          not a GGUF, truncated, unreadable or gone; names the file, the offset and the reason
├─ SettingsError                the settings file cannot be read or written
│  ├─ InvalidSettings           something in it cannot be used; names each line and key, and what counts now
│  └─ PlaceInUse                servers run at the place that should be removed; names it
├─ ChatError                    a question to a model that got no answer, or only a part of one
│  ├─ NoAnswer                  the server, or the connection to it, ended before any answer
│  ├─ AnswerCut                 the server, or the connection to it, ended in mid-answer
│  └─ ChatRefused               the server refused; says why in its own words
│     ├─ PromptTooLong          names the tokens of the question and the limit
│     ├─ PicturesRefused        this model takes none
│     ├─ KeyRefused             it wants a key that is not known
│     └─ NoSuchModel            it serves no model of that name
├─ PictureUnusable              a file that cannot be sent as a picture; names the file and the reason
├─ PresetFileError              a file of presets cannot be read or written; names each line and key
└─ InvalidDraft                 a form's errors, by field

The text of an error is English and complete for logs; views word it for people from its typed fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class GglibError(Exception):
    """Base of all expected errors."""


class ProcessError(GglibError):
    """Base of what a process runner raises."""


class StartFailed(ProcessError):
    """The server could not be started or ended before it answered.

    ``exit_status`` is the wait status in Python's convention (negative: killed by that signal), None when nothing
    was spawned. ``out_of_memory``: its place ended it for the memory that it used. ``log_lines`` are the decisive
    lines of its log, oldest first; ``log_name`` is the whole log's name. ``command_line`` is the line that was run,
    without secrets.
    """

    def __init__(
        self,
        message: str,
        *,
        exit_status: int | None = None,
        out_of_memory: bool = False,
        log_lines: Sequence[str] = (),
        log_name: str = "",
        command_line: str = "",
    ) -> None:
        self.exit_status = exit_status
        self.out_of_memory = out_of_memory
        self.command_line = command_line
        self.log_lines = tuple(log_lines)
        self.log_name = log_name
        super().__init__("\n".join([message, *self.log_lines]))
        self.summary = message


class StopFailed(ProcessError):
    """The process survived every signal within its time."""


class NotRunning(ProcessError):
    """There is no such process any more (or there never was)."""


class HealthCheckFailed(ProcessError):
    """The process lives but never became ready."""


class ConfigurationError(ProcessError):
    """A value cannot be used. ``field`` is the name in ServerConfig (or settings), ``value`` the given value."""

    def __init__(self, field: str, value: object, reason: str) -> None:
        self.field = field
        self.value = value
        self.reason = reason
        super().__init__(f"{field}: {reason} (got {value!r})")


class ResourceExhausted(ProcessError):
    """Something finite is used up: a port, a port range, memory."""


class PortTaken(ResourceExhausted):
    """The requested port is in use; ``owner`` names the program and pid when the system reveals them."""

    def __init__(self, port: int, owner: str | None) -> None:
        self.port = port
        self.owner = owner
        super().__init__(f"port {port} is in use by {owner or 'another program'}")


class RunnerUnavailable(ProcessError):
    """The place where servers run cannot be used now. The outcome of a request is unknown."""


class DataDirectoryInUse(RunnerUnavailable):
    """Another program holds the lock of the data directory, and may release it."""


class KeyStoreError(RunnerUnavailable):
    """The key that clients show to servers can be neither read nor kept."""


class LibraryError(GglibError):
    """The model library's storage failed."""


class LibrarySetAside(LibraryError):
    """The library's file was unusable. It is kept as ``kept``, and a new one is in use."""

    def __init__(self, path: Path, kept: Path, reason: str) -> None:
        self.path = path
        self.kept = kept
        super().__init__(_set_aside("library", path, kept, reason))


class HistoryError(LibraryError):
    """The history of requests cannot be used. Nothing is recorded until it can be again."""


class HistorySetAside(HistoryError):
    """The file of the history was unusable. It is kept as ``kept``, and a new one is in use."""

    def __init__(self, path: Path, kept: Path, reason: str) -> None:
        self.path = path
        self.kept = kept
        super().__init__(_set_aside("history of requests", path, kept, reason))


def _set_aside(what: str, path: Path, kept: Path, reason: str) -> str:
    return f"the {what} {path} cannot be read ({reason}); it is kept as {kept}, and a new one is in use"


class ModelInUse(LibraryError):
    """A model cannot leave the list while a server of it runs."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"a server of {name} runs; stop its server first")


class InvalidModelFile(LibraryError):
    """A file that cannot be used as a model. ``offset`` is the byte where reading failed, None when it never began."""

    def __init__(self, path: Path, reason: str, *, offset: int | None = None) -> None:
        self.path = path
        self.reason = reason
        self.offset = offset
        where = "" if offset is None else f" at byte {offset}"
        super().__init__(f"{path}: {reason}{where}")


class SettingsError(GglibError):
    """The settings file cannot be read or written; the settings in force stay as they were."""


@dataclass(frozen=True)
class SettingProblem:
    """Why a key in the settings file cannot be used. ``key`` is empty if it is not about one; lines count from 1."""

    key: str
    reason: str
    value: str = ""
    line: int | None = None

    def __str__(self) -> str:
        where = f"line {self.line}" if self.line is not None else ""
        got = f" (got {self.value})" if self.value else ""
        return ": ".join(part for part in (where, self.key, self.reason + got) if part)


class SettingsEffect(StrEnum):
    """What the program does about an unusable settings file."""

    LAST_GOOD = "the last good settings stay in force"
    OTHERS_COUNT = "what cannot be used has its default"
    DEFAULTS = "all settings have their defaults"
    LEFT_OUT = "the places and endpoints with an error are not used"
    NOT_SAVED = "nothing was saved"


class InvalidSettings(SettingsError):
    """Something in the settings file cannot be used. The file is left as it is."""

    def __init__(self, path: Path, problems: Sequence[SettingProblem], effect: SettingsEffect) -> None:
        self.path = path
        self.problems = tuple(problems)
        self.effect = effect
        super().__init__(f"{path}: {'; '.join(map(str, self.problems))}: {effect}")


class PlaceInUse(SettingsError):
    """A place cannot be removed while servers run there."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"servers run at {name}; stop them first")


class PresetFileError(GglibError):
    """A file of presets cannot be read or written; nothing has changed."""

    def __init__(self, path: Path, problems: Sequence[SettingProblem]) -> None:
        self.path = path
        self.problems = tuple(problems)
        super().__init__(f"{path}: {'; '.join(map(str, self.problems))}")


class ChatError(GglibError):
    """A question to a model got no answer, or only a part of one."""


class NoAnswer(ChatError):
    """The server, or the connection to it, ended before the answer began."""


class AnswerCut(ChatError):
    """The server, or the connection to it, ended before the answer did."""


class ChatRefused(ChatError):
    """The server refused a question. ``reason`` is what it said, ``status`` the number of its answer if it has one."""

    status: int | None = None

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the server refused: {reason}")


class PromptTooLong(ChatRefused):
    """The question with all that came before it has ``tokens`` tokens, and the context ``limit``."""

    def __init__(self, reason: str, tokens: int, limit: int) -> None:
        self.tokens = tokens
        self.limit = limit
        super().__init__(reason)


class PicturesRefused(ChatRefused):
    """The model takes no pictures, as it is served."""


class KeyRefused(ChatRefused):
    """The server wants a key, and another one than is known, if any is."""


class NoSuchModel(ChatRefused):
    """The server serves no model of the name that was asked for."""


class PictureUnusable(GglibError):
    """A file cannot be sent as a picture."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"{name}: {reason}")


class InvalidDraft(GglibError):
    """A form holds values that cannot be used: one message per field name."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)
        super().__init__("; ".join(f"{name}: {text}" for name, text in self.fields.items()))
