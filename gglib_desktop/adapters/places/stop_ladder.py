"""Ends a process: politely, then firmly, then by force, each within its time.

llama-server b10434 hangs for ever when SIGTERM meets a request in flight, and ends at once on the second one.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Protocol, runtime_checkable

from gglib_desktop.domain.documents.settings import SECOND_GRACE_S
from gglib_desktop.domain.errors import StopFailed
from gglib_desktop.domain.servers.failures import StopRung
from gglib_desktop.ports.servers.place import PlacedProcess

_REAP_S = 3.0
_IDLE_S = 1.0
_TICK_S = 0.1
# Whether the port of the server is free again.
IsFree = Callable[[], Awaitable[bool]]


@runtime_checkable
class OwnLadder(Protocol):
    """A process whose place climbs the ladder by itself, so that no link that is lost leaves half of it."""

    async def stop(self, grace_s: float) -> None: ...


async def stop_process(process: PlacedProcess, *, is_free: IsFree, grace_s: float) -> None:
    """Climbs the ladder until the process is gone. Raises: StopFailed when it survives or may not be signaled."""
    if isinstance(process, OwnLadder):
        await process.stop(grace_s)
        return
    usage = process.usage()
    process.send(signal.SIGTERM, StopRung.SIGTERM)
    _check_is_reached(process)
    if usage is not None and usage.paused:
        # A paused process cannot see the signal before it runs again.
        process.send(signal.SIGCONT, StopRung.SIGTERM)
    if await _ends_or_hangs(process, is_free, grace_s):
        return
    process.send(signal.SIGTERM, StopRung.SECOND_SIGTERM)
    if await process.exits_within(SECOND_GRACE_S):
        return
    await kill_process(process)


async def kill_process(process: PlacedProcess) -> None:
    """Ends the process group by force. Raises: StopFailed when it survives, in a system call that does not return."""
    process.send(signal.SIGKILL, StopRung.SIGKILL)
    _check_is_reached(process)
    if not await process.exits_within(_REAP_S):
        raise StopFailed(f"{_named(process)} survived SIGKILL for {_REAP_S:g} s; its port and memory stay in use")


def _check_is_reached(process: PlacedProcess) -> None:
    if process.refuses_signals and not process.poll():
        raise StopFailed(
            f"{_named(process)} belongs to another user, so this program may not end it; "
            "its port and memory stay in use"
        )


def _named(process: PlacedProcess) -> str:
    return "the server" if process.pid is None else f"process {process.pid}"


async def _ends_or_hangs(process: PlacedProcess, is_free: IsFree, grace_s: float) -> bool:
    """True when it has ended. False after the grace, or earlier once it listens no more and does nothing."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + grace_s
    idle_since, cpu_s = loop.time(), -1.0
    while (now := loop.time()) < deadline:
        if await process.exits_within(min(_TICK_S, deadline - now)):
            return True
        usage = process.usage()
        if usage is None:
            continue
        if usage.cpu_s != cpu_s or not await is_free():
            idle_since, cpu_s = loop.time(), usage.cpu_s
        elif loop.time() - idle_since >= _IDLE_S:
            return False
    return process.poll()
