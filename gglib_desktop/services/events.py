"""Tells interested parties what happened, in order, on the event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Event = TypeVar("Event")


class EventSource(Generic[Event]):
    """Callables that receive each event."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Event], None]] = []

    def add(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Calls ``listener`` with each event from now on. Returns a function that ends that."""
        self._listeners.append(listener)

        def end() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return end

    def emit(self, event: Event) -> None:
        for listener in tuple(self._listeners):
            listener(event)
