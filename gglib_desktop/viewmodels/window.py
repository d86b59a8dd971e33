"""The main window: models on one side, servers on the other, and what applies to both."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot

from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import ViewModel
from gglib_desktop.viewmodels.engine import EngineViewModel
from gglib_desktop.viewmodels.launch.launch import LaunchViewModel
from gglib_desktop.viewmodels.models.library import LibraryViewModel
from gglib_desktop.viewmodels.servers.foreign import ForeignViewModel
from gglib_desktop.viewmodels.servers.servers import ServersViewModel
from gglib_desktop.viewmodels.settings.settings import SettingsViewModel
from gglib_desktop.viewmodels.settings.ssh_questions import SshQuestionsViewModel

if TYPE_CHECKING:
    from gglib_desktop.viewmodels.servers.server import ServerViewModel


class WindowViewModel(ViewModel):
    """Joins the parts, opens them in order and closes them. ``failed`` reports errors in any of them.

    ``is_ready``: everything has been opened, and an engine has been looked for.
    """

    def __init__(
        self,
        scope: TaskScope,
        *,
        library: LibraryViewModel,
        launch: LaunchViewModel,
        servers: ServersViewModel,
        foreign: ForeignViewModel,
        engine: EngineViewModel,
        settings: SettingsViewModel,
        questions: SshQuestionsViewModel,
    ) -> None:
        super().__init__(scope)
        self.library = library
        self.launch = launch
        self.servers = servers
        self.foreign = foreign
        self.engine = engine
        self.settings = settings
        self.questions = questions
        self.is_ready = False
        for part in (library, launch, servers):
            part.failed.connect(self.failed)
        for started in (launch.started, foreign.adopted):
            started.connect(servers.current.open)
        # The selected model and the open panel belong together, where the model has a server.
        self._selected: int | None = None
        servers.current.opened.connect(self._select_model)
        library.models.selectionChanged.connect(self._open_server)

    def open(self, paths: Iterable[Path]) -> None:
        """Loads the library, takes over running servers, adds ``paths``, looks for an engine, and then for models."""
        self.run(self._open(tuple(paths)), "open")

    def set_visible(self, visible: bool) -> None:
        """Asks servers less often, and looks for no others, while the user cannot see the window."""
        self.servers.set_visible(visible)
        self.foreign.set_visible(visible)

    def close(self) -> None:
        for part in (self.library.models, self.foreign, self.servers, self.engine, self.settings):
            part.close()

    @Slot(object)
    def _select_model(self, server: ServerViewModel) -> None:
        """Not if a search or a filter hides it: that would have to be cleared."""
        models = self.library.models
        is_selected = models.selected is not None and models.selected.id == server.model_id
        if not is_selected and models.table.row_of(server.model_id) is not None:
            models.request(server.model_id)

    @Slot()
    def _open_server(self) -> None:
        selected = self.library.models.selected
        # The list also tells when its rows have changed.
        if selected is not None and selected.id != self._selected:
            self._selected = selected.id
            self.servers.current.open_of_model(selected.id)

    async def _open(self, paths: tuple[Path, ...]) -> None:
        self.settings.tell_news()
        self.servers.adopt()
        finding = self._scope.start(self.engine.find(), name="find engine")
        try:
            await self.library.load()
            self.servers.read_again()
            if paths:
                await self.library.add_now(paths)
        finally:
            await self.servers.adopted()
            self.foreign.begin()
            self.library.scan.trigger()
            # An engine may take a minute to list its capabilities.
            await asyncio.wait({finding})
            self.is_ready = True
