"""Why a server ended: what its exit and its log tell and, where those are silent, its model file."""

from __future__ import annotations

import asyncio

from gglib_desktop.domain.servers.diagnosis import explained_by_model, failure_of_exit, file_that_tells, of_another_file
from gglib_desktop.domain.servers.exits import ServerExit
from gglib_desktop.domain.servers.failures import Failure
from gglib_desktop.domain.servers.log_text import text_lines
from gglib_desktop.services.servers.snapshot import LifeContext, ServerSnapshot

_LOG_TAIL_BYTES = 64 * 1024


async def explain_exit(context: LifeContext, server: ServerSnapshot, end: ServerExit, *, ready: bool) -> Failure:
    """The failure behind an end that nobody asked for. ``ready``: it had been healthy."""
    tail = await context.monitor.read_log(server.log_name, -_LOG_TAIL_BYTES, _LOG_TAIL_BYTES)
    # Some hundred patterns for each line: too long for the event loop.
    failure = await asyncio.to_thread(failure_of_exit, end, text_lines(tail.data), served=ready)
    return failure if ready else await explain_by_model(context, server, failure)


async def explain_by_model(context: LifeContext, server: ServerSnapshot, failure: Failure) -> Failure:
    """llama-server b10434 can end before it has written the reason to its log, and never says how much of a file is
    there; the file may tell both.
    """
    failure = of_another_file(failure, server.config)
    path = file_that_tells(failure, server.config)
    return failure if path is None else explained_by_model(failure, server.config, await context.examine_model(path))
