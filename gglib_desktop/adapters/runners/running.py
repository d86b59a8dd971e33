"""What a runner knows of one server that it has announced."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

from gglib_desktop.adapters.machine.threads import InThread
from gglib_desktop.adapters.runners import processes
from gglib_desktop.adapters.runners.processes import ServerProcess
from gglib_desktop.adapters.runners.records import ServerRecord
from gglib_desktop.adapters.runners.rest import Rest
from gglib_desktop.domain.errors import KeyStoreError
from gglib_desktop.domain.servers.access import ServerAddress, needs_key
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.ports.machine.key_store import KeyStore


@dataclass
class RunningServer:
    """One announced server. Kept after its end, so that its log and the reason stay known."""

    handle: ProcessHandle
    record: ServerRecord
    process: ServerProcess
    rest: Rest
    key: str | None = field(repr=False)
    last_ok: int | None = None
    facts: ServerFacts | None = None

    @property
    def address(self) -> ServerAddress:
        return self.record.address(self.key)


async def key_asked_by(record: ServerRecord, keys: KeyStore, in_thread: InThread) -> str | None:
    """The key of a server that runs; it may be an earlier one than the one that is kept now."""
    assert record.pid is not None
    key = await in_thread(processes.key_of, record.pid)
    if key is None and record.owns_group and needs_key(record.config):
        with contextlib.suppress(KeyStoreError):
            return await keys.key()
    return key
