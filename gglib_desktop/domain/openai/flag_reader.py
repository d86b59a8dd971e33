"""Reads the command lines of server processes whose options are flags with one value."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gglib_desktop.domain.options.arguments import flag_of
from gglib_desktop.domain.servers.foreign import StatedSettings


@dataclass(frozen=True)
class FlagReader:
    """Implements ``ProcessReader``: which flags say what. ``key_flag`` empty: the engine has no keys."""

    names_begin: str
    program_name: str
    port_flags: Collection[str]
    model_flags: Collection[str]
    context_flag: str
    alias_flag: str = ""
    key_flag: str = ""

    @property
    def key_flags(self) -> Collection[str]:
        return frozenset({self.key_flag} - {""})

    def is_server(self, program: str, argv: Sequence[str]) -> bool:  # noqa: ARG002  # its name is enough
        return program.lower().removesuffix(".exe") == self.program_name

    def port(self, argv: Sequence[str], environment: Mapping[str, str], listening: Collection[int]) -> int | None:  # noqa: ARG002
        said = value_of(argv, self.port_flags)
        stated = int(said) if said.isascii() and said.isdigit() else None
        return stated if stated in listening else min(listening, default=stated)

    def model(self, argv: Sequence[str], environment: Mapping[str, str]) -> Path | None:  # noqa: ARG002
        named = value_of(argv, self.model_flags)
        return Path(named) if named else None

    def settings(self, argv: Sequence[str], environment: Mapping[str, str]) -> StatedSettings:
        context = value_of(argv, {self.context_flag})
        # One that names none calls its model by the end of the path.
        model = self.model(argv, environment)
        alias = value_of(argv, {self.alias_flag}) or (model.name if model is not None else "")
        return StatedSettings(context_size=int(context) if context.isdecimal() else None, alias=alias or None)

    def key(self, argv: Sequence[str], environment: Mapping[str, str]) -> str | None:  # noqa: ARG002
        return value_of(argv, self.key_flags) or None


def value_of(argv: Sequence[str], flags: Collection[str]) -> str:
    """The value of a flag, separate or after an equals sign; empty without one. The last one counts."""
    found = ""
    for word, after in zip(argv, (*argv[1:], ""), strict=False):
        _flag, equals, value = word.partition("=")
        if flag_of(word) in flags:
            found = value if equals else after
    return found
