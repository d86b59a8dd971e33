"""A container engine of this computer as a place for servers: each runs in a container of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from gglib_desktop.adapters.machine.addresses import own_addresses
from gglib_desktop.adapters.machine.log_files import LogFolder
from gglib_desktop.adapters.machine.threads import InThread
from gglib_desktop.adapters.places.container import creation
from gglib_desktop.adapters.places.container.container_process import ContainerProcess, identity_of
from gglib_desktop.adapters.places.container.docker_api import DockerApi, Gone, Refused
from gglib_desktop.adapters.places.container.ends import Ends
from gglib_desktop.adapters.places.container.image import Image
from gglib_desktop.adapters.places.container.log_copy import LogCopy
from gglib_desktop.adapters.places.folder_logs import FolderLogs
from gglib_desktop.adapters.places.local.free_ports import choose_port
from gglib_desktop.adapters.places.local.model_file import check_model_file
from gglib_desktop.adapters.places.local.port_owners import owner_of
from gglib_desktop.adapters.places.local.process_use import computes_without_gpu
from gglib_desktop.adapters.places.local.run_folders import RunFolders
from gglib_desktop.domain.documents.settings import DEFAULT_LOG_BYTES
from gglib_desktop.domain.environment import DISABLE_MTP_VARIABLE, INSTANCE_VARIABLE
from gglib_desktop.domain.errors import PortTaken, ProcessError, RunnerUnavailable, StartFailed
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.failures import Absence, ServerExit, StopRung
from gglib_desktop.domain.servers.record import KnownProcess, ServerRecord
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.ports.servers.engine_driver import ProcessReader
from gglib_desktop.ports.servers.place import Claim, Command, Finding, Outage, PlacedProcess
from gglib_desktop.tasks import LogReporter, TaskScope

T = TypeVar("T")
_log = logging.getLogger(__name__)
_EVERYWHERE = "0.0.0.0"
_LOCAL_HOST = "127.0.0.1"
_LEFT_S = 15.0
_AGAIN_S = 2.0
_PORT_TAKEN = ("already in use", "already allocated")


class ContainerPlace:
    """Servers of one image. Containers outlive this program; they are found again by their id, or by their name.

    ``environment`` is this program's own. Work that blocks runs ``in_thread``.
    """

    strangers = None

    def __init__(
        self,
        data_dir: Path,
        image: Image,
        *,
        environment: Mapping[str, str],
        in_thread: InThread,
        log_bytes: Callable[[], int] = lambda: DEFAULT_LOG_BYTES,
    ) -> None:
        """``log_bytes`` is asked how much a log may take."""
        self.environment = {DISABLE_MTP_VARIABLE: environment.get(DISABLE_MTP_VARIABLE, "")}
        self._image = image
        self._in_thread = in_thread
        self._links = RunFolders(data_dir.absolute() / "links")
        self._log_folder = LogFolder(data_dir / "logs", most_bytes=log_bytes)
        self.logs = FolderLogs(self._log_folder, in_thread)
        self._scope = TaskScope(LogReporter())
        self._under_way: set[asyncio.Task[Any]] = set()
        self._running: dict[str, tuple[ServerRecord, ContainerProcess]] = {}
        self._ends = Ends(data_dir, self._scope, self._look)

    @property
    def outage(self) -> Outage | None:
        return self._ends.outage

    async def aclose(self) -> None:
        """Starts that are under way end their servers first, for which they need the engine."""
        await self._image.aclose()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _LEFT_S
        while self._under_way and loop.time() < deadline:
            await asyncio.wait(self._under_way, timeout=_LEFT_S, return_when=asyncio.FIRST_COMPLETED)
        await self._scope.aclose()

    # -- what a start needs

    async def check_model(self, path: Path) -> None:
        await asyncio.to_thread(check_model_file, path)

    async def choose_port(self, config: ServerConfig, *, avoid: Collection[int], freed: int | None = None) -> int:
        try:
            return await choose_port(config, avoid=avoid, freed=freed, in_thread=self._in_thread)
        except PortTaken as exc:
            raise PortTaken(exc.port, await self.owner_of(exc.port)) from exc

    async def is_free(self, record: ServerRecord) -> bool:
        """Not whether the port can be had: the engine keeps it for the container."""
        try:
            _reader, writer = await asyncio.open_connection(record.config.host or _LOCAL_HOST, record.port)
        except OSError:
            return True
        writer.transport.abort()
        return False

    async def owner_of(self, port: int) -> str | None:
        for record, _process in self._running.values():
            if record.port == port:
                return f"the container of {record.config.model_name} (run {record.run})"
        return await self._in_thread(owner_of, port)

    def listens_on(self, run: str, config: ServerConfig, port: int) -> tuple[str, int]:  # noqa: ARG002  # who reaches it, publishing decides
        return _EVERYWHERE, port

    async def spawn(self, record: ServerRecord, command: Command) -> ContainerProcess:
        self._image.check_not_left()
        spawning = self._begin(self._spawned(record, command), f"container of {record.run}")
        try:
            return await asyncio.shield(spawning)
        except asyncio.CancelledError:
            taking_back = self._begin(self._taken_back(spawning), f"take back {record.run}")
            while not taking_back.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({taking_back})
            raise

    async def _spawned(self, record: ServerRecord, command: Command) -> ContainerProcess:
        api, told = await self._image.greeted()
        await self._image.sweep(self._running)
        try:
            return await self._started(api, told, record, command)
        except ProcessError:
            await self._in_thread(self._links.remove, record.run)
            raise

    async def _started(
        self, api: DockerApi, told: Mapping[str, Any], record: ServerRecord, command: Command
    ) -> ContainerProcess:
        argv, files = await self._in_thread(self._moved_in, record.run, command.argv)
        variables = {**command.environment, INSTANCE_VARIABLE: record.run}
        asked = creation.server(self._image.name, record, Command(argv, variables), files, told)
        asked["Labels"] = self._image.labels(record.run)
        name = f"gglib-{record.run}"
        try:
            await api.ask("POST", "/containers/create", asked, name=name)
            await api.ask("POST", f"/containers/{name}/start")
            found = await api.container(name)
        except Refused as exc:
            await api.remove(name, force=True)
            raise await self._why_not(exc, record) from exc
        except RunnerUnavailable:
            # It may have been started all the same.
            self._scope.start(self._taken_away(api, name), name=f"take away {name}")
            raise
        assert found is not None
        return self._followed(api, found, record)

    async def _taken_away(self, api: DockerApi, name: str) -> None:
        """Removes a container of a start that failed, once the engine answers again."""
        while True:
            with contextlib.suppress(RunnerUnavailable):
                return await api.remove(name, force=True)
            await asyncio.sleep(_AGAIN_S)

    async def _why_not(self, exc: Refused, record: ServerRecord) -> ProcessError:
        if isinstance(exc, Gone):
            return self._image.missing()
        if any(words in str(exc) for words in _PORT_TAKEN):
            return PortTaken(record.port, await self.owner_of(record.port))
        return StartFailed(
            f"{self._image.engine} does not start the container: {exc}", command_line=record.command_line
        )

    async def _taken_back(self, spawning: asyncio.Task[ContainerProcess]) -> None:
        with contextlib.suppress(ProcessError):
            process = await spawning
            process.send(signal.SIGKILL, StopRung.SIGKILL)
            await asyncio.wait({process.watching}, timeout=_LEFT_S)

    def _moved_in(self, run: str, argv: Sequence[str]) -> tuple[tuple[str, ...], set[str]]:
        """The command line as the container is told it, and the files that it names. Blocks."""
        words, links = creation.with_links(argv, self._links.folder / run)
        if links:
            self._links.make(run, links)
        return tuple(words), creation.named_files(words)

    async def claim(self, record: ServerRecord, process: PlacedProcess) -> Claim:  # noqa: ARG002  # the port is its own
        return Claim(record)

    async def behind(self, record: ServerRecord, process: PlacedProcess) -> Sequence[KnownProcess]:  # noqa: ARG002
        return ()

    # -- what goes on

    async def find(self, record: ServerRecord, reader: ProcessReader) -> Finding:
        gone = Finding(record, absence=ServerExit(None, absence=Absence.NOT_RUNNING))
        api, found = await self._found(record)
        if found is None:
            await self._in_thread(self._links.remove, record.run)
            return gone
        identity = identity_of(api, found)
        if record.identity not in {None, identity}:
            return replace(gone, changed=True)
        if found["State"].get("Status") == "created":
            await api.remove(found["Id"])
            await self._in_thread(self._links.remove, record.run)
            return gone
        record = record.replace(identity=identity, started_at=record.started_at or int(time.time()))
        process = self._followed(api, found, record)
        if not found["State"]["Running"] and await process.exits_within(_LEFT_S):
            assert process.exit is not None
            return Finding(record, absence=replace(process.exit, absence=Absence.NOT_RUNNING))
        said = found.get("Config", {})
        argv = [*(said.get("Entrypoint") or ()), *(said.get("Cmd") or ())]
        variables = dict(each.split("=", 1) for each in said.get("Env") or () if "=" in each)
        return Finding(record, process, reader.key(argv, variables))

    async def _found(self, record: ServerRecord) -> tuple[DockerApi, dict[str, Any] | None]:
        """The container of a record, from the engine that has it."""
        if record.identity is None:
            api, _told = await self._image.greeted()
            return api, await api.container(f"gglib-{record.run}")
        name, _started_at, socket = record.identity.split(" ", 2)
        api = DockerApi(Path(socket))
        return api, await api.container(name)

    async def clean_up(self, record: ServerRecord, process: PlacedProcess, grace_s: float) -> None:
        """A container ends with all that is in it, and is removed before its end is told."""

    def reach(self, record: ServerRecord, key: str | None = None) -> ServerAddress:
        return ServerAddress(record.port, record.config.host, key)

    def addresses(self) -> Sequence[str]:
        return own_addresses()

    def has_no_gpu(self, process: PlacedProcess) -> bool:
        assert isinstance(process, ContainerProcess)
        pids = process.inside.pids()
        return bool(pids) and all(map(computes_without_gpu, pids))

    # -- small things

    def _begin(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Runs it to its end, whatever becomes of who waits for it: the engine would go on all the same."""
        task = self._scope.start(work, name=name)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    def _followed(self, api: DockerApi, found: Mapping[str, Any], record: ServerRecord) -> ContainerProcess:
        log = LogCopy(api, found["Id"], self._log_folder, record.run)
        process = ContainerProcess(api, found, log, self._scope, partial(self._ends.take, api))
        self._running[record.run] = (record, process)
        process.on_exit(lambda: self._running.pop(record.run, None), partial(self._links.remove, record.run))
        self._ends.listen(api)
        self._under_way.add(process.watching)
        process.watching.add_done_callback(self._under_way.discard)
        return process

    def _look(self) -> None:
        for _record, process in self._running.values():
            process.look()
