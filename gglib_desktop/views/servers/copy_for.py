"""The menu that copies what another program needs to use the current server."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from gglib_desktop.views.look.actions import Actions
from gglib_desktop.views.servers.list_view import ServerListView

if TYPE_CHECKING:
    from gglib_desktop.domain.servers.snippets import ClientProgram


class CopyForMenu(QMenu):
    """Filled when there is a server. The key is told only if its entry is checked: others may read what is pasted."""

    def __init__(self, panels: ServerListView, parent: QWidget) -> None:
        super().__init__(parent)
        self._panels = panels
        self.setObjectName("copy_for")
        self.setTitle(self.tr("Copy &for"))
        self._include_key = QAction(self.tr("Include &key"), self, checkable=True)
        self._include_key.setObjectName("include_key")

    def follow(self, actions: Actions) -> None:
        """Has an effect whenever the endpoint, or the key, can be copied."""
        self._include_key.setEnabled(actions.copy_key.isEnabled())
        actions.copy_key.enabledChanged.connect(self._include_key.setEnabled)
        self._set_usable(actions.copy_endpoint.isEnabled())
        actions.copy_endpoint.enabledChanged.connect(self._set_usable)

    @Slot(bool)
    def _set_usable(self, usable: bool) -> None:
        if usable and self.isEmpty():
            self._fill()
        self.menuAction().setEnabled(usable)

    def _fill(self) -> None:
        from gglib_desktop.domain.servers.snippets import ClientProgram

        for program in ClientProgram:
            entry = self.addAction(str(program))
            entry.setObjectName(f"copy_for_{program.name.lower()}")
            entry.triggered.connect(partial(self._copy, program))
        self.addSeparator()
        self.addAction(self._include_key)

    def _copy(self, program: ClientProgram) -> None:
        from gglib_desktop.domain.servers.snippets import snippet

        panel = self._panels.current
        if panel is not None:
            with_key = self._include_key.isChecked() and self._include_key.isEnabled()
            QGuiApplication.clipboard().setText(snippet(program, panel.shown.access(with_key=with_key)))
