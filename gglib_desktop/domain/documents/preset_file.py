"""Presets as a document: the text of a preset file, and what can be read from one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from gglib_desktop.domain.documents.settings_document import UnknownKey, read_table, short_text, value_text
from gglib_desktop.domain.errors import ConfigurationError, SettingProblem
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.launch.presets import Preset

FORMAT = 1
_HEAD = """\
# Presets of GGLib Desktop: named choices for starting models.
# "Manage presets…" beside the choice of presets imports this file; a preset with a model is imported for one model."""
_PRESET_KEYS = ("name", "model", "options")

# The names and numbers on the way to a value: ("preset", 0, "options", "context_size").
Place: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True)
class FiledPreset:
    """A preset in a file. ``model`` is the name of the model that it was made for, None for all models."""

    name: str
    options: LaunchOptions
    model: str | None = None


@dataclass(frozen=True)
class PresetReading:
    """What a document says. If there is any problem, nothing in it is used."""

    presets: tuple[FiledPreset, ...] = ()
    problems: tuple[SettingProblem, ...] = ()
    unknown: tuple[UnknownKey, ...] = ()


@dataclass(frozen=True)
class ImportedPresets:
    """The result of an import: new presets under their new names, presets that already existed, and unknown keys."""

    added: tuple[Preset, ...] = ()
    same: tuple[str, ...] = ()
    unknown: tuple[UnknownKey, ...] = ()


def preset_text(presets: Sequence[FiledPreset]) -> str:
    """The text of a file, as TOML."""
    parts = [f"{_HEAD}\nformat = {FORMAT}"]
    for preset in presets:
        lines = ["[[preset]]", f"name = {value_text(preset.name)}"]
        if preset.model is not None:
            lines.append(f"model = {value_text(preset.model)}")
        parts.append("\n".join(lines))
        parts += _tables("preset.options", preset.options.to_mapping())
    return "\n\n".join(parts) + "\n"


def read_presets(
    document: Mapping[str, Any], line_of: Callable[[Place], int | None] = lambda _place: None
) -> PresetReading:
    """Reads every preset in a document, or reports all its problems. ``line_of`` gives the line of a value."""
    found = _Reader(line_of)
    found.read(document)
    if not found.presets and not found.problems:
        found.object((), "holds no presets: a preset begins with [[preset]]", "")
    return PresetReading(() if found.problems else tuple(found.presets), tuple(found.problems), tuple(found.unknown))


class _Reader:
    def __init__(self, line_of: Callable[[Place], int | None]) -> None:
        self._line_of = line_of
        self.presets: list[FiledPreset] = []
        self.problems: list[SettingProblem] = []
        self.unknown: list[UnknownKey] = []

    def object(self, place: Place, reason: str, value: Any) -> None:
        line = self._line_of(place) if place else None
        self.problems.append(SettingProblem(_key(place), reason, short_text(value), line))

    def read(self, document: Mapping[str, Any]) -> None:
        form = document.get("format")
        if type(form) is not int or form < 1:
            self.object(("format",) if "format" in document else (), _NO_FORMAT, "" if form is None else form)
        elif form > FORMAT:
            self.object(("format",), "was written by a newer version of this program", form)
        # The rest of another format cannot be judged.
        if self.problems:
            return
        self._note_unknown((), document, ("format", "preset"))
        listed = document.get("preset", [])
        if not isinstance(listed, list):
            self.object(("preset",), "must be written as [[preset]]", "")
            return
        for number, table in enumerate(listed):
            if isinstance(table, Mapping):
                self._read_preset(("preset", number), table)
            else:
                self.object(("preset", number), "must be a table", table)

    def _read_preset(self, place: Place, table: Mapping[str, Any]) -> None:
        self._note_unknown(place, table, _PRESET_KEYS)
        before = len(self.problems)
        name, model, options = table.get("name"), table.get("model"), table.get("options", {})
        if not isinstance(name, str):
            self.object((*place, "name") if name is not None else place, "needs a name, as text", name or "")
        if model is not None and not isinstance(model, str):
            self.object((*place, "model"), "must be text", model)
        if not isinstance(options, Mapping):
            self.object((*place, "options"), "must be a table", options)
        if len(self.problems) == before:
            self._take(place, str(name), model, options)

    def _take(self, place: Place, name: str, model: str | None, table: Mapping[str, Any]) -> None:
        inner = (*place, "options")
        reading = read_table(LaunchOptions, table, lambda key: self._line_of((*inner, *key)))
        self.problems += [_below(place, problem) for problem in reading.problems]
        self.unknown += [UnknownKey(_key((*inner, each.key)), each.nearest, each.line) for each in reading.unknown]
        options = reading.value.alias_moved()
        try:
            named = Preset(name, options).name
        except ConfigurationError as exc:
            at = (*place, "name") if exc.field == "preset_name" else (*inner, exc.field)
            self.object(at, exc.reason, exc.value)
        else:
            self.presets.append(FiledPreset(named, options, model))

    def _note_unknown(self, place: Place, table: Mapping[str, Any], known: Sequence[str]) -> None:
        for name in table:
            if name not in known:
                self.unknown.append(UnknownKey(_key((*place, name)), None, self._line_of((*place, name))))


_NO_FORMAT = f"is no file of presets: it does not say format = {FORMAT}"


def _below(place: Place, problem: SettingProblem) -> SettingProblem:
    return SettingProblem(_key((*place, "options", problem.key)), problem.reason, problem.value, problem.line)


def _key(place: Place) -> str:
    """The names on the way, without numbers: a line already says which of several presets it is."""
    return ".".join(str(part) for part in place if isinstance(part, str) and part)


def _tables(header: str, mapping: Mapping[str, Any]) -> Iterator[str]:
    """A table and its inner tables, without None and empty values."""
    plain = {name: value for name, value in mapping.items() if value not in (None, []) and not _is_table(value)}
    yield "\n".join([f"[{header}]", *(f"{name} = {value_text(value)}" for name, value in plain.items())])
    for name, value in mapping.items():
        if _is_table(value) and any(each is not None for each in value.values()):
            yield from _tables(f"{header}.{name}", value)


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)
