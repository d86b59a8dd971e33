"""The order in which Tab goes through widgets that are made late."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def tab_after(before: QWidget, part: QWidget) -> None:
    """Tab goes from ``before`` through ``part``, in the order in which that was made; then on as it went.

    Qt puts new widgets last in their window.
    """
    for widget in _stops(part):
        QWidget.setTabOrder(before, widget)
        before = widget


def _stops(part: QWidget) -> list[QWidget]:
    found: list[QWidget] = []
    widget: QWidget | None = part
    while widget is not None:
        # One with a proxy is a part of another, as the line of a spin box.
        is_stop = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.focusProxy() is None
        if is_stop and (widget is part or part.isAncestorOf(widget)):
            found.append(widget)
        widget = widget.nextInFocusChain()
        if widget is part:
            break
    return found
