"""Servers of other programs, as a list only."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from gglib_desktop.domain.errors import NotRunning, ProcessError
from gglib_desktop.domain.servers.foreign import ForeignServer
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig
from tests.fakes.scripted_runner import ScriptedRunner, ScriptedServer


def some_server(pid: int = 4711, **changes: object) -> ForeignServer:
    given: dict[str, object] = {
        "pid": pid,
        "identity": f"boot:{pid}",
        "port": 8080,
        "model_path": Path("/models/theirs.gguf"),
        "command_line": "llama-server -m /models/theirs.gguf",
        "rss_bytes": 3 * 2**30,
        "parent": "bash (99)",
        "started_at": 1_000,
    }
    return ForeignServer(**given | changes)  # type: ignore[arg-type]


class FakeForeignServers:
    """The servers in ``servers`` run. Adopting and stopping raise ``error``, and wait for ``may_act``."""

    def __init__(self, runner: ScriptedRunner, *servers: ForeignServer) -> None:
        self._runner = runner
        self.servers = list(servers)
        self.error: ProcessError | None = None
        self.may_act = asyncio.Event()
        self.may_act.set()
        self.looks = 0
        self.look_error: ProcessError | None = None
        self.stopped: list[ForeignServer] = []

    async def list_foreign(self) -> Sequence[ForeignServer]:
        self.looks += 1
        if self.look_error is not None:
            raise self.look_error
        return tuple(self.servers)

    async def adopt(
        self, server: ForeignServer, *, model_id: int | None = None, model_name: str | None = None
    ) -> ProcessHandle:
        await self._take(server)
        port = server.port or 8080
        config = ServerConfig(model_id or -server.pid, model_name or "theirs", Path("/models/theirs.gguf"), port)
        handle = ProcessHandle(config.model_id, config.model_name, server.pid, port, server.started_at)
        self._runner.servers.append(ScriptedServer(handle, config))
        return handle

    async def stop_foreign(self, server: ForeignServer) -> None:
        await self._take(server)
        self.stopped.append(server)

    async def _take(self, server: ForeignServer) -> None:
        await self.may_act.wait()
        if self.error is not None:
            raise self.error
        if server not in self.servers:
            raise NotRunning(f"process {server.pid} is gone")
        self.servers.remove(server)
