"""The buttons of a server's line."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QTimer, Slot
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget
from typing_extensions import override

from gglib_desktop.domain.servers.states import Stopping, Unreachable
from gglib_desktop.viewmodels.servers.server import ServerPanelState
from gglib_desktop.views.look.icons import icon
from gglib_desktop.views.widgets.buttons import named, push_button
from gglib_desktop.views.words.states import ended_text

_COPIED_MS = 1500
_GAP = 4


class LineButtons(QWidget):
    """Two columns: Copy endpoint and Stop while a server lives, Start and Dismiss when it has ended."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.copy = push_button("copyEndpoint", self.tr("Copy endpoint"), self, icon_name="copy")
        self.start = push_button("start", self.tr("Start"), self, icon_name="start")
        self.stop = push_button("stop", self.tr("Stop"), self, icon_name="stop")
        self.dismiss = named(_DismissButton(self.tr("Dismiss"), self), "dismiss", icon_name="dismiss")
        self._columns = ((self.copy, self.start), (self.stop, self.dismiss))
        self._is_short = False
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(_GAP)
        for column in self._columns:
            for button in column:
                row.addWidget(button)
        self._measure()
        self._say_again = QTimer(self, singleShot=True, interval=_COPIED_MS)
        self._say_again.timeout.connect(self._show_words)

    @property
    def stops(self) -> tuple[QWidget, ...]:
        return tuple(button for column in self._columns for button in column)

    def set_short(self, is_short: bool) -> None:
        if is_short != self._is_short:
            self._is_short = is_short
            self._show_words()

    def show_state(self, state: ServerPanelState) -> None:
        is_live, known = state.is_live, not isinstance(state.state, Unreachable)
        self.copy.setVisible(is_live)
        self.stop.setVisible(is_live)
        self.start.setVisible(not is_live and known)
        self.dismiss.setVisible(not is_live)
        self.copy.setEnabled(state.can_answer)
        self.stop.setEnabled(is_live and not isinstance(state.state, Stopping))
        self.copy.setAccessibleDescription(state.endpoint)
        self.copy.setToolTip(state.endpoint or self.copy.accessibleName())
        for button in (self.stop, self.start):
            button.setAccessibleDescription(state.title)
            button.setToolTip(f"{button.accessibleName()} {state.title}")
        if not is_live:
            text = ended_text(state.state)
            self.dismiss.setAccessibleDescription(text)
            self.dismiss.setToolTip(text)

    def say_copied(self) -> None:
        self.copy.setIcon(icon("done"))
        if not self._is_short:
            self.copy.setText(self.tr("Copied"))
        self._say_again.start()

    @Slot()
    def _show_words(self) -> None:
        self.setFixedWidth(self.narrow if self._is_short else self.wide)
        self.copy.setIcon(icon("copy"))
        for column, width in zip(self._columns, self._widths, strict=True):
            for button in column:
                button.setText("" if self._is_short else button.accessibleName())
                button.setFixedWidth(self._short_width if self._is_short else width)

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in {QEvent.Type.FontChange, QEvent.Type.StyleChange}:
            self._measure()

    def _measure(self) -> None:
        for column in self._columns:
            for button in column:
                button.setText(button.accessibleName())
        self._widths = [max(button.sizeHint().width() for button in column) for column in self._columns]
        self._short_width = self.copy.sizeHint().height() + 2 * _GAP
        self.wide = sum(self._widths) + _GAP
        self.narrow = len(self._columns) * self._short_width + _GAP
        self._show_words()


class _DismissButton(QPushButton):
    """Comes where Stop was: the second half of a double click there is not meant for it."""

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        event.accept()
