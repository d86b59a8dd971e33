"""A window as assistive technology sees it: roles and names, as a tree walked from the top."""

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QWidget

Role = QAccessible.Role


@dataclass(frozen=True)
class Seen:
    """One node. ``widget`` None: a part of a widget, a row for example. ``shown``: it is on screen."""

    role: QAccessible.Role
    name: str
    widget: QWidget | None
    shown: bool


def seen_in(top: QWidget) -> list[Seen]:
    """All nodes below a widget, itself included, in reading order."""
    return list(_walk(QAccessible.queryAccessibleInterface(top)))


def names(top: QWidget, *roles: QAccessible.Role) -> list[str]:
    """The names of all visible nodes with one of these roles."""
    return [node.name for node in seen_in(top) if node.shown and node.role in roles]


def get(top: QWidget, name: str, role: QAccessible.Role | None = None) -> QWidget:
    """The one widget on screen with this name."""
    found = [node.widget for node in seen_in(top) if node.shown and node.name == name and role in {None, node.role}]
    assert len(found) == 1, f"{len(found)} widgets are called {name!r}"
    assert found[0] is not None
    return found[0]


def _walk(node: QAccessibleInterface | None) -> Iterator[Seen]:
    if node is None or not node.isValid():
        return
    widget = node.object()
    yield Seen(
        node.role(),
        node.text(QAccessible.Text.Name),
        widget if isinstance(widget, QWidget) else None,
        not node.state().invisible,
    )
    for index in range(node.childCount()):
        yield from _walk(node.child(index))
