"""A third place, which proves that the port of places is cut where it should be: a network namespace of its own.

Its servers reach no network. They listen on a unix socket, which a port of this computer leads to, as the port of a
server behind ssh would.
"""

import asyncio
import hashlib
import os
import socket
import subprocess
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from typing_extensions import override

from gglib_desktop.adapters.machine.threads import InThread
from gglib_desktop.adapters.places.local.finding import described
from gglib_desktop.adapters.places.local.place import LocalPlace
from gglib_desktop.adapters.places.local.server_process import ServerProcess
from gglib_desktop.domain.errors import PortTaken
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.record import KnownProcess, ServerRecord
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.ports.servers.engine_driver import ProcessReader
from gglib_desktop.ports.servers.place import Claim, Command, Finding, PlacedProcess

UNSHARE = ("unshare", "-n" if os.getuid() == 0 else "-Urn", "--")


def refusal() -> str:
    """Why the kernel gives no network namespace; empty where it does."""
    try:
        asked = subprocess.run((*UNSHARE, "true"), capture_output=True, text=True, check=False)
    except OSError as exc:
        return str(exc)
    return asked.stderr.strip() if asked.returncode else ""


class Forward:
    """A port of this computer that leads to a unix socket."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._here: socket.socket | None = None
        self._pipes: set[asyncio.Task[None]] = set()

    def open(self, port: int) -> None:
        """Raises: PortTaken."""
        try:
            self._here = socket.create_server(("127.0.0.1", port))
        except OSError as exc:
            raise PortTaken(port, None) from exc
        self._here.setblocking(False)
        asyncio.get_running_loop().add_reader(self._here, self._accept, self._here)

    def leads_anywhere(self) -> bool:
        """Whether a program listens on the socket."""
        with socket.socket(socket.AF_UNIX) as there:
            return there.connect_ex(os.fspath(self._path)) == 0

    def close(self) -> None:
        if self._here is not None:
            asyncio.get_running_loop().remove_reader(self._here)
            self._here.close()
            self._here = None
        for pipe in self._pipes:
            pipe.cancel()

    async def aclose(self) -> None:
        self.close()
        if self._pipes:
            await asyncio.wait(self._pipes)

    def _accept(self, listening: socket.socket) -> None:
        try:
            client, _address = listening.accept()
        except OSError:
            return  # it has gone already
        there = socket.socket(socket.AF_UNIX)
        for end in (client, there):
            end.setblocking(False)
        pipe = asyncio.get_running_loop().create_task(_lead(client, there, self._path))
        self._pipes.add(pipe)
        # Not in the task, which may be cancelled before its first step.
        for done in (self._pipes.discard, lambda _pipe: client.close(), lambda _pipe: there.close()):
            pipe.add_done_callback(done)


async def _lead(client: socket.socket, there: socket.socket, path: Path) -> None:
    try:
        there.connect(os.fspath(path))
        async with asyncio.TaskGroup() as both:
            both.create_task(_copy(client, there))
            both.create_task(_copy(there, client))
    except* OSError:
        pass  # no server listens yet, or one side is gone


async def _copy(source: socket.socket, target: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    while data := await loop.sock_recv(source, 65536):
        await loop.sock_sendall(target, data)
    target.shutdown(socket.SHUT_WR)


class NamespacePlace(LocalPlace):
    """Processes of this computer without a network."""

    def __init__(self, data_dir: Path, *, environment: Mapping[str, str], in_thread: InThread) -> None:
        super().__init__(data_dir, environment=environment, in_thread=in_thread)
        self._forwards: dict[str, Forward] = {}
        self._pids: dict[int, int] = {}

    @override
    async def aclose(self) -> None:
        for forward in self._forwards.values():
            await forward.aclose()

    @override
    async def choose_port(self, config: ServerConfig, *, avoid: Collection[int], freed: int | None = None) -> int:
        try:
            return await super().choose_port(config, avoid=avoid, freed=freed)
        except PortTaken as exc:
            raise PortTaken(exc.port, await self.owner_of(exc.port)) from exc

    @override
    async def owner_of(self, port: int) -> str | None:
        pid = self._pids.get(port)
        return await super().owner_of(port) if pid is None else f"the server behind it (pid {pid})"

    @override
    async def is_free(self, record: ServerRecord) -> bool:
        return not self._forwards[record.run].leads_anywhere()

    @override
    def listens_on(self, run: str, config: ServerConfig, port: int) -> tuple[str, int]:
        return os.fspath(_socket_of(run)), port

    @override
    async def spawn(self, record: ServerRecord, command: Command) -> ServerProcess:
        self._forward(record)
        process = await super().spawn(record, Command((*UNSHARE, *command.argv), command.environment))
        self._follow(record, process)
        return process

    @override
    async def claim(self, record: ServerRecord, process: PlacedProcess) -> Claim:
        assert process.pid is not None
        return Claim(await self._in_thread(described, record, process.pid))

    @override
    async def behind(self, record: ServerRecord, process: PlacedProcess) -> Sequence[KnownProcess]:
        return ()

    @override
    async def find(self, record: ServerRecord, reader: ProcessReader) -> Finding:
        found = await super().find(record, reader)
        if found.process is not None:
            self._forward(record)
            self._follow(record, found.process)
        return found

    @override
    def reach(self, record: ServerRecord, key: str | None = None) -> ServerAddress:
        return ServerAddress(record.port, None, key)

    def _forward(self, record: ServerRecord) -> None:
        forward = self._forwards[record.run] = Forward(_socket_of(record.run))
        forward.open(record.port)

    def _follow(self, record: ServerRecord, process: PlacedProcess) -> None:
        assert process.pid is not None
        self._pids[record.port] = process.pid
        process.on_exit(self._forwards[record.run].close, lambda: self._pids.pop(record.port, None))
        process.on_exit(lambda: _socket_of(record.run).unlink(missing_ok=True))


def _socket_of(run: str) -> Path:
    """Short, as the system wants the paths of sockets."""
    return Path(tempfile.gettempdir(), f"gglib-{hashlib.sha256(run.encode()).hexdigest()[:20]}.sock")
