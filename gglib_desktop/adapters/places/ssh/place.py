"""Another computer as a place for servers, over ssh. Nothing but an engine has to be there."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shlex
import time
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from gglib_desktop.adapters.machine.threads import InThread
from gglib_desktop.adapters.places.ssh.remote_logs import RemoteLogs
from gglib_desktop.adapters.places.ssh.remote_process import RemoteProcess
from gglib_desktop.adapters.places.ssh.runs import Runs, folder_of
from gglib_desktop.adapters.places.ssh.strangers import OtherRuns
from gglib_desktop.adapters.places.ssh.told import FoundRun, Known, text
from gglib_desktop.adapters.places.ssh.watch import Watch
from gglib_desktop.adapters.places.ssh.ways import Ways
from gglib_desktop.adapters.ssh.machine import Machine
from gglib_desktop.domain.documents.settings import DEFAULT_LOG_BYTES
from gglib_desktop.domain.environment import DISABLE_MTP_VARIABLE, INSTANCE_VARIABLE
from gglib_desktop.domain.errors import ConfigurationError, ProcessError, RunnerUnavailable
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.failures import Absence, ServerExit
from gglib_desktop.domain.servers.record import KnownProcess, ServerRecord
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.ports.servers.engine_driver import ProcessReader
from gglib_desktop.ports.servers.place import Claim, Command, Finding, Outage, PlacedProcess
from gglib_desktop.tasks import LogReporter, TaskScope

T = TypeVar("T")
_LOCAL_HOST = "127.0.0.1"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NONE = "there is no such file on that computer"
_NO_MODEL = {
    "No such file or directory": _NONE,
    "Not a directory": _NONE,
    "other": "this is not a file on that computer",
    "closed": "this file cannot be read on that computer; check its permissions",
}
# What leads to a server there goes to its loopback.
_EVERYWHERE = "0.0.0.0"
_HOSTS = (None, _LOCAL_HOST, "localhost", _EVERYWHERE)
_SOME_RUN = "00000000-000000-00000000"
_AGAIN_S = 0.5
_LEFT_S = 5.0
_ENDS_S, _LOOKS = 0.1, 20


class SshPlace:
    """Processes of another computer. They outlive this program and the link to it, and are found again by the folders
    of their runs there. The ports of its servers are those of this computer that lead there.

    ``takes_sockets``: its engine can listen on a unix socket, which no other user there reaches.
    """

    def __init__(
        self,
        machine: Machine,
        runs: Runs,
        *,
        environment: Mapping[str, str],
        in_thread: InThread,
        log_bytes: Callable[[], int] = lambda: DEFAULT_LOG_BYTES,
    ) -> None:
        """``environment`` is this program's own. ``log_bytes`` is asked how much a log may take."""
        self.takes_sockets = False
        self._runs = runs
        own = environment.get(DISABLE_MTP_VARIABLE)
        self._added = {DISABLE_MTP_VARIABLE: own} if own else {}
        self.environment: Mapping[str, str] = self._added
        self._watch = Watch(machine, runs)
        self.logs = RemoteLogs(runs, self._watch, log_bytes)
        self._scope = TaskScope(LogReporter())
        self._ways = Ways(machine, in_thread)
        self.strangers = OtherRuns(runs, self._ways, self._followed)
        self._watching: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[Any]] = set()
        self._left = False

    @property
    def outage(self) -> Outage | None:
        return self._watch.outage

    async def aclose(self) -> None:
        self._left = True
        if self._under_way and self.outage is None:
            await asyncio.wait(set(self._under_way), timeout=_LEFT_S)
        await self._scope.aclose()
        await self._runs.aclose()

    # -- what a start needs

    async def check_model(self, path: Path) -> None:
        # A start is worth a question that was not answered before.
        self._runs.ask_again()
        await self._reached()
        if not path.is_absolute():
            raise ConfigurationError("model_path", str(path), "must be the whole path of a file on that computer")
        state, _blank, why = text((await self._runs.told("file", str(path))).output).strip().partition(" ")
        if state != "file":
            reason = _NO_MODEL.get(why or state, f"this file cannot be looked at: {why}")
            raise ConfigurationError("model_path", str(path), reason)

    async def choose_port(self, config: ServerConfig, *, avoid: Collection[int], freed: int | None = None) -> int:
        """One of this computer, with one there: the same if it can be had."""
        if config.host not in _HOSTS:
            reason = f"must be {_LOCAL_HOST}, or {_EVERYWHERE} for all addresses of that computer"
            raise ConfigurationError("host", config.host, reason)
        port = await self._ways.choose_port(config, avoid=avoid, freed=freed)
        if config.host is not None or self._socket(_SOME_RUN) is None:
            self._ways.choose_port_there(port, await self._ports_there(), (await self._runs.greeted()).boot)
        return port

    async def _ports_there(self) -> set[int]:
        lines = text((await self._runs.told("ports")).output).split("\n")
        return {int(words[1].rpartition(":")[2], 16) for words in map(str.split, lines) if words[3:4] == ["0A"]}

    async def is_free(self, record: ServerRecord) -> bool:
        host, _colon, port = self._address(record).rpartition(":")
        return not host or int(port) not in await self._ports_there()

    async def owner_of(self, port: int) -> str | None:
        return await self._ways.owner_of(port)

    def listens_on(self, run: str, config: ServerConfig, port: int) -> tuple[str | None, int]:
        return config.host or self._socket(run), self._ways.port_there(port)

    def _address(self, record: ServerRecord) -> str:
        """Where the server listens there, for what leads to it."""
        host, port = self.listens_on(record.run, record.config, record.port)
        return host if host is not None and host.startswith("/") else f"{_LOCAL_HOST}:{port}"

    def _socket(self, run: str) -> str | None:
        return self._runs.socket(run) if self.takes_sockets else None

    async def spawn(self, record: ServerRecord, command: Command) -> RemoteProcess:
        if self._left:
            raise RunnerUnavailable("the runner is closed")
        spawning = self._begin(self._spawned(record, command), f"start {record.run}")
        try:
            return await asyncio.shield(spawning)
        except asyncio.CancelledError:
            self._begin(self._taken_back(spawning, record), f"take back {record.run}")
            raise

    async def _spawned(self, record: ServerRecord, command: Command) -> RemoteProcess:
        address = self._address(record)
        await self._ways.lead(record.run, address, record.port)
        try:
            started = await self._runs.start(record.run, _launch(record, command), address)
        except RunnerUnavailable:
            # It may have been started all the same.
            self._begin(self._undone(record), f"take back {record.run}")
            raise
        except BaseException:
            await self._ways.end(record.run)
            raise
        return self._followed(record, started)

    async def _taken_back(self, spawning: asyncio.Task[RemoteProcess], record: ServerRecord) -> None:
        with contextlib.suppress(ProcessError):
            process = await spawning
            await self._undone(record)
            process.forget()

    async def _undone(self, record: ServerRecord) -> None:
        """Once the computer can be reached, and before anything else is done there."""
        while True:
            with contextlib.suppress(RunnerUnavailable):
                await self._runs.ask("undo", record.run)
                return await self._ways.end(record.run)
            await asyncio.sleep(_AGAIN_S)

    async def claim(self, record: ServerRecord, process: PlacedProcess) -> Claim:  # noqa: ARG002  # the way is its own
        return Claim(record)

    async def behind(self, record: ServerRecord, process: PlacedProcess) -> Sequence[KnownProcess]:  # noqa: ARG002
        return ()

    # -- what goes on

    async def find(self, record: ServerRecord, reader: ProcessReader) -> Finding:
        await self._reached()
        self.logs.known_as(record.run)
        found = await self._looked_up(record.run)
        if found.owner not in {None, self._runs.owner}:
            return Finding(record, changed=True)
        if not found.runs or found.process is None:
            absence = Absence.COMPUTER_RESTARTED if found.is_of_earlier_boot else Absence.NOT_RUNNING
            return Finding(record, absence=replace(found.exit or ServerExit(None), absence=absence))
        port = await self._ways.lead_from_any(record, found.address or self._address(record))
        known = found.process
        record = record.replace(
            pid=known.pid, identity=known.identity, port=port, started_at=record.started_at or int(time.time())
        )
        return Finding(record, self._followed(record, known), reader.key(found.argv, found.environment))

    async def _looked_up(self, run: str) -> FoundRun:
        for _look in range(_LOOKS):
            found = FoundRun.of(await self._runs.ask("find", run))
            if found.runs is not None:
                return found
            await asyncio.sleep(_ENDS_S)
        raise RunnerUnavailable(f"whether run {run} has ended is not known yet")

    async def clean_up(self, record: ServerRecord, process: PlacedProcess, grace_s: float) -> None:
        """The supervisor there ends what a process left behind."""

    def reach(self, record: ServerRecord, key: str | None = None) -> ServerAddress:
        return ServerAddress(self._ways.port(record.run) or record.port, None, key)

    def addresses(self) -> Sequence[str]:
        """The one that this computer reaches it by."""
        words = self.environment.get("SSH_CONNECTION", "").split()
        return words[2:3]

    def has_no_gpu(self, process: PlacedProcess) -> bool:  # noqa: ARG002  # it is not known
        return False

    # -- small things

    async def _reached(self) -> None:
        """From now on the computer is watched. Raises: RunnerUnavailable."""
        try:
            computer = await self._runs.greeted()
        except RunnerUnavailable as exc:
            self._watch.is_lost(exc)
            raise
        self._watch.is_back()
        self.environment = {**computer.environment, **self._added}
        if self._watching is None or self._watching.done():
            self._watching = self._scope.start(self._watch.go_on(computer), name="watch servers there")

    def _followed(self, record: ServerRecord, known: Known | None) -> RemoteProcess:
        run, folder = record.run, folder_of(record.run)
        self.logs.known_as(run)
        process = RemoteProcess(self._runs, run, known, self._scope, forget=lambda: self._watch.leave(folder, process))
        self._watch.follow(folder, process)
        pid = f" (pid {process.pid})" if process.pid is not None else ""
        self._ways.are_of(run, f"the server of {record.config.model_name}{pid} on that computer")
        process.on_exit(lambda: self._scope.start(self._ways.end(run), name=f"no way to {run}"))
        return process

    def _begin(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Runs it to its end, whatever becomes of who waits for it: the other computer goes on all the same."""
        task = self._scope.start(work, name=name)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task


def _launch(record: ServerRecord, command: Command) -> bytes:
    """What the supervisor there reads before it starts the program. Keys lie in it, so it is a file of its user's."""
    variables = {**command.environment, INSTANCE_VARIABLE: record.run}
    lines = [
        f"# {record.to_json()}",
        *(f"export {name}={shlex.quote(value)}" for name, value in variables.items() if _VARIABLE.fullmatch(name)),
        f"set -- {shlex.join(command.argv)}",
    ]
    return "\n".join([*lines, ""]).encode("utf-8", "surrogateescape")
