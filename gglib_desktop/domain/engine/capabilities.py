"""An inference engine program, and the flags that it understands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from gglib_desktop.domain.options.arguments import shell_line
from gglib_desktop.domain.options.engine_options import DRAFT_MTP

_SEVERAL_VALUES = re.compile(r"[A-Z]+( [A-Z]+)+")


class EngineSource(StrEnum):
    """Why this engine is the one in use."""

    ARGUMENT = "argument"
    ENVIRONMENT = "environment"
    SETTINGS = "settings"
    PATH = "PATH"
    PACKAGE = "package"
    MOCK = "mock"


@dataclass(frozen=True)
class EngineCapabilities:
    """The flags of one build. ``spellings`` maps every accepted spelling to all spellings of the same option.

    ``removed`` maps flags that it lists as removed to its advice about others.
    ``spec_types`` are its methods of drafting, ``load_modes`` its ways to load a model.
    ``placeholders`` are the texts for flags' values in the help, empty for a flag without a value;
    ``environment`` maps variables to the flags with the same meaning, removed ones included.
    ``has_sockets``: it can listen on a unix socket, named in place of a host.
    """

    spellings: Mapping[str, frozenset[str]] = field(default_factory=dict)
    removed: Mapping[str, str] = field(default_factory=dict)
    spec_types: frozenset[str] = frozenset()
    placeholders: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, frozenset[str]] = field(default_factory=dict)
    load_modes: frozenset[str] = frozenset()
    has_sockets: bool = False

    def supports(self, flag: str) -> bool:
        return flag in self.spellings

    def same_option(self, flag: str) -> frozenset[str]:
        """All spellings of the option that ``flag`` belongs to, itself included."""
        return self.spellings.get(flag, frozenset()) | {flag}

    def value_count(self, flag: str) -> int | None:
        """How many words after ``flag`` belong to it, None for a flag that the help does not list."""
        placeholder = self.placeholders.get(flag)
        if not placeholder:
            return None if placeholder is None else 0
        return len(placeholder.split()) if _SEVERAL_VALUES.fullmatch(placeholder) else 1

    @property
    def has_mtp(self) -> bool:
        return DRAFT_MTP in self.spec_types


@dataclass(frozen=True)
class Engine:
    """One server program of one build, checked by running it.

    ``subcommand``: the words before all flags if one program has several tools, as in ``llama serve``.
    """

    path: Path
    version: str
    capabilities: EngineCapabilities
    source: EngineSource
    subcommand: tuple[str, ...] = ()

    @property
    def command(self) -> tuple[str, ...]:
        """What starts it, before any flag."""
        return (str(self.path), *self.subcommand)


@dataclass(frozen=True)
class EngineDevice:
    """A device that an engine can compute on, by the engine's name for it."""

    name: str
    description: str
    memory_bytes: int


def is_started_by(line: str, engine: Engine) -> bool:
    """Whether a server's command line names this engine's program, with or without its full path."""
    return not line.lstrip("'").startswith("/") or line.startswith(f"{shell_line(engine.command)} ")
