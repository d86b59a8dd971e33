"""From an end, or from the error of a start, to the failure that the user reads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gglib_desktop.domain.errors import GglibError
from gglib_desktop.domain.servers.diagnosis import (
    Diagnose,
    explained_by_model,
    failure_of_error,
    file_that_tells,
    of_another_file,
)
from gglib_desktop.domain.servers.failures import Failure, FailureCause, ServerExit
from gglib_desktop.domain.servers.log_text import text_lines
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.services.servers.snapshot import ServerContext

_LOG_TAIL_BYTES = 64 * 1024


def failure_at_once(
    diagnose: Diagnose, why: ServerExit | BaseException, log: Sequence[str] = (), *, served: bool = False
) -> Failure:
    """The end of a process with the lines of its ``log``, or the error of a start."""
    if isinstance(why, ServerExit):
        return diagnose(why, log, served=served)
    if isinstance(why, GglibError):
        return failure_of_error(why, diagnose)
    return Failure(FailureCause.UNKNOWN, f"{type(why).__name__}: {why}")


async def failure_in_full(
    context: ServerContext, config: ServerConfig, log_name: str, why: ServerExit | BaseException, *, served: bool
) -> Failure:
    """The failure, from the log and, if the server never ``served``, from its model file.

    An engine may end before it has logged the reason, and may not say which part of a file is missing. The file
    shows both.
    """
    diagnose = context.monitor.diagnose_for(config)
    if isinstance(why, ServerExit):
        tail = await context.monitor.read_log(log_name, -_LOG_TAIL_BYTES, _LOG_TAIL_BYTES)
        # Hundreds of patterns for each line: too slow for the event loop.
        failure = await asyncio.to_thread(failure_at_once, diagnose, why, text_lines(tail.data), served=served)
    else:
        failure = failure_at_once(diagnose, why)
    if served:
        return failure
    failure = of_another_file(failure, config)
    path = file_that_tells(failure, config)
    return failure if path is None else explained_by_model(failure, config, await context.examine_model(path))
