"""What one server does now, for its line and its page."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from gglib_desktop.domain.traffic.figures import ServerFigures


class FiguresViewModel(QObject):
    """The figures of one server, new at most once a second, and at once where its activity changes."""

    stateChanged = Signal(object)  # ServerFigures

    def __init__(self) -> None:
        super().__init__()
        self._state = ServerFigures()

    @property
    def state(self) -> ServerFigures:
        return self._state

    def show(self, figures: ServerFigures) -> None:
        if figures != self._state:
            self._state = figures
            self.stateChanged.emit(figures)
