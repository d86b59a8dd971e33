"""The menu that copies what another program needs to use the current server."""

from __future__ import annotations

from functools import partial

from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from gglib_desktop.domain.servers.snippets import ClientProgram, snippet
from gglib_desktop.views.look.actions import Actions
from gglib_desktop.views.servers.list_view import ServerListView


class CopyForMenu(QMenu):
    """The key is told only if its entry is checked: what is copied may be pasted where others read it."""

    def __init__(self, panels: ServerListView, parent: QWidget) -> None:
        super().__init__(parent)
        self._panels = panels
        self.setObjectName("copy_for")
        self.setTitle(self.tr("Copy &for"))
        for program in ClientProgram:
            entry = self.addAction(str(program))
            entry.setObjectName(f"copy_for_{program.name.lower()}")
            entry.triggered.connect(partial(self._copy, program))
        self.addSeparator()
        self._include_key = QAction(self.tr("Include &key"), self, checkable=True)
        self._include_key.setObjectName("include_key")
        self.addAction(self._include_key)

    def follow(self, actions: Actions) -> None:
        """Has an effect whenever the endpoint, or the key, can be copied."""
        for entry, action in ((self.menuAction(), actions.copy_endpoint), (self._include_key, actions.copy_key)):
            entry.setEnabled(action.isEnabled())
            action.enabledChanged.connect(entry.setEnabled)

    def _copy(self, program: ClientProgram) -> None:
        panel = self._panels.current
        if panel is not None:
            with_key = self._include_key.isChecked() and self._include_key.isEnabled()
            QGuiApplication.clipboard().setText(snippet(program, panel.server.access(with_key=with_key)))
