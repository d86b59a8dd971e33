"""Reads and operates a running program as a screen reader does, by accessible names, over AT-SPI.

Runs on the system's Python, which has the AT-SPI bindings; so nothing of the project is imported here.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import gi

warnings.filterwarnings("ignore", category=DeprecationWarning)
gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

T = TypeVar("T")
_PAUSE_S = 0.03
# Only ends a scenario that hangs.
DEADLINE_S = 60.0
# Tables are searched by their rows alone: a log has thousands of them.
_TABLES = {"table", "tree table", "list", "list box"}


def eventually(look: Callable[[], T | None], within_s: float, otherwise: Callable[[], str]) -> T:
    """The first true result of ``look``; AssertionError with the words of ``otherwise`` when time is up."""
    deadline = time.monotonic() + within_s
    while True:
        began_at = time.monotonic()
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, otherwise()
        # Half of the time is left to the program, which answers for its whole window.
        time.sleep(max(_PAUSE_S, time.monotonic() - began_at))


class Node:
    """One thing on the screen."""

    def __init__(self, accessible: Any) -> None:
        self._it = accessible

    @property
    def name(self) -> str:
        return self._ask(self._it.get_name, "")

    @property
    def role(self) -> str:
        return self._ask(self._it.get_role_name, "")

    @property
    def object_name(self) -> str:
        return self._ask(self._it.get_accessible_id, "").rpartition(".")[2]

    @property
    def description(self) -> str:
        return self._ask(self._it.get_description, "")

    def has(self, state: Any) -> bool:
        return bool(self._ask(lambda: self._it.get_state_set().contains(state), False))

    @property
    def is_enabled(self) -> bool:
        return self.has(Atspi.StateType.ENABLED)

    @property
    def children(self) -> Iterator[Node]:
        yield from self._first(self._ask(self._it.get_child_count, 0))

    def _first(self, count: int) -> Iterator[Node]:
        for index in range(count):
            child = self._ask(partial(self._it.get_child_at_index, index), None)
            if child is not None:
                yield Node(child)

    @property
    def _searched(self) -> Iterator[Node]:
        """Each question takes both sides time, so what has no children is not asked for its role."""
        count = self._ask(self._it.get_child_count, 0)
        if count and self.role not in _TABLES:
            yield from self._first(count)

    def below(self, *, hidden: bool = False) -> Iterator[Node]:
        """Everything under this, near things first; what is not showing only when ``hidden``."""
        near = list(self.children)
        while near:
            node = near.pop(0)
            if not hidden and not node.has(Atspi.StateType.SHOWING):
                continue
            yield node
            near.extend(node._searched)

    def look_for(self, name: str, *, hidden: bool = False) -> Node | None:
        """By accessible name, or its beginning when ``name`` ends with ``*``."""
        for node in self.below(hidden=hidden):
            said = node.name
            if said == name or (name.endswith("*") and said.startswith(name[:-1])):
                return node
        return None

    def get(self, name: str, within_s: float = DEADLINE_S) -> Node:
        return eventually(lambda: self.look_for(name), within_s, lambda: f"nothing named {name!r}:\n{self.tree()}")

    def wait_gone(self, name: str, within_s: float = DEADLINE_S) -> None:
        eventually(lambda: self.look_for(name) is None, within_s, lambda: f"{name!r} is still there")

    def wait_name(self, name: str, within_s: float = DEADLINE_S) -> None:
        """Until this very thing has the name, as a health label does when the state changes."""
        eventually(lambda: self.name == name, within_s, lambda: f"reads {self.name!r}, not {name!r}")

    def press(self, within_s: float = DEADLINE_S) -> None:
        eventually(lambda: self.is_enabled, within_s, lambda: f"{self.name!r} is not enabled")
        action = self._it.get_action_iface()
        names = [action.get_action_name(index) for index in range(action.get_n_actions())]
        wanted = next(name for name in ("Press", "Toggle", "ShowMenu") if name in names)
        action.do_action(names.index(wanted))

    def set_value(self, value: float) -> None:
        Atspi.Value.set_current_value(self._it.get_value_iface(), value)

    @property
    def value(self) -> float:
        return float(Atspi.Value.get_current_value(self._it.get_value_iface()))

    @property
    def text(self) -> str:
        return str(Atspi.Text.get_text(self._it.get_text_iface(), 0, -1))

    def set_text(self, text: str) -> None:
        Atspi.EditableText.set_text_contents(self._it.get_editable_text_iface(), text)

    def row(self, begins_with: str, within_s: float = DEADLINE_S) -> Node:
        return eventually(
            lambda: next((row for row in self.children if row.name.startswith(begins_with)), None),
            within_s,
            lambda: f"no row {begins_with!r} among {[row.name for row in self.children]}",
        )

    def select(self, row: Node) -> None:
        selection = self._it.get_selection_iface()
        Atspi.Selection.clear_selection(selection)
        Atspi.Selection.select_child(selection, row._it.get_index_in_parent())

    @property
    def is_selected(self) -> bool:
        return self.has(Atspi.StateType.SELECTED)

    def choose(self, *titles: str) -> None:
        """Presses an entry of the menu bar, by the titles on the way to it."""
        place = self
        for title in titles:
            place = eventually(partial(place._entry, title), DEADLINE_S, partial("no menu entry {!r}".format, title))
        place.press()

    def _entry(self, title: str) -> Node | None:
        entries = (node for node in self.below(hidden=True) if node.role in {"menu item", "menu"})
        return next((node for node in entries if node.name == title), None)

    def tree(self, depth: int = 0) -> str:
        lines = ["  " * depth + f"[{self.role}] {self.name!r} #{self.object_name}"]
        if self.role not in _TABLES:
            lines += [child.tree(depth + 1) for child in self.children if child.has(Atspi.StateType.SHOWING)]
        return "\n".join(lines)

    @staticmethod
    def _ask(question: Callable[[], T | None], otherwise: T) -> T:
        """Things vanish while one looks at them; that is no error."""
        try:
            answer = question()
        except GLib.Error:
            return otherwise
        return otherwise if answer is None else answer


def find_program(title: str, pid: int, within_s: float = DEADLINE_S) -> Node:
    """The program with this process id, once its window with this title is there."""
    Atspi.init()
    # A busy machine is slow to answer, which would read as an empty name.
    Atspi.set_timeout(int(DEADLINE_S * 1000), int(DEADLINE_S * 1000))

    def look() -> Node | None:
        for program in Node(Atspi.get_desktop(0)).children:
            if program._it.get_process_id() == pid and any(window.name == title for window in program.children):
                return program
        return None

    return eventually(look, within_s, lambda: f"no window {title!r} of process {pid}")
