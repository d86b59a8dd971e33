"""Finds controls in a window by their names, as people's helpers do."""

from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)

W = TypeVar("W", bound=QWidget)


def child(window: QWidget, kind: type[W], name: str) -> W:
    found = window.findChild(kind, name)
    assert found is not None, name
    return found


def button(dialog: QWidget, name: str) -> QPushButton:
    return child(dialog, QPushButton, name)


def click(qtbot, dialog: QWidget, name: str) -> None:
    qtbot.mouseClick(button(dialog, name), Qt.MouseButton.LeftButton)


def text(dialog: QWidget, name: str) -> str:
    return child(dialog, QLabel, name).text()


def assert_all_named(dialog: QWidget) -> None:
    """Every control is found from outside: by a name for people and one for us. A combo box is called by its text."""
    kinds = (QPushButton, QLineEdit, QSpinBox, QDoubleSpinBox, QCheckBox, QComboBox)
    controls = [found for kind in kinds for found in dialog.findChildren(kind)]
    for control in controls:
        if isinstance(control.parent(), QSpinBox | QDoubleSpinBox):
            continue  # the box's own line edit
        assert control.objectName(), control
        assert control.accessibleName() or isinstance(control, QComboBox), control.objectName()
