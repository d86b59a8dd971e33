"""The menu's commands for the current server, and which of them have an effect."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QGuiApplication

from gglib_desktop.domain.servers.states import Stopping
from gglib_desktop.viewmodels.servers.servers import ServersViewModel
from gglib_desktop.views.look.actions import Actions
from gglib_desktop.views.servers.list_view import ServerListView

if TYPE_CHECKING:
    from gglib_desktop.viewmodels.servers.endpoint import EndpointViewModel
    from gglib_desktop.viewmodels.servers.panel import PanelViewModel
    from gglib_desktop.viewmodels.servers.server import ServerViewModel
    from gglib_desktop.views.servers.panel.view import ServerPanel


class ServerCommands(QObject):
    """Made after the list of panels: it asks that list about servers that have just come or gone."""

    def __init__(self, actions: Actions, servers: ServersViewModel, panels: ServerListView) -> None:
        super().__init__(panels)
        self._actions = actions
        self._servers = servers
        self._panels = panels
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
            fold_all=servers.current.fold,
            next_server=partial(servers.current.step, 1),
            previous_server=partial(servers.current.step, -1),
        )
        servers.added.connect(self._on_added)
        servers.attached.added.connect(self._on_added)
        servers.attached.removed.connect(self._render)
        servers.removed.connect(self._render)
        servers.current.changed.connect(self._render)
        self._render()

    @property
    def _panel(self) -> ServerPanel | None:
        """Of a server of this program."""
        return self._panels.current_own

    # -- the commands

    @Slot()
    def stop(self) -> None:
        if (panel := self._panel) is not None:
            panel.orders.stop()

    @Slot()
    def restart(self) -> None:
        if (panel := self._panel) is not None:
            panel.orders.restart()

    @Slot()
    def copy_endpoint(self) -> None:
        if (panel := self._panels.current) is not None:
            panel.line.copy_endpoint()

    @Slot()
    def copy_other_endpoint(self) -> None:
        if self._panel is not None:
            QGuiApplication.clipboard().setText(self._panel.server.state.other_endpoints[0])

    @Slot()
    def copy_key(self) -> None:
        panel = self._panels.current
        key = panel.shown.api_key if panel is not None else None
        if key is not None:
            QGuiApplication.clipboard().setText(key)

    @Slot()
    def copy_command_line(self) -> None:
        if self._panel is not None:
            QGuiApplication.clipboard().setText(self._panel.server.state.command_line)

    @Slot()
    def show_log(self) -> None:
        panel = self._panel
        if panel is not None:
            self._servers.current.open(panel.server.id)
            panel.show_log()

    @Slot()
    def dismiss(self) -> None:
        """Detaches an endpoint."""
        if self._panel is not None:
            self._panel.server.dismiss()
        elif (endpoint := self._endpoint) is not None:
            endpoint.detach.trigger()

    @property
    def _endpoint(self) -> EndpointViewModel | None:
        current = self._servers.current.id
        return None if current is None else self._servers.attached.panels.get(current)

    # -- what can be done

    @Slot(object)
    def _on_added(self, server: PanelViewModel) -> None:
        server.stateChanged.connect(self._render)
        self._render()

    @Slot()
    def _render(self) -> None:
        actions, panels = self._actions, self._panels.panels.values()
        server = self._panel.server if self._panel is not None else None
        ends = server is not None and isinstance(server.state.state, Stopping)
        live = server is not None and server.state.is_live
        self._name_server(server)
        shown = self._panels.current.shown if self._panels.current is not None else None
        actions.stop.setEnabled(live and not ends)
        can_restart = server is not None and server.state.can_restart
        actions.restart.setEnabled(can_restart)
        actions.apply.setEnabled(can_restart and server is not None and server.state.can_apply)
        actions.copy_endpoint.setEnabled(shown is not None and shown.state.can_answer)
        actions.copy_other_endpoint.setEnabled(server is not None and bool(server.state.other_endpoints))
        actions.copy_key.setEnabled(shown is not None and shown.state.key_is_known)
        actions.copy_command_line.setEnabled(server is not None and bool(server.state.command_line))
        actions.show_log.setEnabled(server is not None)
        is_endpoint = shown is not None and shown.state.is_attached
        actions.dismiss.setEnabled(is_endpoint or (server is not None and not live))
        actions.dismiss.setText(self.tr("&Detach") if is_endpoint else self.tr("&Dismiss"))
        states = [panel.server.state for panel in panels]
        actions.stop_all.setEnabled(any(s.is_live and not isinstance(s.state, Stopping) for s in states))
        actions.fold_all.setEnabled(self._servers.current.is_open)
        any_panel = bool(panels) or bool(self._panels.endpoint_panels)
        actions.next_server.setEnabled(any_panel)
        actions.previous_server.setEnabled(any_panel)

    def _name_server(self, server: ServerViewModel | None) -> None:
        """Says which server would be stopped or restarted."""
        title = "" if server is None else server.state.title.replace("&", "&&")
        self._actions.stop.setText(self.tr("S&top {title}").format(title=title).rstrip())
        self._actions.restart.setText(self.tr("&Restart {title}").format(title=title).rstrip())
