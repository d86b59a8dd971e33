"""The content of dialogs. Loaded when the first one opens: the window does not wait for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gglib_desktop.adapters.documents.preset_files import TomlPresetFiles
from gglib_desktop.adapters.documents.router_files import DiskRouterFiles
from gglib_desktop.adapters.files.home import home_folder
from gglib_desktop.adapters.files.text_files import DiskTextFiles
from gglib_desktop.adapters.gguf.header import read_header
from gglib_desktop.adapters.library.checksums import DiskChecksums
from gglib_desktop.adapters.library.library_file import LibraryFile
from gglib_desktop.adapters.library.sqlite_presets import SqlitePresetStore
from gglib_desktop.adapters.machine.memory import PsutilMemory
from gglib_desktop.adapters.machine.nvidia import NvidiaMemory
from gglib_desktop.adapters.runner.place_kinds.container import ContainerKind
from gglib_desktop.adapters.runner.place_kinds.ssh import SshKind
from gglib_desktop.adapters.ssh.askpass import Askpass
from gglib_desktop.domain.engine.capabilities import EngineSource
from gglib_desktop.domain.models.model import Model
from gglib_desktop.ports.machine.key_store import KeyStore
from gglib_desktop.ports.machine.memory_probe import GraphicsProbe
from gglib_desktop.ports.machine.ssh_questions import SshQuestions
from gglib_desktop.ports.servers.place_kind import PlaceKind
from gglib_desktop.services.advisor.advisor import Advisor
from gglib_desktop.services.launch.command_lines import CommandLines
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.services.launch.presets import Presets
from gglib_desktop.services.launch.routers import Routers
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.servers.making_room import MakingRoom
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.services.settings.places import PlacesKeeper
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.launch.launch_forms import LaunchForms, Start
from gglib_desktop.viewmodels.launch.measurements import Measurements
from gglib_desktop.viewmodels.models.model_details import DetailsSources, ModelDetailsViewModel
from gglib_desktop.viewmodels.settings.places import PlacesViewModel
from gglib_desktop.viewmodels.settings.settings_form import (
    AccessViewModel,
    ModelFoldersViewModel,
    SettingsFormViewModel,
    SettingsPages,
)


def place_kinds(data_dir: Path, settings: SettingsKeeper, questions: SshQuestions) -> Sequence[PlaceKind]:
    """Those where servers can be started, as they are added and tested."""

    def ssh_config_of(place_id: str) -> str | None:
        place = settings.current.places.get(place_id)
        return place.ssh_config if place is not None else None

    asker = Askpass(questions, os.environ)
    return (SshKind(data_dir, os.environ, asker, ssh_config_of), ContainerKind(data_dir, os.environ))


@dataclass(frozen=True)
class Dialogs:
    """The parts that dialogs need. ``keys`` None: there is no key for clients. ``place_kinds`` can be added.

    ``advisor`` None: drafting cannot be measured.
    """

    library: Library
    supervisor: Supervisor
    launcher: Launcher
    settings: SettingsKeeper
    scope: TaskScope
    library_file: LibraryFile
    router_files: Path
    keys: Callable[[], KeyStore] | None
    place_kinds: Sequence[PlaceKind] = ()
    advisor: Callable[[], Advisor] | None = None
    graphics: GraphicsProbe = field(default_factory=NvidiaMemory)

    @property
    def routers(self) -> Routers:
        return Routers(self.library, self.launcher, self.supervisor, DiskRouterFiles(self.router_files))

    def launch_forms(self, start: Start) -> LaunchForms:
        """The context of every dialog with launch options."""
        presets = Presets(SqlitePresetStore(self.library_file), TomlPresetFiles())
        return LaunchForms(
            self.library,
            self.launcher,
            self.scope,
            start=start,
            runs=self.supervisor.has_live_server,
            read_header=read_header,
            memory=PsutilMemory(),
            presets=presets,
            routers=self.routers,
            lines=CommandLines(self.launcher.engines, self.library, DiskTextFiles(), home_folder()),
            measurements=self._measurements(presets),
        )

    def _measurements(self, presets: Presets) -> Measurements | None:
        engine = self.launcher.engines.current
        if self.advisor is None or (engine is not None and engine.source is EngineSource.MOCK):
            return None
        return Measurements(self.launcher, self.advisor(), MakingRoom(self.supervisor), presets, self.scope)

    def model_details(self, model: Model) -> ModelDetailsViewModel:
        sources = DetailsSources(read_header, PsutilMemory(), self.graphics, DiskChecksums(), self.library)
        offered = self.library.companions.offered_with(model, self.library.models)
        arguments_for = self.launcher.engines.dialect.companion_arguments
        return ModelDetailsViewModel(model, sources, self.scope, {each: arguments_for(each) for each in offered})

    def settings_pages(self, forms: LaunchForms) -> SettingsPages:
        return SettingsPages(
            SettingsFormViewModel(self.settings, self.launcher, self.scope, presets=forms.presets_beside),
            ModelFoldersViewModel(self.library, self.scope),
            AccessViewModel(self.keys(), self.scope) if self.keys is not None else None,
            PlacesViewModel(self._places(), self.scope) if self.place_kinds else None,
        )

    def _places(self) -> PlacesKeeper:
        return PlacesKeeper(self.settings, self.place_kinds, self.supervisor.has_server_at)
