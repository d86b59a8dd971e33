"""The start of one server process: from the spawn until the process itself answers, or nothing is left of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from gglib_desktop.adapters.machine.log_files import LogFolder
from gglib_desktop.adapters.machine.threads import InThread
from gglib_desktop.adapters.runners import processes
from gglib_desktop.adapters.runners.behind import Answer, Source, Started
from gglib_desktop.adapters.runners.leftovers import end_all
from gglib_desktop.adapters.runners.port_allocator import is_free
from gglib_desktop.adapters.runners.port_owners import owner_of
from gglib_desktop.adapters.runners.processes import ServerProcess
from gglib_desktop.adapters.runners.records import KnownProcess
from gglib_desktop.adapters.runners.stop_ladder import kill_leftovers
from gglib_desktop.domain.environment import INSTANCE_VARIABLE
from gglib_desktop.domain.errors import HealthCheckFailed, PortTaken, ProcessError, RunnerUnavailable, StartFailed
from gglib_desktop.domain.llama_cpp.argv import KEY_VARIABLE, engine_environment
from gglib_desktop.domain.llama_cpp.diagnosis import diagnose
from gglib_desktop.domain.servers.exits import StopRung
from gglib_desktop.domain.servers.failures import FailureCause
from gglib_desktop.domain.servers.health import LAST_LOADING_INTERVAL_S, PROBE_TIMEOUT_S, Probe, ProbeResult
from gglib_desktop.tasks import LogReporter, TaskScope

if TYPE_CHECKING:
    from gglib_desktop.adapters.engines.llama_cpp.client import LlamaClient

_log = logging.getLogger(__name__)
# A usual start answers within about ten of these; a slow one is asked less and less often.
_FIRST_PAUSE_S = 0.005
_NEXT_PAUSE = 1.1
_SILENCE_S = 60.0
# A program that has done nothing for so long has handed the server over to others, or it will never serve.
_SETTLED_S = 1.0
_KILL_S = 3.0
_LLAMA_ANSWERS = frozenset({ProbeResult.OK, ProbeResult.LOADING})
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
    started: Started,
    client: Callable[[], LlamaClient],
    logs: LogFolder,
    in_thread: InThread,
) -> tuple[KnownProcess, ...] | None:
    """Returns what serves in place of the process as soon as it, or that, answers on its port.

    Raises: StartFailed or PortTaken when it ends before, HealthCheckFailed when it neither answers nor does anything
    for ``_SILENCE_S``.
    """

    async def ask() -> Probe:
        # The client is gone as soon as the runner is left, so not before the task begins.
        return await client().probe(started.record.address(), PROBE_TIMEOUT_S)

    record, loop = started.record, asyncio.get_running_loop()
    pause_s, used, active_at = _FIRST_PAUSE_S, process.usage(), loop.time()
    answer = Answer(Source.STRANGER)
    async with TaskScope(LogReporter()) as scope:
        ending = scope.start(process.wait(), name="exit")
        while not await process.exits_within(pause_s):
            pause_s = min(pause_s * _NEXT_PAUSE, LAST_LOADING_INTERVAL_S)
            before, used = used, process.usage()
            if used != before:
                # Libraries of gigabytes on a slow disk take their time.
                active_at = loop.time()
            elif loop.time() - active_at > _SILENCE_S:
                other = f", where {answer.stranger} answers" if answer.stranger else ""
                raise HealthCheckFailed(f"the program runs but does not answer on port {record.port}{other}")
            question = scope.start(ask(), name="first answer")
            await asyncio.wait({question, ending}, return_when=asyncio.FIRST_COMPLETED)
            if process.has_exited or (probe := question.result().result) in _NO_ANSWER:
                continue
            # A program that took the port a moment before us may answer in its place.
            answer = await in_thread(started.answer)
            if _is_believed(answer, probe, idle_s=loop.time() - active_at) and not process.poll():
                process.count_in(answer.family)
                return answer.behind
    end = await process.wait()
    failure = diagnose(end, await in_thread(logs.last_lines, record.run))
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


def _is_believed(answer: Answer, probe: ProbeResult, *, idle_s: float) -> bool:
    if answer.source is Source.BEHIND:
        # An engine that has lost its port ends soon; one that waits for others does nothing meanwhile.
        return idle_s > _SETTLED_S and probe in _LLAMA_ANSWERS
    return answer.source is Source.SERVER


async def abandon(process: ServerProcess, started: Started, in_thread: InThread) -> bool:
    """Ends the process of a start that failed or was cancelled, and what it started, also when cancelled once more.

    False when it survives, in a system call that does not return.
    """
    ending = asyncio.ensure_future(_end(process, started, in_thread))
    while not ending.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(ending)
    return process.poll()


async def _end(process: ServerProcess, started: Started, in_thread: InThread) -> None:
    behind: tuple[KnownProcess, ...] = ()
    with contextlib.suppress(RunnerUnavailable):  # left in the meantime
        # One that ended by itself and well has left its server to others.
        if not process.poll() or (process.exit is not None and process.exit.status == 0):
            behind = await in_thread(started.behind)
    if behind and not process.poll():
        # It may pass this on to its server, and put away what it made for it.
        process.send(signal.SIGTERM, StopRung.SIGTERM)
        await process.exits_within(_KILL_S)
    if not process.poll():
        process.send(signal.SIGKILL, StopRung.SIGKILL)
        await process.exits_within(_KILL_S)
    with contextlib.suppress(RunnerUnavailable):
        await kill_leftovers(process, in_thread)
    try:
        await end_all([(each.pid, each.identity) for each in behind], port=started.record.port, grace_s=_KILL_S)
    except ProcessError as exc:
        _log.warning("a start that failed leaves a server running: %s", exc)
