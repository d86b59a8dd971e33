"""The start of one server process: from the spawn until the process itself answers, or nothing is left of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from gglib_desktop.adapters.log_files import LogFolder
from gglib_desktop.adapters.runners import processes
from gglib_desktop.adapters.runners.port_allocator import is_free, listening_family, owner_of
from gglib_desktop.adapters.runners.processes import ServerProcess
from gglib_desktop.adapters.runners.records import ServerRecord
from gglib_desktop.adapters.runners.stop_ladder import kill_leftovers
from gglib_desktop.adapters.threads import InThread
from gglib_desktop.domain.diagnosis import failure_of_exit
from gglib_desktop.domain.errors import HealthCheckFailed, PortTaken, ProcessError, RunnerUnavailable, StartFailed
from gglib_desktop.domain.exits import StopRung
from gglib_desktop.domain.failures import FailureCause
from gglib_desktop.domain.health import LAST_LOADING_INTERVAL_S, PROBE_TIMEOUT_S, Probe, ProbeResult
from gglib_desktop.domain.llama_args import INSTANCE_VARIABLE, KEY_VARIABLE, engine_environment
from gglib_desktop.tasks import LogReporter, TaskScope

if TYPE_CHECKING:
    from gglib_desktop.adapters.llama_client import LlamaClient

# A usual start answers within some ten of these; whoever takes long is asked ever less often.
_FIRST_PAUSE_S = 0.005
_NEXT_PAUSE = 1.1
_SILENCE_S = 60.0
_KILL_S = 3.0
_NO_ANSWER = frozenset({ProbeResult.REFUSED, ProbeResult.TIMEOUT})


async def spawn_server(
    argv: tuple[str, ...],
    environment: Mapping[str, str],
    logs: LogFolder,
    run: str,
    in_thread: InThread,
    *,
    port: int,
    key: str | None,
) -> ServerProcess:
    """Starts the program with the tag and the log of ``run``. Raises: ProcessError, and then nothing runs."""
    own = {INSTANCE_VARIABLE: run} | ({KEY_VARIABLE: key} if key is not None else {})
    ours = engine_environment(environment, frozen=getattr(sys, "frozen", False))
    output_fd = logs.open_for_append(run)
    try:
        pid = processes.spawn(argv, ours | own, output_fd)
    finally:
        os.close(output_fd)
    try:
        # Our own child cannot lose its pid before we reap it, so without an identity it has ended already.
        identity = processes.process_identity(pid) or f"ended:{pid}"
        return ServerProcess(pid, identity, tag=(INSTANCE_VARIABLE, run), group=pid, port=port)
    except ProcessError:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        await in_thread(processes.reap, pid, within_s=_KILL_S)
        raise


async def first_answer(
    process: ServerProcess,
    record: ServerRecord,
    client: Callable[[], LlamaClient],
    logs: LogFolder,
    in_thread: InThread,
) -> None:
    """Returns when the process itself answers on its port. Raises: StartFailed or PortTaken when it ends before.

    Raises: HealthCheckFailed when it neither answers nor does anything for ``_SILENCE_S``.
    """

    async def ask() -> Probe:
        # The client is gone as soon as the runner is left, so not before the task begins.
        return await client().probe(record.address(), PROBE_TIMEOUT_S)

    loop = asyncio.get_running_loop()
    pause_s, used, active_at = _FIRST_PAUSE_S, process.usage(), loop.time()
    async with TaskScope(LogReporter()) as scope:
        ending = scope.start(process.wait(), name="exit")
        while not await process.exits_within(pause_s):
            pause_s = min(pause_s * _NEXT_PAUSE, LAST_LOADING_INTERVAL_S)
            before, used = used, process.usage()
            if used != before:
                # Libraries of gigabytes on a slow disk take their time.
                active_at = loop.time()
            elif loop.time() - active_at > _SILENCE_S:
                raise HealthCheckFailed(f"the program runs but does not answer on port {record.port}")
            question = scope.start(ask(), name="first answer")
            await asyncio.wait({question, ending}, return_when=asyncio.FIRST_COMPLETED)
            if process.has_exited or question.result().result in _NO_ANSWER:
                continue
            # Whoever took the port a moment before us may answer in its place.
            family = await in_thread(listening_family, process.pid, record.port)
            if family is not None and not process.poll():
                process.count_in(family)
                return
    end = await process.wait()
    failure = failure_of_exit(end, await in_thread(logs.last_lines, record.run))
    if failure.cause is FailureCause.PORT_TAKEN or (
        failure.cause is FailureCause.UNKNOWN
        and (end.status or 0) > 0
        and not is_free(record.port, six=record.config.host is not None)
    ):
        # On a busy machine llama-server b10434 may end before it has written its reason to the log.
        raise PortTaken(record.port, await in_thread(owner_of, record.port))
    raise StartFailed(
        f"the server ended before it answered ({end})",
        exit_status=end.status,
        log_lines=failure.evidence,
        log_name=record.run,
        command_line=record.command_line,
    )


async def abandon(process: ServerProcess, in_thread: InThread) -> bool:
    """Ends the process of a start that failed or was cancelled, and what it started, also when cancelled once more.

    False when it survives, in a system call that does not return.
    """
    ending = asyncio.ensure_future(_end(process, in_thread))
    while not ending.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(ending)
    return process.poll()


async def _end(process: ServerProcess, in_thread: InThread) -> None:
    if not process.poll():
        process.send(signal.SIGKILL, StopRung.SIGKILL)
        await process.exits_within(_KILL_S)
    with contextlib.suppress(RunnerUnavailable):  # left in the meantime
        await kill_leftovers(process, in_thread)
