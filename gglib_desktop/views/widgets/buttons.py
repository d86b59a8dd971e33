"""Buttons with their names: an object name for us, and their text for people and for assistive technology."""

from __future__ import annotations

from PySide6.QtWidgets import QDialogButtonBox, QPushButton, QWidget

from gglib_desktop.views.look.icons import icon


def push_button(name: str, text: str, parent: QWidget | None = None, *, icon_name: str = "") -> QPushButton:
    """A button of a page or a panel."""
    button = QPushButton(text, parent)
    if icon_name:
        button.setIcon(icon(icon_name))
    return _named(button, name)


def box_button(box: QDialogButtonBox, name: str, text: str, role: QDialogButtonBox.ButtonRole) -> QPushButton:
    """A dialog's own button. Each dialog needs a default one: otherwise Enter in a field presses any button.

    ``setDefault`` has no effect unless the box already is the dialog's child.
    """
    return _named(box.addButton(text, role), name)


def _named(button: QPushButton, name: str) -> QPushButton:
    button.setObjectName(name)
    button.setAccessibleName(button.text().replace("&", ""))
    return button
