"""The engine in force: which program starts servers, what it can do, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities, EngineDevice, is_started_by
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.ports.servers.engine_catalog import EngineCatalog
from gglib_desktop.services.events import EventSource
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper

if TYPE_CHECKING:
    from gglib_desktop.domain.servers.dialect import Dialect


class Engines:
    """Remembers the engine that the settings lead to, and tells subscribers when it changes.

    ``current`` is None until one was found; ``problem`` then says why none can be used, once that is known.
    """

    def __init__(self, catalog: EngineCatalog, settings: SettingsKeeper) -> None:
        self._catalog = catalog
        self._settings = settings
        self._events: EventSource[None] = EventSource()
        self.subscribe = self._events.add
        self.current: Engine | None = None
        self.problem: ConfigurationError | None = None

    async def find(self) -> Engine:
        """The engine in force; remembers it, or the reason why there is none. Raises: ConfigurationError."""
        before = (self.current, self.problem)
        try:
            self.current, self.problem = await self._catalog.find(self._settings.current.engine_path), None
            return self.current
        except ConfigurationError as exc:
            self.current, self.problem = None, exc
            raise
        finally:
            if (self.current, self.problem) != before:
                self._events.emit(None)

    @property
    def capabilities(self) -> EngineCapabilities:
        """The capabilities of the engine in force; empty without one."""
        return EngineCapabilities() if self.current is None else self.current.capabilities

    @property
    def dialect(self) -> Dialect:
        """The engines' words, whether one was found or not."""
        return self._catalog.dialect

    async def test(self, path: Path | None) -> Engine:
        """The engine at this path, or with None the result of a search. Raises: ConfigurationError."""
        return await (self._catalog.inspect(path) if path is not None else self._catalog.find(None))

    async def devices(self) -> Sequence[EngineDevice]:
        """The engine's devices besides the CPU."""
        return () if self.current is None else await self._catalog.devices(self.current)

    def differs_from(self, command_line: str) -> bool:
        """Whether a restart of a server that was started like this would use another engine."""
        return self.current is not None and not is_started_by(command_line, self.current)

    def unlisted_flags(self, options: LaunchOptions) -> tuple[str, ...]:
        """The extra arguments with which the engine in force will probably not start."""
        return self.dialect.unlisted_flags(options.extra_args, self.capabilities)
