"""The servers that somebody else runs: their panels, which come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import ViewModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from gglib_desktop.services.endpoints.endpoints import Endpoints
    from gglib_desktop.services.endpoints.snapshot import EndpointEvent
    from gglib_desktop.viewmodels.servers.endpoint import EndpointViewModel


class AttachedServers(ViewModel):
    """One view-model for each panel, by its id in ``panels``. Empty until there is something to ``watch``."""

    added = Signal(object)  # EndpointViewModel
    came = Signal(int)  # its id, once it is shown
    detached = Signal(str, object)  # the name of one, and what attaches it again
    leaving = Signal(int)  # the id of a panel that is about to go
    removed = Signal(int)  # the id of a panel

    def __init__(self, scope: TaskScope) -> None:
        super().__init__(scope)
        self.panels: dict[int, EndpointViewModel] = {}
        self._endpoints: Endpoints | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._visible = True

    def watch(self, endpoints: Endpoints) -> None:
        """From now on they are shown."""
        self._endpoints = endpoints
        self._unsubscribe = endpoints.subscribe(self._on_endpoint)
        endpoints.set_visible(self._visible)
        endpoints.begin()

    def set_visible(self, visible: bool) -> None:
        """Looks at them less often while the user cannot see them."""
        self._visible = visible
        if self._endpoints is not None:
            self._endpoints.set_visible(visible)

    def close(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()

    def _on_endpoint(self, event: EndpointEvent) -> None:
        from gglib_desktop.services.endpoints.snapshot import EndpointChanged, EndpointRemoved
        from gglib_desktop.viewmodels.servers.endpoint import EndpointViewModel

        match event:
            case EndpointChanged(snapshot):
                known = self.panels.get(-snapshot.number)
                if known is not None:
                    known.show(snapshot)
                elif self._endpoints is not None:
                    endpoint = EndpointViewModel(snapshot, self._endpoints, self._scope)
                    endpoint.failed.connect(self.failed)
                    endpoint.detached.connect(self.detached)
                    self.panels[endpoint.id] = endpoint
                    self.added.emit(endpoint)
                    self.came.emit(endpoint.id)
            case EndpointRemoved(number):
                self.leaving.emit(-number)
                self.panels.pop(-number).close()
                self.removed.emit(-number)
