"""Starting a model: at once, or through a form with options for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from gglib_desktop.domain.errors import InvalidModelFile
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import ViewModel

if TYPE_CHECKING:
    from gglib_desktop.viewmodels.launch.launch_forms import LaunchForms, Start
    from gglib_desktop.viewmodels.launch.router_form import RouterFormViewModel


class LaunchViewModel(ViewModel):
    """Starts models, and has the forms of launch options."""

    started = Signal(int)  # the id of its server, which may have been running before
    refused = Signal(int, object)  # the model's id, and InvalidModelFile

    def __init__(self, launcher: Launcher, scope: TaskScope, forms: Callable[[Start], LaunchForms]) -> None:
        """``forms`` makes them when the first one is needed, and gets the function that starts a model."""
        super().__init__(scope)
        self._launcher = launcher
        self._make_forms = forms

    @cached_property
    def forms(self) -> LaunchForms:
        return self._make_forms(self.start_now)

    def router_form(self) -> RouterFormViewModel:
        """The form of "Start router…"."""
        form = self.forms.to_start_router()
        form.started.connect(self.started)
        return form

    def start(self, model_id: int, *, another: bool = False) -> None:
        """Starts a model with the options saved for it."""
        self.run(self._start(model_id, another=another), "start")

    async def start_now(
        self, model_id: int, launch: LaunchOptions | None = None, *, another: bool = False, remember: bool = False
    ) -> None:
        """With the choices of this ``launch`` over the saved ones; ``remember`` saves them too. Raises: GglibError."""
        server_id = await self._launcher.start(model_id, launch, another=another, remember=remember)
        if server_id is not None:
            self.started.emit(server_id)

    async def _start(self, model_id: int, *, another: bool) -> None:
        try:
            await self.start_now(model_id, another=another)
        except InvalidModelFile as exc:
            self.refused.emit(model_id, exc)
