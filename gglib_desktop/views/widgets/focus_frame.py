"""Shows which widget has the keyboard if the style does not."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QGuiApplication, QPainter, QPen
from PySide6.QtWidgets import QApplication, QWidget

from gglib_desktop.views.look.theme import focus_colour

_WIDTH = 2


def paint_focus(widget: QWidget) -> None:
    """Draws a frame along the edges of a widget. Call it while the widget is painted."""
    painter = QPainter(widget)
    pen = QPen(focus_colour(widget.palette()), _WIDTH)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    painter.setPen(pen)
    painter.drawRect(widget.rect().adjusted(1, 1, -1, -1))


def keep_focus_visible() -> None:
    """The style shows the focus on buttons only after Tab; this shows it also after a menu returned it."""
    program = QApplication.instance()
    assert isinstance(program, QApplication)
    program.focusChanged.connect(_show_focus)


@Slot(QWidget, QWidget)
def _show_focus(_old: QWidget | None, new: QWidget | None) -> None:
    if new is not None and QGuiApplication.mouseButtons() == Qt.MouseButton.NoButton:
        new.window().setAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)
        new.update()
