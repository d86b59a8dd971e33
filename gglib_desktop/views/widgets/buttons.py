"""Buttons with their names: an object name for us, and their text for people and for assistive technology."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtWidgets import QDialogButtonBox, QPushButton, QWidget

from gglib_desktop.views.look.icons import icon

_Button = TypeVar("_Button", bound=QPushButton)


def push_button(name: str, text: str, parent: QWidget | None = None, *, icon_name: str = "") -> QPushButton:
    """A button of a page or a panel."""
    return named(QPushButton(text, parent), name, icon_name=icon_name)


def box_button(box: QDialogButtonBox, name: str, text: str, role: QDialogButtonBox.ButtonRole) -> QPushButton:
    """A dialog's own button. Each dialog needs a default one: otherwise Enter in a field presses any button.

    ``setDefault`` has no effect unless the box already is the dialog's child.
    """
    return named(box.addButton(text, role), name)


def named(button: _Button, name: str, *, icon_name: str = "") -> _Button:
    """The same button, with its names."""
    button.setObjectName(name)
    button.setAccessibleName(button.text().replace("&", ""))
    if icon_name:
        button.setIcon(icon(icon_name))
    return button
