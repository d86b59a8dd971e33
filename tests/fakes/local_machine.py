"""A computer that is reached without ssh: it is this one, with a home of its own. A test may cut the link."""

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from gglib_desktop.adapters.ssh.machine import Answer
from gglib_desktop.domain.errors import PortTaken, RunnerUnavailable


class LocalChannel:
    def __init__(self, machine: "LocalMachine", process: asyncio.subprocess.Process) -> None:
        self._machine = machine
        self._process = process

    async def __aiter__(self) -> AsyncIterator[str]:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            if self._machine.cut:
                break
            yield line.decode(errors="surrogateescape").rstrip("\n")
        raise RunnerUnavailable("the link was cut")

    async def write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode(errors="surrogateescape"))
        await self._process.stdin.drain()

    async def aclose(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


class LocalMachine:
    """``shell`` runs the scripts. ``ran`` are their arguments so far, the folder of runs left out."""

    def __init__(self, home: Path, shell: tuple[str, ...] = ("dash",), **environment: str) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self.environment = {"HOME": str(home), "PATH": os.environ["PATH"], **environment}
        self.shell = (str(shutil.which(shell[0])), *shell[1:])
        self.cut = False
        self._since: float | None = None
        self._channels: set[LocalChannel] = set()
        self._servers: dict[int, asyncio.Server] = {}
        self._led: dict[int, str] = {}
        self._connections: set[asyncio.StreamWriter] = set()
        self._listeners: list[Callable[[], object]] = []

    @property
    def since(self) -> float | None:
        return self._since

    @property
    def reason(self) -> str:
        return "the link was cut" if self.cut else ""

    def on_change(self, callback: Callable[[], object]) -> Callable[[], None]:
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    async def lose(self) -> None:
        self.cut, self._since = True, time.time()
        for channel in tuple(self._channels):
            await channel.aclose()
        for server in self._servers.values():
            server.close()
        for connection in tuple(self._connections):
            connection.transport.abort()
        self._tell()

    async def come_back(self) -> None:
        self.cut, self._since = False, None
        for port, remote in self._led.items():
            await self.forward(remote, port)
        self._tell()

    def _tell(self) -> None:
        for tell in tuple(self._listeners):
            tell()

    def ask_again(self) -> None:
        """It never asks."""

    async def run(self, script: str, *arguments: str, input: bytes = b"", limit_s: float = 10) -> Answer:  # noqa: A002
        process = await self._shell(script, arguments)
        async with asyncio.timeout(limit_s):
            output, _errors = await process.communicate(input)
        if self.cut:
            raise RunnerUnavailable("the link was cut")
        assert process.returncode is not None
        return Answer(process.returncode, output)

    async def channel(self, script: str, *arguments: str) -> LocalChannel:
        channel = LocalChannel(self, await self._shell(script, arguments))
        self._channels.add(channel)
        return channel

    async def _shell(self, script: str, arguments: tuple[str, ...]) -> asyncio.subprocess.Process:
        if self.cut:
            raise RunnerUnavailable("the link is cut")
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            *self.shell, "-c", script, "sh", *arguments, stdin=pipe, stdout=pipe, env=self.environment, limit=2**21
        )

    async def forward(self, remote: str, port: int = 0) -> int:
        if self.cut:
            raise RunnerUnavailable("the link is cut")

        async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._connections.add(writer)
            with contextlib.suppress(OSError), contextlib.closing(writer):
                there = await self._connected(remote)
                with contextlib.closing(there[1]):
                    await asyncio.gather(_pipe(reader, there[1]), _pipe(there[0], writer))

        try:
            server = await asyncio.start_server(lead, "127.0.0.1", port)
        except OSError as exc:
            raise PortTaken(port, None) from exc
        number = int(server.sockets[0].getsockname()[1])
        self._servers[number], self._led[number] = server, remote
        return number

    async def _connected(self, remote: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if remote.startswith("/"):
            return await asyncio.open_unix_connection(remote)
        host, _colon, port = remote.rpartition(":")
        return await asyncio.open_connection(host, int(port))

    async def unforward(self, port: int) -> None:
        self._led.pop(port, None)
        server = self._servers.pop(port, None)
        if server is not None:
            server.close()

    async def aclose(self) -> None:
        self.cut = True
        for channel in tuple(self._channels):
            await channel.aclose()
        for port in tuple(self._servers):
            await self.unforward(port)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()
