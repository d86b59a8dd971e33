"""Words for the result of reading a pasted command line."""

from __future__ import annotations

import re
import shlex

from PySide6.QtCore import QCoreApplication

from gglib_desktop.domain.commandline.exports.export import ExportFormat
from gglib_desktop.domain.commandline.reading import CommandLine, Note, NoteKind
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch.options import choice_names
from gglib_desktop.domain.options.engine_options import engine_options
from gglib_desktop.views.words.errors import field_name

translate = QCoreApplication.translate

_LONGEST_SHOWN = 60


def format_name(form: ExportFormat) -> str:
    """The name of a command line's format."""
    return {
        ExportFormat.SH: translate("Commands", "Line for sh, bash and zsh"),
        ExportFormat.POWERSHELL: translate("Commands", "Line for PowerShell"),
        ExportFormat.SCRIPT: translate("Commands", "Shell script"),
        ExportFormat.SYSTEMD: translate("Commands", "systemd user unit"),
        ExportFormat.DOCKER: translate("Commands", "docker run command"),
        ExportFormat.COMPOSE: translate("Commands", "docker compose file"),
        ExportFormat.KUBERNETES: translate("Commands", "Kubernetes manifest"),
        ExportFormat.LLAMA_SWAP: translate("Commands", "llama-swap configuration"),
        ExportFormat.ROUTER_PRESET: translate("Commands", "llama-server router preset"),
    }[form]


def file_name(form: ExportFormat) -> str:
    """The suggested name for a file in that format."""
    return {
        ExportFormat.SH: "llama-server.sh",
        ExportFormat.POWERSHELL: "llama-server.ps1",
        ExportFormat.SCRIPT: "llama-server.sh",
        ExportFormat.SYSTEMD: "llama-server.service",
        ExportFormat.DOCKER: "docker-run.sh",
        ExportFormat.COMPOSE: "compose.yaml",
        ExportFormat.KUBERNETES: "kubernetes.yaml",
        ExportFormat.LLAMA_SWAP: "llama-swap.yaml",
        ExportFormat.ROUTER_PRESET: "llama-server.ini",
    }[form]


def refusal_text(form: ExportFormat, error: ConfigurationError) -> str:
    """Why a command line cannot be written in a format."""
    value = str(error.value)
    shown = value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "…"
    return translate("Commands", "Not possible as {form}. {field}: “{value}” {reason}.").format(
        form=format_name(form), field=field_name(error.field), value=shown, reason=translate("Commands", error.reason)
    )


def reading_text(line: CommandLine) -> str:
    """The result of reading a command line, one line for each matter: first what the form gets, then what differs."""
    names = line.options.names
    labels = {option.name: translate("Options", option.spec.label) for option in engine_options()}
    set_fields = [labels.get(name, translate("Commands", "MTP")) for name in choice_names() if name in names]
    if set_fields:
        first = translate("Commands", "Will set: {fields}.").format(fields=", ".join(set_fields))
    else:
        first = translate("Commands", "Nothing to set in this command.")
    return "\n".join((first, *(_note_text(note) for note in line.notes)))


def _note_text(note: Note) -> str:
    # The texts around a command are whole lines, not words of one.
    words = " · ".join(note.words) if note.kind is NoteKind.AROUND else " ".join(map(_as_typed, note.words))
    return _TEMPLATES[note.kind]().format(words=words, detail=translate("Commands", note.detail) if note.detail else "")


def _as_typed(word: str) -> str:
    """With quotes only if it would be several words without."""
    return word if word and not re.search(r"\s", word) else shlex.quote(word)


_TEMPLATES = {
    NoteKind.MODEL: lambda: translate("Commands", "Ignored (model comes from the list): {words}"),
    NoteKind.TRANSLATED: lambda: translate("Commands", "Translated: {words} → {detail}"),
    NoteKind.OWNED: lambda: translate("Commands", "Ignored (managed by GGLib Desktop): {words}"),
    NoteKind.REFUSED: lambda: translate("Commands", "Ignored: {words} ({detail})"),
    NoteKind.EXTRA: lambda: translate("Commands", "Kept as extra arguments (no field for this): {words}"),
    NoteKind.UNFIT: lambda: translate("Commands", "Value not allowed; kept as extra arguments: {words} ({detail})"),
    NoteKind.DRAFTING: lambda: translate("Commands", "Kept as extra arguments: {words} ({detail})"),
    NoteKind.REPEATED: lambda: translate("Commands", "Ignored (repeated later): {words}"),
    NoteKind.UNRESOLVED: lambda: translate("Commands", "Ignored (variable not set): {words}"),
    NoteKind.UNKNOWN: lambda: translate("Commands", "Not listed by this engine; kept as extra arguments: {words}"),
    NoteKind.PLACEHOLDER: lambda: translate("Commands", "Ignored (a value to be filled in): {words}"),
    NoteKind.EMPTY: lambda: translate("Commands", "Ignored (its value is empty): {words}"),
    NoteKind.INSIDE: lambda: translate("Commands", "Kept, but this file is inside the container: {words}"),
    NoteKind.ENVIRONMENT: lambda: translate("Commands", "Ignored (environment variable): {words}"),
    NoteKind.ACCESS: lambda: translate("Commands", "API key turned on; the key in the command is not used: {words}"),
    NoteKind.AROUND: lambda: translate("Commands", "Ignored (not a llama-server option): {words}"),
}
