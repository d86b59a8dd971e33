"""The settings as a document: the text of a new file, the meaning of its keys, and the differences between two."""

from __future__ import annotations

import dataclasses
import json
import re
import textwrap
import typing
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

from gglib_desktop.domain.documents.settings import PLACE_SCHEMES, AppSettings
from gglib_desktop.domain.errors import ConfigurationError, InvalidSettings, SettingProblem
from gglib_desktop.domain.launch.options import BUILT_IN, NO_EXTRA_ARGS
from gglib_desktop.domain.options.definition import OptionSpec
from gglib_desktop.domain.values import Keys, Limits, Matching, OneOf, Value, entry_kind, type_words, without_none

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
    ("engines",): "An engine that models can choose; one such table for each that is not to be looked for, by its id "
    "as the field Engine shows it.",
    ("places",): "A place where servers run besides this computer; one such table for each. Its id is yours to choose: "
    "up to 40 of a to z, 0 to 9 and -. It must stay as it is, because models and servers name the place by it.",
    (
        "endpoints",
    ): "A server that somebody else runs, to be watched and used here; one such table for each, with an id "
    "as places have one. Its key lies in the key store, not here.",
}
_PASSWORD = re.compile(r"(?<=://)[^/\s]*(?=@)")
_EXAMPLE_ID = "my-own-id"


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
    of earlier versions into today's. ``left_out``: what is wrong with places and endpoints that are not used; it
    concerns each alone. ``settings`` lack them, but for places of a kind that another version may know.
    """

    settings: AppSettings
    problems: tuple[SettingProblem, ...] = ()
    unknown: tuple[UnknownKey, ...] = ()
    content: bytes | None = None
    moved: Mapping[Key, Any] = dataclasses.field(default_factory=dict)
    left_out: tuple[SettingProblem, ...] = ()


@dataclasses.dataclass(frozen=True)
class TableReading(Generic[V]):
    """What a table says: ``value`` has the defaults for keys that cannot be used, and lacks unusable entries."""

    value: V
    problems: tuple[SettingProblem, ...] = ()
    unknown: tuple[UnknownKey, ...] = ()
    left_out: tuple[SettingProblem, ...] = ()


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
    return SettingsReading(
        settings,
        reading.problems,
        reading.unknown,
        moved=differences(reading.value, settings),
        left_out=(*reading.left_out, *_of_unknown_kinds(settings, line_of)),
    )


def _of_unknown_kinds(settings: AppSettings, line_of: Callable[[Key], int | None]) -> Iterator[SettingProblem]:
    for place_id, place in settings.places.items():
        if place.scheme not in PLACE_SCHEMES:
            key, reason = ("places", place_id, "url"), f"must begin with {OneOf(PLACE_SCHEMES)}"
            yield SettingProblem(".".join(key), reason, short_text(place.url), line_of(key))


def read_table(
    of: type[V], document: Mapping[str, Any], line_of: Callable[[Key], int | None] = lambda _key: None
) -> TableReading[V]:
    """Like ``read_settings``, for any value whose fields all have defaults."""
    reader = _Reader(of, line_of)
    value = reader.take(of, document, ())
    return TableReading(value, tuple(reader.problems), tuple(reader.unknown), tuple(reader.left_out))


class _Reader:
    """Takes what can be used of a document of one kind, and collects the rest."""

    def __init__(self, of: type[Value], line_of: Callable[[Key], int | None]) -> None:
        self._of = of
        self._line_of = line_of
        self.problems: list[SettingProblem] = []
        self.unknown: list[UnknownKey] = []
        self.left_out: list[SettingProblem] = []

    def take(self, cls: type, table: Mapping[str, Any], above: Key) -> Any:
        found: dict[str, Any] = {}
        kinds = _kinds(cls)
        for name, value in table.items():
            key = (*above, name)
            if name not in kinds:
                self.unknown.append(UnknownKey(".".join(key), _nearest(name, self._of), self._line_of(key)))
            elif not _is_table(kinds[name]):
                try:
                    found[name] = getattr(cls(**{name: value}), name)
                except ConfigurationError as exc:
                    self.problems.append(self._problem(key, exc.reason, value))
            elif not isinstance(value, Mapping):
                self.problems.append(self._problem(key, "must be a table", value))
            elif (entry := entry_kind(kinds[name])) is not None:
                ids = next(field.metadata["limits"] for field in dataclasses.fields(cls) if field.name == name)
                found[name] = dict(self._entries(entry, ids, value, key))
            elif (nested := self.take(kinds[name], value, key)) != kinds[name]():
                found[name] = nested
        return cls(**found)

    def _entries(self, kind: type[V], ids: Keys, table: Mapping[str, Any], above: Key) -> Iterator[tuple[str, V]]:
        """Those that can be used as they are: half a place would be another one than the user meant."""
        known = _kinds(kind)
        for name, value in table.items():
            key, complaint = (*above, name), ids.complaint_about(name)
            if complaint is not None or not isinstance(value, Mapping):
                self.left_out.append(self._problem(key, complaint or "must be a table", "" if complaint else value))
                continue
            for each in value.keys() - known.keys():
                nearest = _nearest(each, kind)
                self.unknown.append(UnknownKey(".".join((*key, each)), nearest, self._line_of((*key, each))))
            try:
                yield name, kind.from_mapping(value)
            except ConfigurationError as exc:
                at = (*key, exc.field)
                self.left_out.append(self._problem(at, exc.reason, "" if exc.value is None else exc.value))

    def _problem(self, key: Key, reason: str, value: Any) -> SettingProblem:
        line = self._line_of(key)
        return SettingProblem(".".join(key), reason, short_text(value), line or self._line_of(key[:-1]))


def values_of(settings: AppSettings) -> dict[Key, Any]:
    """Every value that is set, as documents hold it."""
    return dict(_flat(settings.to_mapping(), ()))


def differences(before: AppSettings, after: AppSettings) -> dict[Key, Any]:
    """The values that lead from one to the other; None takes a value back."""
    old, new = values_of(before), values_of(after)
    changed = {key: value for key, value in new.items() if old.get(key) != value}
    gone = {key: None for key in old if key not in new}
    removed = {each for each in _entry_keys(before) if each not in _entry_keys(after)}
    return changed | {(key[:2] if key[:2] in removed else key): None for key in gone}


def _entry_keys(settings: AppSettings) -> set[Key]:
    """The tables of engines, places and endpoints, each of which is removed as a whole."""
    return {(name, each) for name in ("engines", "places", "endpoints") for each in getattr(settings, name)}


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
        if (entry := entry_kind(kind)) is not None:
            yield from _documented_entry(entry, name)
        elif _is_table(kind):
            yield from _documented(kind, (*above, name))


def _documented_entry(kind: type[Value], name: str) -> Iterator[str]:
    """All of it in comments: a table that is there is one that is meant."""
    yield _comment(_TABLES[name,]) + f"\n#[{name}.{_EXAMPLE_ID}]"
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]  # every Value is a dataclass
        if "meaning" in field.metadata:
            yield _documented_key(field, _kinds(kind)[field.name], (name, _EXAMPLE_ID))


def _documented_key(field: dataclasses.Field[Any], kind: Any, above: Key) -> str:
    spec: OptionSpec | None = field.metadata.get("option")
    limits = field.metadata.get("limits")
    meaning = f"{spec.label}. {spec.help}" if spec is not None else field.metadata["meaning"]
    default = _default(field, above)
    words = spec.default if default is None and spec is not None else default
    said = [meaning, _range(kind, limits, spec)]
    if words is not None:
        said.append(f"Default: {_SWITCH.get(words, words) if kind is bool else words}.")
    example = default if default is not None else field.metadata.get("example") or _example(kind, limits, spec)
    return _comment(" ".join(said)) + f"\n#{field.name} = {value_text(example)}"


def _default(field: dataclasses.Field[Any], above: Key) -> Any:
    """The program's own choice if the user makes none; None if the engine or the system decides."""
    if not above:
        return values_of(AppSettings()).get((field.name,))
    return BUILT_IN.to_mapping().get(field.name) or None if above[0] == "defaults" else None


def _range(kind: Any, limits: Limits | OneOf | Matching | None, spec: OptionSpec | None) -> str:
    if typing.get_origin(kind) is tuple:
        words = "a list of texts"
    elif isinstance(limits, OneOf | Matching):
        words = str(limits)
    elif issubclass(kind, Enum):
        words = "one of " + ", ".join(str(each.value) for each in kind)
    else:
        words = type_words(kind) + (f", {limits}" if limits is not None else "")
    named = [f"{number} is {word}" for word, number in spec.words.items()] if spec is not None else []
    return "; ".join([words[0].upper() + words[1:], *named]) + "."


def _example(kind: Any, limits: Limits | OneOf | Matching | None, spec: OptionSpec | None) -> Any:
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
    return entry_kind(kind) is not None or (isinstance(kind, type) and issubclass(kind, Value))


def _known_keys(cls: type, above: Key = ()) -> Iterator[Key]:
    for name, kind in _kinds(cls).items():
        yield (*above, name)
        if _is_table(kind) and entry_kind(kind) is None:
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
    """A value in a form that fits into a line, without the password in an address."""
    text = _PASSWORD.sub("…", str(value))
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
