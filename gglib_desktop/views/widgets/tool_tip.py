"""Tool tips with texts from elsewhere: command lines, paths, notes, metadata."""

from __future__ import annotations

from PySide6.QtGui import QHelpEvent, Qt
from PySide6.QtWidgets import QToolTip, QWidget

_LONGEST = 2000


def show_tip(event: QHelpEvent, text: str, widget: QWidget) -> None:
    """Wraps the text and shows it as it is: Qt does not wrap plain text, and takes ``<s>`` in it for markup."""
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}…"
    shown = Qt.convertFromPlainText(text, Qt.WhiteSpaceMode.WhiteSpaceNormal) if text else ""
    QToolTip.showText(event.globalPos(), shown, widget)
