"""Gives servers the names by which clients call them, so that no two of a runner's have the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from gglib_desktop.domain.options.client_names import names_in, names_said
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.domain.servers.server import ServerConfig


class ClientNames:
    """Hands out each name to one start at a time. ``ours`` gives the records of the servers that run."""

    def __init__(self, ours: Callable[[], Iterable[ServerRecord]]) -> None:
        self._ours = ours
        self._reserved: list[str] = []

    @contextmanager
    def named(self, config: ServerConfig) -> Iterator[ServerConfig]:
        """The configuration with names that no other server has; kept from other starts until the end."""
        taken = {name for record in self._ours() for name in _names_of(record)}
        named = config.named(taken | {*self._reserved})
        own = names_in(named.alias)
        self._reserved += own
        try:
            yield named
        finally:
            for name in own:
                self._reserved.remove(name)


def _names_of(record: ServerRecord) -> tuple[str, ...]:
    """As its command line says. A server that somebody else started may have them from its environment."""
    said = names_said(record.command_line)
    return said if record.owns_group else said or names_in(record.config.alias)
