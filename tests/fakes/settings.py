"""A settings store and an engine catalog without files or programs, and the settings form on top of them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from gglib_desktop.adapters.engines.llama_cpp.simulated import SIMULATED_ENGINE
from gglib_desktop.domain.documents.settings import AppSettings
from gglib_desktop.domain.documents.settings_document import SettingsReading, differences, with_differences
from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities, EngineDevice, EngineSource
from gglib_desktop.domain.errors import ConfigurationError, InvalidSettings, SettingsEffect, SettingsError
from gglib_desktop.domain.llama_cpp.dialect import LlamaCppDialect
from gglib_desktop.domain.servers.dialect import Dialect
from gglib_desktop.services.launch.engines import Engines
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.services.launch.presets import Presets
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.launch.presets import PresetsViewModel
from gglib_desktop.viewmodels.settings.settings_form import SettingsFormViewModel
from tests.fakes.library import NoModels
from tests.fakes.supervision import no_servers

FOUND = replace(
    SIMULATED_ENGINE, path=Path("/usr/bin/llama-server"), version="10434 (4a6735a)", source=EngineSource.PATH
)
WITHOUT_MTP = Engine(Path("/opt/old/llama-server"), "1", EngineCapabilities(), EngineSource.SETTINGS)


class FakeSettingsStore:
    """Keeps the settings in memory; ``problem`` is raised instead of saving. Tests write ``reading`` as users do."""

    path = Path("settings.toml")

    def __init__(self, settings: AppSettings | None = None) -> None:
        self.reading = SettingsReading(settings or AppSettings())
        self.problem: SettingsError | None = None
        self.created = False

    @property
    def settings(self) -> AppSettings:
        return self.reading.settings

    @settings.setter
    def settings(self, settings: AppSettings) -> None:
        self.reading = SettingsReading(settings)

    def load(self) -> SettingsReading:
        return self.reading

    def save(self, before: AppSettings, after: AppSettings) -> SettingsReading:
        if self.problem is not None:
            raise self.problem
        if self.reading.problems:
            raise InvalidSettings(self.path, self.reading.problems, SettingsEffect.NOT_SAVED)
        settings = with_differences(self.settings, differences(before, after))
        self.reading = replace(self.reading, settings=settings)
        return self.load()

    def create(self) -> None:
        self.created = True


class FakeEngineCatalog:
    """Knows the given engines by path, and one that it finds. Answers wait until ``gate`` is set."""

    dialect: Dialect = LlamaCppDialect()

    def __init__(self, engines: Mapping[Path, Engine] | None = None, found: Engine | None = FOUND) -> None:
        self.engines = dict(engines or {})
        self.found = found
        self.cards: tuple[EngineDevice, ...] = ()
        self.gate = asyncio.Event()
        self.gate.set()

    async def find(self, configured: Path | None) -> Engine:
        if configured is not None:
            return await self.inspect(configured)
        await self.gate.wait()
        if self.found is None:
            raise ConfigurationError("engine", None, "no llama-server found in PATH")
        return self.found

    async def devices(self, engine: Engine) -> Sequence[EngineDevice]:
        return self.cards

    async def inspect(self, path: Path) -> Engine:
        await self.gate.wait()
        if path not in self.engines:
            raise ConfigurationError("engine", str(path), "there is no such file")
        return self.engines[path]


def settings_form(
    store: FakeSettingsStore,
    catalog: FakeEngineCatalog,
    scope: TaskScope,
    *,
    engine: Engine | None = FOUND,
    presets: Presets | None = None,
    others: Mapping[str, "FakeEngineCatalog | None"] | None = None,
) -> SettingsFormViewModel:
    keeper = SettingsKeeper(store)
    # Testing an engine needs only the catalog.
    engines = Engines(catalog, keeper, lambda: others or {})
    engines.current = engine
    launcher = Launcher(cast(Library, NoModels()), no_servers(), engines, keeper, mtp_suppressed=False)
    if presets is None:
        return SettingsFormViewModel(keeper, launcher, scope)
    return SettingsFormViewModel(keeper, launcher, scope, presets=lambda form: PresetsViewModel(presets, form, scope))
