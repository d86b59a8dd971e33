"""The three sizes of text, all relative to the system's font, and digits that keep their columns."""

from __future__ import annotations

from enum import Enum

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication, QWidget


class TypeSize(Enum):
    """The value is the share of the system's font size."""

    TITLE = 1.25  # what a card or an empty page is about
    BODY = 1.0  # everything else
    SMALL = 0.88  # notes, units, badges: never what must be read to decide


def type_font(size: TypeSize = TypeSize.BODY, *, strong: bool = False, figures: bool = False) -> QFont:
    """The system's font in this size. With ``figures``, all digits are equally wide, so that numbers do not wobble."""
    font = QFont(QApplication.font())
    if font.pointSizeF() > 0:
        font.setPointSizeF(font.pointSizeF() * size.value)
    else:  # a system font given in pixels
        font.setPixelSize(round(font.pixelSize() * size.value))
    if strong:
        font.setWeight(QFont.Weight.DemiBold)
    if figures:
        font.setFeature(QFont.Tag("tnum"), 1)
    return font


def set_type(widget: QWidget, size: TypeSize = TypeSize.BODY, *, strong: bool = False, figures: bool = False) -> None:
    """Gives a widget one of the fonts above."""
    widget.setFont(type_font(size, strong=strong, figures=figures))
