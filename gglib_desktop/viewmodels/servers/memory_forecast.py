"""The expected memory of a server, to compare with the measured one."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from gglib_desktop.domain.gguf.forecast import ByteRange
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.servers.states import Healthy
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.services.servers.snapshot import ServerSnapshot
from gglib_desktop.tasks import TaskScope


class MemoryForecast(QObject):
    """The forecast for the last configuration with which a server was healthy, made once it is healthy."""

    found = Signal()

    def __init__(self, launcher: Launcher, scope: TaskScope) -> None:
        super().__init__()
        self._launcher = launcher
        self._scope = scope
        self._config: ServerConfig | None = None
        self._bytes: ByteRange | None = None

    def of(self, config: ServerConfig) -> ByteRange | None:
        """None if it belongs to another configuration, or is unknown."""
        return self._bytes if config == self._config else None

    def show(self, server: ServerSnapshot) -> None:
        """Takes the supervisor's news."""
        if isinstance(server.state, Healthy) and server.config != self._config:
            self._bytes, self._config = None, server.config
            self._scope.start(self._make(server.config), name="forecast")

    async def _make(self, config: ServerConfig) -> None:
        found = await self._launcher.forecast(config)
        if config == self._config:
            self._bytes = found
            self.found.emit()
