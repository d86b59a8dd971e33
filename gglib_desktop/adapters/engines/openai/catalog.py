"""Finds the programs of one kind of engine, and reads their flags by running them."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from gglib_desktop.adapters.engines.asking import Answer, CallOff, ask, in_thread, program_key, unusable
from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities, EngineDevice, EngineSource
from gglib_desktop.domain.environment import for_other_programs
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.openai.flag_dialect import FlagDialect, flags_listed


@dataclass(frozen=True)
class ProgramKind:
    """``program`` is the name of the file, and ``variable`` names one. ``subcommand``: as ``Engine``.

    ``packaged`` gives the file of an installed package, and ``version`` the version of a program. ``try_out`` finds out
    what a help does not tell. All three block.
    """

    dialect: FlagDialect
    program: str
    variable: str
    needed_flags: Sequence[str]
    version: Callable[[Path], str | None]
    packaged: Callable[[], Path | None] = lambda: None
    subcommand: tuple[str, ...] = ()
    help_flag: str = "--help"
    try_out: Callable[[Engine, Mapping[str, str], CallOff], EngineCapabilities] | None = None


@dataclass
class ProgramCatalog:
    """The ``EngineCatalog`` of one kind. Answers are kept until the file of the engine changes."""

    kind: ProgramKind
    environment: Mapping[str, str]
    _known: dict[tuple[str, int, int], Engine] = field(default_factory=dict)

    @property
    def dialect(self) -> FlagDialect:
        return self.kind.dialect

    async def find(self, configured: Path | None) -> Engine:
        named = self.environment.get(self.kind.variable)
        if named:
            try:
                return await self.inspect(Path(named), EngineSource.ENVIRONMENT)
            except ConfigurationError as exc:
                reason = f"{exc.reason}; {self.kind.variable} names it, so change or remove that variable"
                raise ConfigurationError("engine", exc.value, reason) from exc
        if configured is not None:
            return await self.inspect(configured, EngineSource.SETTINGS)
        found = await asyncio.to_thread(lambda: next(self._candidates(), None))
        if found is None:
            reason = f"no {self.kind.program} found in PATH, and none is installed with this program"
            raise ConfigurationError("engine", None, reason)
        return await self.inspect(*found)

    async def inspect(self, path: Path, source: EngineSource = EngineSource.ARGUMENT) -> Engine:
        return await in_thread(partial(self._inspect, path, source))

    async def devices(self, engine: Engine) -> Sequence[EngineDevice]:  # noqa: ARG002  # none of them lists any
        return ()

    def _candidates(self) -> Iterator[tuple[Path, EngineSource]]:
        on_path = shutil.which(self.kind.program, path=self.environment.get("PATH"))
        if on_path:
            yield Path(on_path), EngineSource.PATH
        packaged = self.kind.packaged()
        if packaged is not None:
            yield packaged, EngineSource.PACKAGE

    def _inspect(self, path: Path, source: EngineSource, call_off: CallOff) -> Engine:
        path = Path(os.path.expanduser(path)).absolute()
        key = program_key(path, self.kind.program)
        if key not in self._known:
            self._known[key] = self._asked(path, source, call_off)
        return replace(self._known[key], source=source)

    def _asked(self, path: Path, source: EngineSource, call_off: CallOff) -> Engine:
        answer = self._ask(path, call_off)
        listed = flags_listed(answer.output)
        missing = [flag for flag in self.kind.needed_flags if flag not in listed]
        if missing:
            reason = f"this program is not {self.kind.program}: its help does not list {', '.join(missing)}"
            raise unusable(path, f"{reason} ({answer.end})" if answer.end.status else reason)
        version = self.kind.version(path) or "unknown version"
        engine = Engine(path, version, EngineCapabilities(listed), source, self.kind.subcommand)
        if self.kind.try_out is None:
            return engine
        return replace(engine, capabilities=self.kind.try_out(engine, self._variables, call_off))

    def _ask(self, path: Path, call_off: CallOff) -> Answer:
        return ask((str(path), *self.kind.subcommand), self.kind.help_flag, self._variables, call_off=call_off)

    @property
    def _variables(self) -> dict[str, str]:
        return for_other_programs(self.environment, frozen=getattr(sys, "frozen", False))
