"""The start of one server process: from the spawn until the process itself answers, or nothing is left of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal

from gglib_desktop.adapters.runner.client_names import address_of
from gglib_desktop.domain.errors import HealthCheckFailed, PortTaken, ProcessError, RunnerUnavailable, StartFailed
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.failures import FailureCause, ServerExit, StopRung
from gglib_desktop.domain.servers.health import PROBE_TIMEOUT_S, Probe, ProbeResult, loading_interval_s
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.ports.servers.engine_driver import EngineDriver
from gglib_desktop.ports.servers.place import Claim, Place, PlacedProcess
from gglib_desktop.tasks import LogReporter, TaskScope

_log = logging.getLogger(__name__)
_SILENCE_S = 60.0
# A program that has done nothing for so long has handed the server over to others, or it will never serve.
_SETTLED_S = 1.0
_KILL_S = 3.0
_LOADS_OR_SERVES = frozenset({ProbeResult.OK, ProbeResult.LOADING})
_NO_ANSWER = frozenset({ProbeResult.REFUSED, ProbeResult.TIMEOUT})


async def first_answer(
    process: PlacedProcess, record: ServerRecord, place: Place, driver: EngineDriver
) -> ServerRecord:
    """Returns the complete record as soon as the process, or what serves in its place, answers on its port.

    Raises: StartFailed or PortTaken when it ends before, HealthCheckFailed when it neither answers nor does anything
    for ``_SILENCE_S`` while its place can be reached.
    """
    address = address_of(record, place, driver)
    async with TaskScope(LogReporter()) as scope:
        ending = scope.start(process.wait(), name="exit")
        activity = _Activity(process)
        claim = Claim(None)
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        while not await process.exits_within(loading_interval_s(loop.time() - began_at)):
            if place.outage is not None:
                activity.begin_anew()
            elif activity.idle_s() > _SILENCE_S:
                other = f", where {claim.stranger} answers" if claim.stranger else ""
                raise HealthCheckFailed(f"the program runs but does not answer on port {record.port}{other}")
            question = scope.start(_answer(driver, address), name="first answer")
            await asyncio.wait({question, ending}, return_when=asyncio.FIRST_COMPLETED)
            if process.poll():
                continue
            answer = question.result()
            if isinstance(answer, RunnerUnavailable):
                raise answer
            if answer.result in _NO_ANSWER:
                continue
            # A program that took the port a moment before us may answer in its place.
            claim = await place.claim(record, process)
            if _is_believed(claim, answer, activity.idle_s()) and not process.poll():
                assert claim.record is not None
                return claim.record
        end = ending.result() if ending.done() else await process.wait()
    raise await _why_it_ended(end, record, place, driver)


async def _answer(driver: EngineDriver, address: ServerAddress) -> Probe | RunnerUnavailable:
    """The error, after the runner was left, is for who starts the server alone; a task would log it too."""
    try:
        return await driver.probe(address, PROBE_TIMEOUT_S)
    except RunnerUnavailable as exc:
        return exc


class _Activity:
    """Since when a process has used no processor. Libraries of gigabytes on a slow disk take their time."""

    def __init__(self, process: PlacedProcess) -> None:
        self._process = process
        self._loop = asyncio.get_running_loop()
        self._used = process.usage()
        self._active_at = self._loop.time()

    def begin_anew(self) -> None:
        """Nothing was seen of it meanwhile."""
        self._active_at = self._loop.time()

    def idle_s(self) -> float:
        """Seconds since the last look that saw it do something."""
        before, self._used = self._used, self._process.usage()
        if self._used != before:
            self._active_at = self._loop.time()
        return self._loop.time() - self._active_at


def _is_believed(claim: Claim, probe: Probe, idle_s: float) -> bool:
    if claim.record is None or claim.certain:
        return claim.record is not None
    # An engine that has lost its port ends soon; one that waits for others does nothing meanwhile.
    return idle_s > _SETTLED_S and probe.result in _LOADS_OR_SERVES


async def _why_it_ended(
    end: ServerExit, record: ServerRecord, place: Place, driver: EngineDriver
) -> StartFailed | PortTaken:
    failure = driver.diagnose(end, await place.logs.last_lines(record.run))
    if failure.cause is FailureCause.PORT_TAKEN or (
        # On a busy machine an engine may end before it has written its reason to the log.
        failure.cause is FailureCause.UNKNOWN and (end.status or 0) > 0 and not await place.is_free(record)
    ):
        return PortTaken(record.port, await place.owner_of(record.port))
    return StartFailed(
        f"the server ended before it answered ({end})",
        exit_status=end.status,
        out_of_memory=end.out_of_memory,
        log_lines=failure.evidence,
        log_name=record.run,
        command_line=record.command_line,
    )


async def abandon(process: PlacedProcess, record: ServerRecord, place: Place) -> bool:
    """Ends the process of a start that failed or was canceled, and what it started, also when canceled once more.

    False when it survives, in a system call that does not return.
    """
    ending = asyncio.ensure_future(_end(process, record, place))
    while not ending.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(ending)
    return process.poll()


async def _end(process: PlacedProcess, record: ServerRecord, place: Place) -> None:
    with contextlib.suppress(RunnerUnavailable):  # left in the meantime
        # One that ended by itself and well has left its server to others.
        if not process.poll() or (process.exit is not None and process.exit.status == 0):
            behind = await place.behind(record, process)
            record = record.replace(behind=tuple(behind) or None)
    with contextlib.suppress(RunnerUnavailable):  # its place does not answer, which is no reason to wait
        await _kill(process, record)
    try:
        await place.clean_up(record, process, _KILL_S)
    except ProcessError as exc:
        _log.warning("a start that failed leaves a server running: %s", exc)


async def _kill(process: PlacedProcess, record: ServerRecord) -> None:
    if record.behind and not process.poll():
        # It may pass this on to its server, and remove what it made for it.
        process.send(signal.SIGTERM, StopRung.SIGTERM)
        await process.exits_within(_KILL_S)
    if not process.poll():
        process.send(signal.SIGKILL, StopRung.SIGKILL)
        await process.exits_within(_KILL_S)
