"""The largest initial size of a window."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

# A window manager's frame around a window.
_FRAME = QSize(20, 40)


def resize_within_screen(window: QWidget, size: QSize) -> None:
    """Gives a window this size, or less if its screen has less room: large text makes screens small."""
    window.resize(size.boundedTo(window.screen().availableSize() - _FRAME))
