"""The key for clients: where it is kept, copying it, and making another one."""

from __future__ import annotations

from PySide6.QtCore import Signal

from gglib_desktop.domain.servers.access import KeyPlace
from gglib_desktop.ports.machine.key_store import KeyStore
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import ViewModel


class AccessViewModel(ViewModel):
    """Asks the store when told to. The key itself is passed on to be copied, and not kept here."""

    placeChanged = Signal(object)  # KeyPlace
    keyRead = Signal(str)
    renewed = Signal()

    def __init__(self, keys: KeyStore, scope: TaskScope) -> None:
        super().__init__(scope)
        self._keys = keys
        self.place: KeyPlace | None = None
        self.look = self.command(self._look, "look where the key is")
        self.copy = self.command(self._copy, "copy key")
        self.renew = self.command(self._renew, "new key")

    async def _look(self) -> None:
        self.place = await self._keys.where()
        self.placeChanged.emit(self.place)

    async def _copy(self) -> None:
        self.keyRead.emit(await self._keys.key())
        await self._look()

    async def _renew(self) -> None:
        await self._keys.renew()
        self.renewed.emit()
        await self._look()
