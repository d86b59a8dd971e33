"""One server that a runner has announced, and what outlives its process and is ended with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from gglib_desktop.adapters.records.record_store import RecordStore
from gglib_desktop.domain.errors import StopFailed
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.ports.servers.engine_driver import EngineDriver
from gglib_desktop.ports.servers.place import Place, PlacedProcess
from gglib_desktop.tasks import TaskScope

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Site:
    """A place with the driver of the engine that serves there."""

    place: Place
    driver: EngineDriver


class Rest:
    """What the process started and left behind, and the servers that others started for it.

    The record stays until all of that has ended, for the next runner in case this one is left before.
    """

    def __init__(
        self,
        process: PlacedProcess,
        record: ServerRecord,
        place: Place,
        records: RecordStore,
        *,
        scope: TaskScope,
        grace_s: Callable[[], float],
    ) -> None:
        self._process = process
        self._record = record
        self._place = place
        self._records = records
        self._scope = scope
        self._grace_s = grace_s
        self._ending: asyncio.Task[None] | None = None
        self._failure: StopFailed | None = None
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def serves(self) -> bool:
        """Something that could not be ended may still serve in place of the process."""
        return self._failure is not None

    async def over(self) -> None:
        """Returns when a server behind the process has ended too, at once where there is none."""
        if self._record.behind is not None:
            await asyncio.shield(self._over)

    def forget(self) -> None:
        """Cancels the waits for its end."""
        self._over.cancel()

    def begin(self) -> asyncio.Task[None]:
        """Ends it, once; called when the process has ended."""
        if self._ending is None:
            if self._record.behind is None:
                # The group of a child ends when it is reaped.
                self._records.delete(self._record.run)
            self._ending = self._scope.start(self._end(), name="end leftovers")
        return self._ending

    async def ended(self) -> None:
        """Returns when nothing is left. Raises: StopFailed."""
        await asyncio.wait({self.begin()})
        if self._failure is not None:
            raise self._failure

    def may_be_tried_again(self) -> bool:
        """Whether something could not be ended; ``ended`` then tries it again."""
        if self._failure is None:
            return False
        self._failure, self._ending = None, None
        return True

    async def _end(self) -> None:
        try:
            await self._place.clean_up(self._record, self._process, self._grace_s())
        except StopFailed as exc:
            _log.warning("%s", exc)
            self._failure = exc
            return
        if self._record.behind is not None:
            self._records.delete(self._record.run)
            if not self._over.done():
                self._over.set_result(None)


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
