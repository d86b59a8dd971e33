"""Gives servers the names by which clients call them, so that no two of a runner's have the same."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from gglib_desktop.domain.options.client_names import names_in
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.foreign import StatedSettings
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.ports.servers.engine_driver import EngineDriver, ProcessReader
from gglib_desktop.ports.servers.place import Place

Settings = Callable[[Sequence[str], Mapping[str, str]], StatedSettings]


class ClientNames:
    """Hands out each name to one start at a time. ``taken`` gives those of the servers that run."""

    def __init__(self, taken: Callable[[], Iterable[str]]) -> None:
        self._taken = taken
        self._reserved: list[str] = []

    @contextmanager
    def named(self, config: ServerConfig) -> Iterator[ServerConfig]:
        """The configuration with names that no other server has; kept from other starts until the end."""
        named = config.named({*self._taken(), *self._reserved})
        own = names_in(named.alias)
        self._reserved += own
        try:
            yield named
        finally:
            for name in own:
                self._reserved.remove(name)


@functools.lru_cache(maxsize=256)  # called at every key stroke in a form, for every server
def names_said(command_line: str, settings: Settings) -> tuple[str, ...]:
    """The names that a shell command line gives the server. ``settings`` reads the words of its engine."""
    try:
        words = shlex.split(command_line)
    except ValueError:
        return ()
    return names_in(settings(words, {}).alias)


def address_of(record: ServerRecord, place: Place, driver: EngineDriver, key: str | None = None) -> ServerAddress:
    """Where a server is asked from here, and by which name for its model."""
    names = names_of(record, driver.reader)
    return replace(place.reach(record, key), model=names[0] if names else "")


def names_of(record: ServerRecord, reader: ProcessReader) -> tuple[str, ...]:
    """As its command line says. A server that another program started may have them from its environment."""
    said = names_said(record.command_line, reader.settings)
    return said if record.owns_group else said or names_in(record.config.alias)
