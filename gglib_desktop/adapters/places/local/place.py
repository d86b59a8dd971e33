"""This computer as a place for servers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

from gglib_desktop.adapters.machine.addresses import own_addresses
from gglib_desktop.adapters.machine.log_files import LogFolder
from gglib_desktop.adapters.machine.threads import InThread
from gglib_desktop.adapters.places.folder_logs import FolderLogs
from gglib_desktop.adapters.places.local import processes
from gglib_desktop.adapters.places.local.behind import Source, Started, end_behind
from gglib_desktop.adapters.places.local.finding import (
    ProcessMatch,
    absence_of,
    continued,
    described,
    end_all,
    leftovers,
    match_of,
    still_there,
)
from gglib_desktop.adapters.places.local.foreign import ForeignProcesses
from gglib_desktop.adapters.places.local.free_ports import choose_port, is_let_go
from gglib_desktop.adapters.places.local.model_file import check_model_file
from gglib_desktop.adapters.places.local.port_owners import Family, owner_of
from gglib_desktop.adapters.places.local.process_use import computes_without_gpu
from gglib_desktop.adapters.places.local.run_folders import RunFolders
from gglib_desktop.adapters.places.local.server_process import ServerProcess, running, watched
from gglib_desktop.domain.documents.settings import DEFAULT_LOG_BYTES
from gglib_desktop.domain.environment import INSTANCE_VARIABLE
from gglib_desktop.domain.errors import NotRunning, ProcessError, RunnerUnavailable
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.record import KnownProcess, ServerRecord
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.ports.servers.engine_driver import ProcessReader
from gglib_desktop.ports.servers.place import Claim, Command, Finding, Outage, PlacedProcess

_log = logging.getLogger(__name__)
_REAP_S = 3.0


class LocalPlace:
    """Processes of this computer. They outlive this program, and are found again by pid and start time, or by a tag.

    ``environment`` is what programs inherit. Work that blocks runs ``in_thread``.
    """

    outage: Outage | None = None

    def __init__(
        self,
        data_dir: Path,
        *,
        environment: Mapping[str, str],
        in_thread: InThread,
        log_bytes: Callable[[], int] = lambda: DEFAULT_LOG_BYTES,
    ) -> None:
        """``log_bytes`` is asked how much a log may take."""
        self.environment = environment
        self._in_thread = in_thread
        self._log_folder = LogFolder(data_dir / "logs", most_bytes=log_bytes)
        self.logs = FolderLogs(self._log_folder, in_thread)
        self._run_folders = RunFolders(data_dir / "runs")
        self.strangers = ForeignProcesses(data_dir, self._log_folder)

    async def aclose(self) -> None:
        """Processes that are watched belong to the runner, which forgets them."""

    # -- what a start needs

    async def check_model(self, path: Path) -> None:
        # In the threads of the loop: the file may be on a share that does not answer.
        await asyncio.to_thread(check_model_file, path)

    async def choose_port(self, config: ServerConfig, *, avoid: Collection[int], freed: int | None = None) -> int:
        return await choose_port(config, avoid=avoid, freed=freed, in_thread=self._in_thread)

    async def is_free(self, record: ServerRecord) -> bool:
        return await is_let_go(record.port, six=record.config.host is not None)

    async def owner_of(self, port: int) -> str | None:
        return await self._in_thread(owner_of, port)

    def listens_on(self, run: str, config: ServerConfig, port: int) -> tuple[str | None, int]:  # noqa: ARG002  # the run matters elsewhere
        return config.host, port

    async def spawn(self, record: ServerRecord, command: Command) -> ServerProcess:
        tag = {INSTANCE_VARIABLE: record.run}
        output_fd = self._log_folder.open_for_append(record.run)
        try:
            folder = self._run_folders.make(record.run, command.links) if command.links else None
            pid = self._spawn(record, command.argv, {**command.environment, **tag}, output_fd, folder)
        except ProcessError:
            self._run_folders.remove(record.run)
            raise
        finally:
            os.close(output_fd)
        try:
            # Our own child cannot lose its pid before we reap it, so without an identity it has ended already.
            identity = processes.process_identity(pid) or f"ended:{pid}"
            process = watched(record.replace(pid=pid, identity=identity))
        except ProcessError:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            await self._in_thread(processes.reap, pid, within_s=_REAP_S)
            raise
        process.arguments = command.argv[1:]
        self._remove_folder_after(process, record.run)
        return process

    def _spawn(
        self,
        record: ServerRecord,  # noqa: ARG002  # for places that hold what they start
        argv: tuple[str, ...],
        environment: Mapping[str, str],
        output_fd: int,
        folder: Path | None,
    ) -> int:
        return processes.spawn(argv, environment, output_fd, folder)

    async def claim(self, record: ServerRecord, process: PlacedProcess) -> Claim:
        local = _ours(process)
        answer = await self._in_thread(self._started(record, local).answer)
        if answer.source is Source.STRANGER:
            return Claim(None, stranger=answer.stranger)
        local.count_in(answer.family)
        complete = (await self._in_thread(described, record, local.pid)).replace(behind=answer.behind)
        return Claim(complete, certain=answer.source is Source.SERVER)

    async def behind(self, record: ServerRecord, process: PlacedProcess) -> Sequence[KnownProcess]:
        return await self._in_thread(self._started(record, _ours(process)).behind)

    # -- what goes on

    async def find(self, record: ServerRecord, reader: ProcessReader) -> Finding:
        match = await self._in_thread(match_of, record)
        if match is ProcessMatch.CHANGED:
            return Finding(record, changed=True, absence=absence_of(record))
        tagged: Sequence[tuple[int, str]] = ()
        try:
            if match is ProcessMatch.GONE:
                tagged = await self._in_thread(still_there, record)
                record = await self._in_thread(continued, record, tagged)
            process = running(record)
        except NotRunning:
            left = leftovers(record, tagged)
            absence = absence_of(record)
            if not left and self._run_folders.has(record.run):
                return Finding(record, end_rest=partial(self._remove_folder, record.run), absence=absence)
            if not left:
                return Finding(record, absence=absence)
            name, pids = record.config.model_name, [pid for pid, _identity in left]
            _log.warning("the server of %s (pid %s) left %s, which do not serve: ending them", name, record.pid, pids)
            return Finding(record, end_rest=partial(end_all, left, record.port), absence=absence)
        family = await self._in_thread(Family.of, process.pid, record.port)
        process.count_in(family.members[1:] if family is not None else ())
        self._remove_folder_after(process, record.run)
        said = await self._in_thread(processes.said_by, process.pid)
        return Finding(record, process, reader.key(*said))

    async def clean_up(self, record: ServerRecord, process: PlacedProcess, grace_s: float) -> None:
        if process.poll():
            with contextlib.suppress(RunnerUnavailable):  # left in the meantime
                await self._in_thread(_ours(process).kill_leftovers)
        if record.behind is not None:
            await end_behind(record, self._in_thread, grace_s)

    def reach(self, record: ServerRecord, key: str | None = None) -> ServerAddress:
        return ServerAddress(record.port, record.config.host, key)

    def addresses(self) -> Sequence[str]:
        return own_addresses()

    def has_no_gpu(self, process: PlacedProcess) -> bool:
        return process.pid is not None and computes_without_gpu(process.pid)

    # -- small things

    def _remove_folder_after(self, process: ServerProcess, run: str) -> None:
        """On the loop, before its end is told: there is a handful of small files in it."""
        if self._run_folders.has(run):
            process.on_exit(partial(self._run_folders.remove, run))

    async def _remove_folder(self, run: str, _grace_s: float) -> None:
        await self._in_thread(self._run_folders.remove, run)

    def _started(self, record: ServerRecord, process: ServerProcess) -> Started:
        return Started(record, process.created_at, process.arguments)


def _ours(process: PlacedProcess) -> ServerProcess:
    assert isinstance(process, ServerProcess)
    return process
