"""What a runner knows of one server that it has announced."""

from __future__ import annotations

from dataclasses import dataclass, field

from gglib_desktop.adapters.runner.rest import Rest
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.ports.servers.engine_driver import EngineDriver
from gglib_desktop.ports.servers.place import Place, PlacedProcess


@dataclass(frozen=True)
class Site:
    """A place with the driver of the engine that serves there."""

    place: Place
    driver: EngineDriver


@dataclass
class AnnouncedServer:
    """One announced server. Kept after its end, so that its log and the reason stay known."""

    handle: ProcessHandle
    record: ServerRecord
    site: Site
    process: PlacedProcess
    rest: Rest
    key: str | None = field(repr=False)
    last_ok: int | None = None
    facts: ServerFacts | None = None

    @property
    def address(self) -> ServerAddress:
        return self.site.place.reach(self.record, self.key)
