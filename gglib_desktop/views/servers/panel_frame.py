"""The frame of every panel: its line, and below it, while it is open, all the rest."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from gglib_desktop.viewmodels.servers.panel import PanelViewModel
from gglib_desktop.viewmodels.servers.server import ServerPanelState
from gglib_desktop.views.look.card import CORNER, HALF_GRID, Card
from gglib_desktop.views.servers.panel.line import Line
from gglib_desktop.views.servers.panel.line_buttons import LineButtons

_MARK_WIDTH = 4


class PanelBody(QWidget):
    """The inside of an open panel. It hears of the state while it is shown."""

    grown = Signal()  # widgets were made, which Tab is to go through before the next panel

    def show_state(self, state: ServerPanelState) -> None:
        """Takes the state: before it is shown, and when the state changes while it is shown."""


class Panel(Card):
    """Its inside is made when it is first opened. Who makes it calls ``begin``."""

    foldClicked = Signal(int)  # the server's id
    grown = Signal()  # widgets were made, which Tab is to go through before the next panel

    def __init__(self, shown: PanelViewModel, buttons: LineButtons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown = shown
        self.setObjectName(f"server{shown.id}")
        self.setContentsMargins(HALF_GRID + _MARK_WIDTH, 2, HALF_GRID, 2)
        self.line = Line(shown, buttons, self)
        self._inside: PanelBody | None = None
        self._is_current = False
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(HALF_GRID)
        self._layout.addWidget(self.line)
        shown.stateChanged.connect(self._render)
        self.line.fold.clicked.connect(self._on_fold)

    def begin(self) -> None:
        """Shows its line, once all is made that this takes."""
        self.show_open(False)
        self._render(self.shown.state)

    @property
    def is_open(self) -> bool:
        return self._inside is not None and not self._inside.isHidden()

    def show_open(self, is_open: bool) -> None:
        """Leaves only the line, or shows all and takes the height that is left."""
        inside = self._inside
        if is_open and inside is None:
            inside = self._inside = self.make_body()
            self._layout.addWidget(inside, 1)
            inside.grown.connect(self.grown)
        if inside is not None:
            if is_open:
                inside.show_state(self.shown.state)
            inside.setVisible(is_open)
        policy = QSizePolicy.Policy.Expanding if is_open else QSizePolicy.Policy.Fixed
        self.setSizePolicy(QSizePolicy.Policy.Preferred, policy)
        self.line.show_open(is_open)

    def show_current(self, is_current: bool) -> None:
        """Marks the panel that the menus' commands are for."""
        if is_current != self._is_current:
            self._is_current = is_current
            self.update()

    def make_body(self) -> PanelBody:
        """Called once."""
        raise NotImplementedError

    def show_time(self) -> None:
        """Says in the line for how long it has been so."""

    @Slot(object)
    def _render(self, state: ServerPanelState) -> None:
        self.setAccessibleName(f"Server: {state.title}")
        self.line.show_state(state)
        if self._inside is not None and self.is_open:
            self._inside.show_state(state)
        self.show_time()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._is_current:
            # In the color of the selected row in the list of models: the two belong together.
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.palette().color(QPalette.ColorRole.Highlight))
            left = 1 if self.layoutDirection() is Qt.LayoutDirection.LeftToRight else self.width() - 1 - _MARK_WIDTH
            height = self.height() - 2 * CORNER
            painter.drawRoundedRect(QRectF(left, CORNER, _MARK_WIDTH, height), _MARK_WIDTH / 2, _MARK_WIDTH / 2)

    @Slot()
    def _on_fold(self) -> None:
        self.foldClicked.emit(self.shown.id)
