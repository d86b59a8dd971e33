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
    """Two columns, the first with Copy endpoint, as wide in all lines whatever their buttons say."""

    def __init__(self) -> None:
        super().__init__()
        self.copy = push_button("copyEndpoint", self.tr("Copy endpoint"), self, icon_name="copy")
        self._columns: tuple[tuple[QPushButton, ...], ...] = ()
        self._is_short = False
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(_GAP)
        self._say_again = QTimer(self, singleShot=True, interval=_COPIED_MS)
        self._say_again.timeout.connect(self._show_words)

    def take(self, *columns: tuple[QPushButton, ...]) -> None:
        """The buttons of each column; one of each is shown at a time."""
        self._columns = columns
        for column in columns:
            for button in column:
                self._row.addWidget(button)
        self._measure()

    @property
    def stops(self) -> tuple[QWidget, ...]:
        return tuple(button for column in self._columns for button in column)

    def set_short(self, is_short: bool) -> None:
        if is_short != self._is_short:
            self._is_short = is_short
            self._show_words()

    def show_state(self, state: ServerPanelState) -> None:
        self.copy.setEnabled(state.can_answer)
        self.copy.setAccessibleDescription(state.endpoint)
        self.copy.setToolTip(state.endpoint or self.copy.accessibleName())

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
        # A word that another line has in this column: Detach and Dismiss.
        words = ((self.tr("Copy endpoint"), self.tr("Start")), (self.tr("Dismiss"), self.tr("Detach"), self.tr("Stop")))
        self._widths = [self._widest(*each) for each in zip(self._columns, words, strict=True)]
        self._short_width = self.copy.sizeHint().height() + 2 * _GAP
        self.wide = sum(self._widths) + _GAP
        self.narrow = len(self._columns) * self._short_width + _GAP
        self._show_words()

    def _widest(self, column: tuple[QPushButton, ...], words: tuple[str, ...]) -> int:
        """Of a column: its buttons differ in nothing but their words."""
        button, metrics = column[0], self.fontMetrics()
        beside = button.sizeHint().width() - metrics.horizontalAdvance(button.text())
        return beside + max(map(metrics.horizontalAdvance, words))


class OwnButtons(LineButtons):
    """Copy endpoint and Stop while a server of this program lives, Start and Dismiss when it has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.start = push_button("start", self.tr("Start"), self, icon_name="start")
        self.stop = push_button("stop", self.tr("Stop"), self, icon_name="stop")
        self.dismiss = named(_DismissButton(self.tr("Dismiss"), self), "dismiss", icon_name="dismiss")
        self.take((self.copy, self.start), (self.stop, self.dismiss))

    @override
    def show_state(self, state: ServerPanelState) -> None:
        super().show_state(state)
        is_live, known = state.is_live, not isinstance(state.state, Unreachable)
        self.copy.setVisible(is_live)
        self.stop.setVisible(is_live)
        self.start.setVisible(not is_live and known)
        self.dismiss.setVisible(not is_live)
        self.stop.setEnabled(is_live and not isinstance(state.state, Stopping))
        for button in (self.stop, self.start):
            button.setAccessibleDescription(state.title)
            button.setToolTip(f"{button.accessibleName()} {state.title}")
        if not is_live:
            text = ended_text(state.state)
            self.dismiss.setAccessibleDescription(text)
            self.dismiss.setToolTip(text)


class AttachedButtons(LineButtons):
    """Copy endpoint and Detach."""

    def __init__(self) -> None:
        super().__init__()
        self.detach = push_button("detach", self.tr("Detach"), self, icon_name="dismiss")
        self.take((self.copy,), (self.detach,))

    @override
    def show_state(self, state: ServerPanelState) -> None:
        super().show_state(state)
        self.detach.setAccessibleDescription(state.title)
        text = self.tr("Detach {title}: it goes on, and is watched here no more")
        self.detach.setToolTip(text.format(title=state.title))


class _DismissButton(QPushButton):
    """Comes where Stop was: the second half of a double click there is not meant for it."""

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        event.accept()
