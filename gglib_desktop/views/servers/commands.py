"""The menu's commands for servers: which panel they are for, and which of them have an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QMenuBar, QWidget

from gglib_desktop.domain.servers.states import Stopping
from gglib_desktop.viewmodels.models.model_list import ModelListViewModel
from gglib_desktop.viewmodels.servers.servers import ServersViewModel
from gglib_desktop.views.look.actions import Actions
from gglib_desktop.views.servers.list_view import ServerListView

if TYPE_CHECKING:
    from gglib_desktop.viewmodels.servers.server import ServerViewModel
    from gglib_desktop.views.servers.panel.view import ServerPanel


class ServerCommands(QObject):
    """Made after the list of panels: it asks that list about servers that have just come or gone."""

    def __init__(
        self, actions: Actions, servers: ServersViewModel, models: ModelListViewModel, panels: ServerListView
    ) -> None:
        super().__init__(panels)
        self._actions = actions
        self._panels = panels
        self._panel: ServerPanel | None = None
        actions.connect(
            stop=self.stop,
            restart=self.restart,
            apply=self.restart,
            copy_endpoint=self.copy_endpoint,
            copy_other_endpoint=self.copy_other_endpoint,
            copy_key=self.copy_key,
            copy_command_line=self.copy_command_line,
            show_log=self.show_log,
            dismiss=self.dismiss,
            stop_all=servers.stop_all,
            fold_all=self.fold_all,
            unfold_all=self.unfold_all,
        )
        servers.added.connect(self._on_added)
        servers.removed.connect(self._render)
        models.selectionChanged.connect(self._render)
        program = QApplication.instance()
        assert isinstance(program, QApplication)
        program.focusChanged.connect(self._on_focus_changed)
        self._render()

    # -- the commands

    @Slot()
    def stop(self) -> None:
        if self._panel is not None:
            self._panel.server.stop.trigger()

    @Slot()
    def restart(self) -> None:
        if self._panel is not None:
            self._panel.server.options.restart.trigger()

    @Slot()
    def copy_endpoint(self) -> None:
        if self._panel is not None:
            self._panel.endpoint.copy_endpoint()

    @Slot()
    def copy_other_endpoint(self) -> None:
        if self._panel is not None:
            QGuiApplication.clipboard().setText(self._panel.server.state.other_endpoints[0])

    @Slot()
    def copy_key(self) -> None:
        if self._panel is not None:
            self._panel.endpoint.copy_key()

    @Slot()
    def copy_command_line(self) -> None:
        if self._panel is not None:
            QGuiApplication.clipboard().setText(self._panel.server.state.command_line)

    @Slot()
    def show_log(self) -> None:
        if self._panel is not None:
            self._panel.show_log()

    @Slot()
    def dismiss(self) -> None:
        if self._panel is not None:
            self._panel.server.dismiss()

    @Slot()
    def fold_all(self) -> None:
        self._panels.fold_all(True)

    @Slot()
    def unfold_all(self) -> None:
        self._panels.fold_all(False)

    # -- what can be done

    @Slot(object)
    def _on_added(self, server: ServerViewModel) -> None:
        server.stateChanged.connect(self._render)
        self._panels.panels[server.id].foldedChanged.connect(self._render)
        self._render()

    @Slot(QWidget, QWidget)
    def _on_focus_changed(self, _old: QWidget | None, _new: QWidget | None) -> None:
        self._render()

    @Slot()
    def _render(self) -> None:
        # Walking through the menu bar by keyboard leaves the commands with the panel that had the keyboard before.
        if not isinstance(QApplication.focusWidget(), QMenuBar) or self._panel not in self._panels.panels.values():
            self._panel = self._panels.current
        actions, panels = self._actions, self._panels.panels.values()
        server = self._panel.server if self._panel is not None else None
        ends = server is not None and isinstance(server.state.state, Stopping)
        live = server is not None and server.state.is_live
        actions.stop.setEnabled(live and not ends)
        actions.restart.setEnabled(server is not None and not ends)
        actions.apply.setEnabled(server is not None and server.state.can_apply and not ends)
        actions.copy_endpoint.setEnabled(server is not None and server.state.can_answer)
        actions.copy_other_endpoint.setEnabled(server is not None and bool(server.state.other_endpoints))
        actions.copy_key.setEnabled(server is not None and server.state.key_is_known)
        actions.copy_command_line.setEnabled(server is not None and bool(server.state.command_line))
        actions.show_log.setEnabled(server is not None)
        actions.dismiss.setEnabled(server is not None and not live)
        states = [panel.server.state for panel in panels]
        actions.stop_all.setEnabled(any(s.is_live and not isinstance(s.state, Stopping) for s in states))
        actions.fold_all.setEnabled(any(not panel.is_folded for panel in panels))
        actions.unfold_all.setEnabled(any(panel.is_folded for panel in panels))
