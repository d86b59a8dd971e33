"""Frozen values whose fields are checked at construction and which travel as JSON.

A class derives from ``Value``, is a frozen dataclass, and says each field's limits where it declares the field. Types,
limits and JSON are then handled here, so that a new field is one line.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import os
import re
import types
import typing
from collections.abc import Hashable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Self

from gglib_desktop.domain.errors import ConfigurationError


@dataclasses.dataclass(frozen=True)
class Limits:
    """A closed range of numbers, or open at its lower end; None means no limit."""

    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None

    def complaint(self, value: float) -> str | None:
        too_low = self.above is not None and not value > self.above
        below = self.minimum is not None and value < self.minimum
        beyond = self.maximum is not None and value > self.maximum
        return f"must be {self}" if too_low or below or beyond else None

    def __str__(self) -> str:
        if self.above is not None:
            return f"greater than {self.above:g}"
        if self.maximum is None:
            return f"at least {self.minimum:g}"
        return f"from {self.minimum:g} to {self.maximum:g}"


@dataclasses.dataclass(frozen=True)
class OneOf:
    """A closed set of words."""

    choices: tuple[str, ...]

    def complaint(self, value: str) -> str | None:
        return None if value in self.choices else f"must be {self}"

    def __str__(self) -> str:
        return "one of " + ", ".join(self.choices)


@dataclasses.dataclass(frozen=True)
class Matching:
    """Text of one form, which ``form`` says in words."""

    pattern: str
    form: str

    def complaint(self, value: str) -> str | None:
        return None if re.fullmatch(self.pattern, value) else f"must be {self}"

    def __str__(self) -> str:
        return self.form


@dataclasses.dataclass(frozen=True)
class Keys:
    """The keys of a mapping, each of one form and none of the ``reserved`` ones."""

    form: Matching
    reserved: frozenset[str] = frozenset()

    def complaint(self, value: Mapping[str, object]) -> str | None:
        return next(filter(None, map(self.complaint_about, value)), None)

    def complaint_about(self, key: str) -> str | None:
        return "is the program's own name" if key in self.reserved else self.form.complaint(key)


class Rule(typing.Protocol):
    """A condition for a field's value."""

    def complaint(self, value: Any) -> str | None:
        """Why the value cannot be used, None if it can."""


def limited(limits: Rule, *, default: Any = dataclasses.MISSING, meaning: str = "", example: str = "") -> Any:
    """A dataclass field whose value, unless it is None, must be within ``limits``."""
    return dataclasses.field(default=default, metadata={"limits": limits, "meaning": meaning, "example": example})


def documented(meaning: str, *, default: Any, example: object = None, limits: Rule | None = None) -> Any:
    """A dataclass field with the sentence that the settings file says about it, and an example for it."""
    return dataclasses.field(default=default, metadata={"limits": limits, "meaning": meaning, "example": example})


PORT = Limits(1024, 65535)


class Value:
    """Base of frozen dataclasses with checked fields. Raises ConfigurationError naming the field and the value."""

    def __post_init__(self) -> None:
        for name, hint, may_be_none, limits in _checks(type(self)):  # type: ignore[arg-type]  # to mypy no Hashable
            given = getattr(self, name)
            if given is None and may_be_none:
                continue
            value = _checked(name, given, hint)
            complaint = limits.complaint(value) if limits is not None else None
            if complaint:
                raise ConfigurationError(name, given, complaint)
            if value is not given:
                object.__setattr__(self, name, value)

    def replace(self, **changes: Any) -> Self:
        """A copy with other values for the named fields."""
        known = {field.name for field in _fields(type(self))}
        for name, value in changes.items():
            if name not in known:
                raise ConfigurationError(name, value, f"{type(self).__name__} has no such field")
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]

    def to_mapping(self) -> dict[str, Any]:
        """Field names and values in a form that JSON and TOML can hold."""
        return {field.name: _plain(getattr(self, field.name)) for field in _fields(type(self))}

    def to_json(self) -> str:
        # In ASCII: file names may hold bytes that are not text, and only escapes can represent those.
        return json.dumps(self.to_mapping())

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """The inverse of ``to_mapping``. Absent fields get their defaults; fields of newer versions are ignored."""
        known = {}
        for field in _fields(cls):
            if field.name in mapping:
                known[field.name] = mapping[field.name]
            elif field.default is field.default_factory is dataclasses.MISSING:
                raise ConfigurationError(field.name, None, "is required")
        return cls(**known)

    @classmethod
    def from_json(cls, text: str) -> Self:
        try:
            mapping = json.loads(text)
        except (ValueError, RecursionError) as exc:
            raise ConfigurationError(cls.__name__, text[:80], f"is not JSON: {exc}") from exc
        if not isinstance(mapping, dict):
            raise ConfigurationError(cls.__name__, text[:80], "must be a JSON object")
        return cls.from_mapping(mapping)


@functools.cache
def _checks(cls: Hashable) -> tuple[tuple[str, Any, bool, Rule | None], ...]:
    """Of each field its name, its type, whether it may be None, and its limits."""
    hints = typing.get_type_hints(cls)
    return tuple(
        (
            field.name,
            without_none(hints[field.name]),
            isinstance(hints[field.name], types.UnionType),
            field.metadata.get("limits"),
        )
        for field in _fields(cls)  # type: ignore[arg-type]  # it is a class
    )


def _fields(cls: type) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(cls)


def _plain(value: Any) -> Any:
    if isinstance(value, Value):
        return value.to_mapping()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def without_none(hint: Any) -> Any:
    """The declared type of a field, without its None."""
    if not isinstance(hint, types.UnionType):
        return hint
    (kind,) = (each for each in typing.get_args(hint) if each is not types.NoneType)
    return kind


def entry_kind(hint: Any) -> type[Value] | None:
    """The kind of the entries of a mapping of values; None if a field is no such mapping."""
    if typing.get_origin(hint) is not Mapping:
        return None
    kind: type[Value] = typing.get_args(hint)[1]
    return kind


def type_words(hint: Any) -> str:
    """The type of a value in words: ``a whole number``."""
    return _TYPE_WORDS.get(hint, str(hint.__name__))


def _checked(name: str, value: Any, hint: Any) -> Any:
    """The value as the declared type, or ConfigurationError. Accepts what JSON makes of that type."""
    if typing.get_origin(hint) is tuple:
        return _checked_tuple(name, value, typing.get_args(hint)[0])
    if typing.get_origin(hint) is Mapping:
        return _checked_mapping(name, value, typing.get_args(hint)[1])
    if hint is bool and isinstance(value, bool):
        return value
    if hint is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool) and _is_finite(value):
        return float(value)
    if hint is str and isinstance(value, str):
        return _passable(name, value)
    if hint is Path and isinstance(value, str | Path):
        return Path(_passable(name, str(value)))
    if issubclass(hint, Enum):
        return _checked_enum(name, value, hint)
    if issubclass(hint, Value):
        if isinstance(value, hint):
            return value
        if isinstance(value, Mapping):
            return hint.from_mapping(value)
    raise ConfigurationError(name, value, f"must be {type_words(hint)}")


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False  # a whole number larger than any float


_TYPE_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a finite number",
    str: "text",
    Path: "a path",
}


def _checked_tuple(name: str, value: Any, element: Any) -> tuple[Any, ...]:
    if isinstance(value, str | bytes) or not isinstance(value, list | tuple):
        raise ConfigurationError(name, value, "must be a list")
    return tuple(_checked(name, item, element) for item in value)


def _checked_mapping(name: str, value: Any, element: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigurationError(name, value, "must be a table")
    return {str(key): _checked(name, item, element) for key, item in value.items()}


def _checked_enum(name: str, value: Any, hint: type[Enum]) -> Enum:
    try:
        return hint(value)
    except ValueError as exc:
        raise ConfigurationError(name, value, "must be one of " + ", ".join(str(m.value) for m in hint)) from exc


def _passable(name: str, text: str) -> str:
    """A text that can be part of a command line. Bytes of file names that are not text are allowed."""
    if "\0" in text:
        raise ConfigurationError(name, text, "must not contain a NUL character")
    try:
        os.fsencode(text)
    except UnicodeEncodeError as exc:
        raise ConfigurationError(name, text, "must not contain half a character") from exc
    return text
