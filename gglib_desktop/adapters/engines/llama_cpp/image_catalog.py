"""Finds llama-server in an image, and reads its capabilities by running it in a container."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from gglib_desktop.adapters.engines.asking import Answer
from gglib_desktop.adapters.engines.llama_cpp.catalog import LIST_DEVICES, interview
from gglib_desktop.domain.engine.capabilities import Engine, EngineDevice, EngineSource
from gglib_desktop.domain.errors import ConfigurationError, ProcessError
from gglib_desktop.domain.llama_cpp.dialect import LlamaCppDialect
from gglib_desktop.domain.llama_cpp.help import parse_devices
from gglib_desktop.domain.servers.dialect import Dialect
from gglib_desktop.domain.servers.failures import ServerExit

_log = logging.getLogger(__name__)
# For an image whose own program is another one.
_BY_NAME = "llama-server"
# The id of the image, and the program that it runs by itself.
Image: TypeAlias = Callable[[], Awaitable[tuple[str, tuple[str, ...]]]]
# What a program of it prints.
Run: TypeAlias = Callable[[Sequence[str]], Awaitable[tuple[str, ServerExit]]]


class ImageCatalog:
    """The engine of one image. Answers are kept until there is another image of that name."""

    def __init__(self, image: Image, run: Run) -> None:
        self._image = image
        self._run = run
        self._dialect = LlamaCppDialect()
        self._known: dict[tuple[str, Path], Engine] = {}
        self._devices_of: dict[tuple[str, Path], tuple[EngineDevice, ...]] = {}

    @property
    def dialect(self) -> Dialect:
        return self._dialect

    async def find(self, configured: Path | None) -> Engine:
        if configured is not None:
            return await self._inspect(configured, EngineSource.ARGUMENT)
        _image, program = await self._image()
        try:
            return await self._inspect(Path(program[0] if program else _BY_NAME), EngineSource.PACKAGE)
        except ConfigurationError:
            if program[:1] in {(), (_BY_NAME,)}:
                raise
            return await self._inspect(Path(_BY_NAME), EngineSource.PACKAGE)

    async def inspect(self, path: Path) -> Engine:
        return await self._inspect(path, EngineSource.ARGUMENT)

    async def devices(self, engine: Engine) -> Sequence[EngineDevice]:
        if not engine.capabilities.supports(LIST_DEVICES):
            return ()
        try:
            key = ((await self._image())[0], engine.path)
            if key not in self._devices_of:
                said, _end = await self._run((*engine.command, LIST_DEVICES))
                self._devices_of[key] = parse_devices(said)
            return self._devices_of[key]
        except ProcessError as exc:
            _log.warning("no devices of %s: %s", engine.path, exc)
            return ()

    async def _inspect(self, path: Path, source: EngineSource) -> Engine:
        key = ((await self._image())[0], path)
        if key not in self._known:
            self._known[key] = await self._asked(path, source)
        return self._known[key]

    async def _asked(self, path: Path, source: EngineSource) -> Engine:
        questions = interview(path, source)
        question = next(questions)
        while True:
            command, flag = question
            answer = Answer(*await self._run((*command, flag)))
            try:
                question = questions.send(answer)
            except StopIteration as end:
                engine: Engine = end.value
                return engine
