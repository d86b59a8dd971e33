"""The settings as a document: the text of a new file, the meaning of its keys, and the differences between two."""

from __future__ import annotations

import dataclasses
import json
import textwrap
import typing
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

from gglib_desktop.domain.documents.settings import AppSettings
from gglib_desktop.domain.errors import ConfigurationError, InvalidSettings, SettingProblem
from gglib_desktop.domain.launch.options import BUILT_IN, NO_EXTRA_ARGS
from gglib_desktop.domain.options.definition import OptionSpec
from gglib_desktop.domain.values import Limits, OneOf, Value, type_words, without_none

# The names on the way to a value: ("defaults", "context_size").
Key: TypeAlias = tuple[str, ...]
V = TypeVar("V", bound=Value)
_WIDTH = 110
_LONGEST_VALUE = 60
_SWITCH = {"on": "true", "off": "false"}
_HEAD = """\
Settings of GGLib Desktop.

Every key stands here as a comment, below what it means. To set one, remove the "#" before it.
A key that is absent has its default. Changes count as soon as the file is saved, while the program runs too.
What you write stays: when the program saves, it changes only the values that were changed in it."""
_TABLES = {
    ("defaults",): "What all models are started with, unless a model's own choices or one start's say otherwise.",
    ("defaults", "inference_config"): "Sampling, where a request does not ask for something else.",
}


@dataclasses.dataclass(frozen=True)
class UnknownKey:
    """An unknown key, and the known one that was perhaps meant. Lines count from 1."""

    key: str
    nearest: str | None = None
    line: int | None = None


@dataclasses.dataclass(frozen=True)
class SettingsReading:
    """What a document says: ``settings`` has the defaults for keys that cannot be used.

    ``content`` is the document itself, None if it could not be read. ``moved`` are the changes that turn the spelling
    of earlier versions into today's.
    """

    settings: AppSettings
    problems: tuple[SettingProblem, ...] = ()
    unknown: tuple[UnknownKey, ...] = ()
    content: bytes | None = None
    moved: Mapping[Key, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class TableReading(Generic[V]):
    """What a table says: ``value`` has the defaults for keys that cannot be used."""

    value: V
    problems: tuple[SettingProblem, ...] = ()
    unknown: tuple[UnknownKey, ...] = ()


@dataclasses.dataclass(frozen=True)
class SettingsNews:
    """News about the settings file.

    ``error``: all or part of it cannot be used. ``changed``: values that took effect while the program runs, None for
    one that was taken back. ``unknown``: keys not reported before. ``mended``: the last error is gone.
    """

    error: InvalidSettings | None = None
    changed: Mapping[Key, Any] = dataclasses.field(default_factory=dict)
    unknown: tuple[UnknownKey, ...] = ()
    mended: bool = False

    def __bool__(self) -> bool:
        return self != SettingsNews()


def read_settings(
    document: Mapping[str, Any], line_of: Callable[[Key], int | None] = lambda _key: None
) -> SettingsReading:
    """Takes each key that can be used, and reports all others. ``line_of`` gives the line of a key."""
    reading = read_table(AppSettings, document, line_of)
    defaults = reading.value.defaults.alias_moved()
    if defaults.extra_args == NO_EXTRA_ARGS:  # no layer is weaker
        defaults = defaults.replace(extra_args=())
    settings = reading.value.replace(defaults=defaults)
    return SettingsReading(settings, reading.problems, reading.unknown, moved=differences(reading.value, settings))


def read_table(
    of: type[V], document: Mapping[str, Any], line_of: Callable[[Key], int | None] = lambda _key: None
) -> TableReading[V]:
    """Like ``read_settings``, for any value whose fields all have defaults."""
    problems: list[SettingProblem] = []
    unknown: list[UnknownKey] = []

    def take(cls: type, table: Mapping[str, Any], above: Key) -> Any:
        found: dict[str, Any] = {}
        kinds = _kinds(cls)
        for name, value in table.items():
            key = (*above, name)
            if name not in kinds:
                unknown.append(UnknownKey(".".join(key), _nearest(name, of), line_of(key)))
            elif not _is_table(kinds[name]):
                try:
                    found[name] = getattr(cls(**{name: value}), name)
                except ConfigurationError as exc:
                    problems.append(SettingProblem(".".join(key), exc.reason, short_text(value), line_of(key)))
            elif not isinstance(value, Mapping):
                problems.append(SettingProblem(".".join(key), "must be a table", short_text(value), line_of(key)))
            elif (nested := take(kinds[name], value, key)) != kinds[name]():
                found[name] = nested
        return cls(**found)

    value = take(of, document, ())
    return TableReading(value, tuple(problems), tuple(unknown))


def values_of(settings: AppSettings) -> dict[Key, Any]:
    """Every value that is set, as documents hold it."""
    return dict(_flat(settings.to_mapping(), ()))


def differences(before: AppSettings, after: AppSettings) -> dict[Key, Any]:
    """The values that lead from one to the other; None takes a value back."""
    old, new = values_of(before), values_of(after)
    changed = {key: value for key, value in new.items() if old.get(key) != value}
    return changed | {key: None for key in old if key not in new}


def with_differences(settings: AppSettings, changes: Mapping[Key, Any]) -> AppSettings:
    """``settings`` with the result of ``differences``."""
    document: dict[str, Any] = {}
    for key, value in (values_of(settings) | dict(changes)).items():
        put(document, key, value)
    return read_settings(document).settings


def put(document: dict[str, Any], key: Key, value: Any) -> None:
    """Sets a value in plain nested tables, or removes it with None."""
    table = document
    for name in key[:-1]:
        table = table.setdefault(name, {})
    if value is None:
        table.pop(key[-1], None)
    else:
        table[key[-1]] = value


def value_text(value: Any) -> str:
    """A value as TOML writes it."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


# -- a new file


def documented_settings() -> str:
    """The text of a new file: every key as a comment with its meaning, its range and its default."""
    parts = [_comment(_HEAD), *_documented(AppSettings, ())]
    return "\n\n".join(parts) + "\n"


def _documented(cls: type, above: Key) -> Iterator[str]:
    """The paragraphs of one table; tables in it come last, as TOML wants it."""
    kinds = _kinds(cls)
    if above:
        yield f"[{'.'.join(above)}]\n" + _comment(_TABLES[above])
    for field in dataclasses.fields(cls):
        if not _is_table(kinds[field.name]):
            yield _documented_key(field, kinds[field.name], above)
    for name, kind in kinds.items():
        if _is_table(kind):
            yield from _documented(kind, (*above, name))


def _documented_key(field: dataclasses.Field[Any], kind: Any, above: Key) -> str:
    spec: OptionSpec | None = field.metadata.get("option")
    meaning = f"{spec.label}. {spec.help}" if spec is not None else field.metadata["meaning"]
    default = _default(field, above)
    words = spec.default if default is None and spec is not None else default
    said = [meaning, _range(kind, field.metadata.get("limits"), spec)]
    if words is not None:
        said.append(f"Default: {_SWITCH.get(words, words) if kind is bool else words}.")
    example = default if default is not None else _example(kind, field.metadata.get("limits"), spec)
    return _comment(" ".join(said)) + f"\n#{field.name} = {value_text(example)}"


def _default(field: dataclasses.Field[Any], above: Key) -> Any:
    """The program's own choice if the user makes none; None if the engine or the system decides."""
    if not above:
        return values_of(AppSettings()).get((field.name,))
    return BUILT_IN.to_mapping().get(field.name) or None


def _range(kind: Any, limits: Limits | OneOf | None, spec: OptionSpec | None) -> str:
    if typing.get_origin(kind) is tuple:
        words = "a list of texts"
    elif isinstance(limits, OneOf):
        words = str(limits)
    elif issubclass(kind, Enum):
        words = "one of " + ", ".join(str(each.value) for each in kind)
    else:
        words = type_words(kind) + (f", {limits}" if limits is not None else "")
    named = [f"{number} is {word}" for word, number in spec.words.items()] if spec is not None else []
    return "; ".join([words[0].upper() + words[1:], *named]) + "."


def _example(kind: Any, limits: Limits | OneOf | None, spec: OptionSpec | None) -> Any:
    """An example of a value."""
    default = spec.default if spec is not None else None
    if isinstance(limits, OneOf):
        return default if default in limits.choices else limits.choices[0]
    if kind is bool:
        return default != "off"
    if kind in {int, float}:
        if default is not None and default.replace(".", "", 1).isdigit():
            return json.loads(default)
        lowest = spec.lowest if spec is not None else None
        return kind(lowest if lowest is not None else getattr(limits, "minimum", None) or 0)
    if kind is Path:
        return "/path/to/it"
    return "text" if kind is str else ["--flag", "value"]


def _comment(text: str) -> str:
    lines = [line for paragraph in text.splitlines() for line in textwrap.wrap(paragraph, _WIDTH) or [""]]
    return "\n".join(f"# {line}".rstrip() for line in lines)


# -- keys


def _kinds(cls: type) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {field.name: without_none(hints[field.name]) for field in dataclasses.fields(cls)}


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Value)


def _known_keys(cls: type, above: Key = ()) -> Iterator[Key]:
    for name, kind in _kinds(cls).items():
        yield (*above, name)
        if _is_table(kind):
            yield from _known_keys(kind, (*above, name))


def _nearest(name: str, of: type) -> str | None:
    """The known key that ``name`` was perhaps meant to be, in any table."""
    import difflib

    by_name = {key[-1]: ".".join(key) for key in _known_keys(of)}
    found = difflib.get_close_matches(name.lower().replace("-", "_"), by_name, n=1, cutoff=0.7)
    return by_name[found[0]] if found else None


def _flat(table: Mapping[str, Any], above: Key) -> Iterator[tuple[Key, Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, (*above, name))
        elif value is not None and value != []:
            yield (*above, name), value


def short_text(value: Any) -> str:
    """A value in a form that fits into a line."""
    text = str(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
