"""The order in which Tab goes through the panels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


class PanelTabs:
    """From line to line, and after the line of the open panel through what is in it, whenever that was made.

    Qt puts new widgets last in their window. Nothing here walks along Qt's chain: PySide takes what
    ``nextInFocusChain()`` returns for a child of what was asked, and destroys it with that.
    """

    def __init__(self, area: QWidget) -> None:
        self._area = area
        self._first, self._last = _Mark(area), _Mark(area)

    def arrange(self, lines: Sequence[Sequence[QWidget]], open_line: int | None) -> QWidget:
        """``lines`` are the stops of each line. Returns the last stop of all."""
        # To the end of the chain, behind everything that was made since.
        self._last.setParent(None)
        self._last.setParent(self._area)
        count = len(lines) if open_line is None else open_line + 1
        _chain(self._first, (stop for line in lines[:count] for stop in line))
        return _chain(self._last, (stop for line in lines[count:] for stop in line))


def _chain(last: QWidget, stops: Iterable[QWidget]) -> QWidget:
    for stop in stops:
        QWidget.setTabOrder(last, stop)
        last = stop
    return last


class _Mark(QWidget):
    """A place in the chain, which is never shown."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.hide()
