"""The engine in force: which program starts servers, what it can do, or why there is none."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from gglib_desktop.domain.documents.settings import PlaceSettings
from gglib_desktop.domain.engine.capabilities import Engine, EngineDevice, is_started_by
from gglib_desktop.domain.errors import ConfigurationError, ProcessError
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.ports.servers.engine_catalog import EngineCatalog
from gglib_desktop.services.events import EventSource
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper

if TYPE_CHECKING:
    from gglib_desktop.domain.launch.engine_choice import EngineChoice
    from gglib_desktop.domain.servers.dialect import Dialect


AskPlace: TypeAlias = Callable[[str, str | None], Awaitable[Engine]]


class Engines:
    """Remembers the engine that the settings lead to, and tells subscribers when it changes.

    ``current`` is None until one was found; ``problem`` then says why none can be used, once that is known. Where
    configurations can choose among several engines, that one is the first of them.
    """

    def __init__(
        self,
        catalog: EngineCatalog,
        settings: SettingsKeeper,
        others: Callable[[], Mapping[str, EngineCatalog | None]] = dict,
        *,
        ask_place: AskPlace | None = None,
    ) -> None:
        """``others`` gives the catalogs of all engines to choose from by their ids, the first one None.

        ``ask_place`` asks another place than this computer for its engine, None means its own one. Raises:
        ProcessError.
        """
        self._ask_place = ask_place
        self._there: dict[tuple[str, str | None, PlaceSettings], Engine | ConfigurationError] = {}
        self._catalog = catalog
        self._settings = settings
        self._others = others
        self._found: dict[tuple[str, Path | None], Engine | ConfigurationError] = {}
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

    async def find_chosen(self, engine: str | None) -> None:
        """Looks for the engine that is chosen, if that is not known yet. ``choice`` then has it, or the problem."""
        catalog = self._others().get(engine or "") if engine is not None else None
        if catalog is None:
            if self.current is None:
                with contextlib.suppress(ConfigurationError):
                    await self.find()
            return
        assert engine is not None
        key = self._key(engine)
        before = self._found.get(key)
        try:
            self._found[key] = await catalog.find(key[1])
        except ConfigurationError as exc:
            self._found[key] = exc
        if self._found[key] != before:
            self._events.emit(None)

    async def find_at(self, place: str, engine: str | None) -> None:
        """Asks a place, if it is not known yet what it has. One that does not answer is left unknown."""
        settings = self._settings.current.places.get(place)
        if self._ask_place is None or settings is None or (place, engine, settings) in self._there:
            return
        found: Engine | ConfigurationError
        try:
            found = await self._ask_place(place, engine)
        except ConfigurationError as exc:
            found = exc
        except ProcessError:
            return
        self._there[place, engine, settings] = found
        self._events.emit(None)

    def at(self, place: str, engine: str | None) -> Engine | ConfigurationError | None:
        """The engine of a place, or why it has none that can be used; None while that is not known."""
        settings = self._settings.current.places.get(place)
        return self._there.get((place, engine, settings)) if settings is not None else None

    def is_known(self, engine: str | None) -> bool:
        """Whether the chosen engine was looked for."""
        catalog = self._others().get(engine or "") if engine is not None else None
        return (
            self.current is not None or self.problem is not None
            if catalog is None
            else self._key(engine or "") in self._found
        )

    def other(self, engine: str | None) -> str:
        """The id of an engine that is not the place's own; empty for that one."""
        return engine if engine is not None and engine != next(iter(self._others()), engine) else ""

    def choices(self) -> Mapping[str, EngineChoice]:
        """Those to choose from, by their ids; none where there is but one."""
        return {each: self.choice(each) for each in self._others()}

    def choice(self, engine: str | None) -> EngineChoice:
        """What is known of the chosen engine; None, and one that is not known, is the place's own."""
        from gglib_desktop.domain.launch.engine_choice import EngineChoice

        catalog = self._others().get(engine or "") if engine is not None else None
        if catalog is None or engine is None:
            return EngineChoice(self.dialect, self.current, self.problem.reason if self.problem is not None else None)
        found = self._found.get(self._key(engine))
        if isinstance(found, ConfigurationError):
            return EngineChoice(catalog.dialect, problem=found.reason)
        return EngineChoice(catalog.dialect, found)

    def _key(self, engine: str) -> tuple[str, Path | None]:
        """What was found counts until the settings name another program."""
        return engine, self._settings.current.engine_path_of(engine)

    @property
    def dialect(self) -> Dialect:
        """The engines' words, whether one was found or not."""
        return self._catalog.dialect

    async def test(self, path: Path | None, engine: str | None = None) -> Engine:
        """The engine at this path, or with None the result of a search. Raises: ConfigurationError."""
        catalog = (self._others().get(engine) if engine is not None else None) or self._catalog
        return await (catalog.inspect(path) if path is not None else catalog.find(None))

    async def devices(self) -> Sequence[EngineDevice]:
        """The engine's devices besides the CPU."""
        return () if self.current is None else await self._catalog.devices(self.current)

    def differs_from(self, command_line: str, chosen: str | None = None) -> bool:
        """Whether a restart of a server that was started like this would use another program."""
        engine = self.choice(chosen).engine
        return engine is not None and not is_started_by(command_line, engine)

    def unlisted_flags(self, options: LaunchOptions) -> tuple[str, ...]:
        """The extra arguments with which the engine in force will probably not start."""
        choice = self.choice(options.engine)
        return choice.dialect.unlisted_flags(options.extra_args, choice.capabilities)
