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
from gglib_desktop.adapters.places.local.free_ports import choose_port
from gglib_desktop.adapters.places.local.port_owners import owner_of
from gglib_desktop.adapters.places.ssh.remote_logs import RemoteLogs
from gglib_desktop.adapters.places.ssh.remote_process import RemoteProcess
from gglib_desktop.adapters.places.ssh.runs import Runs, folder_of
from gglib_desktop.adapters.places.ssh.told import FoundRun, Known, text
from gglib_desktop.adapters.places.ssh.watch import Watch
from gglib_desktop.adapters.ssh.machine import Machine
from gglib_desktop.domain.documents.settings import DEFAULT_LOG_BYTES
from gglib_desktop.domain.environment import DISABLE_MTP_VARIABLE, INSTANCE_VARIABLE
from gglib_desktop.domain.errors import ConfigurationError, PortTaken, ProcessError, RunnerUnavailable
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
_SOME_RUN = "00000000-000000-00000000"
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_LAST_PORT = 65536
_FREE = range(20000, _LAST_PORT)
_AGAIN_S = 0.5
_LEFT_S = 5.0
_ENDS_S, _LOOKS = 0.1, 20


class SshPlace:
    """Processes of another computer. They outlive this program and the link to it, and are found again by the folders
    of their runs there. The ports of its servers are those of this computer that lead there.

    ``takes_sockets``: its engine can listen on a unix socket, which no other user there reaches.
    """

    strangers = None

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
        self._machine = machine
        self._runs = runs
        self._own_environment = environment
        self._in_thread = in_thread
        self._watch = Watch(machine, runs)
        self.logs = RemoteLogs(runs, self._watch, log_bytes)
        self._scope = TaskScope(LogReporter())
        self._watching: asyncio.Task[None] | None = None
        self._undoing: set[asyncio.Task[Any]] = set()
        self._ports_given: dict[int, int] = {}  # by the port here, that there
        self._forwards: dict[str, tuple[str, int]] = {}  # by run: where to, and from which port
        self._owners: dict[str, str] = {}
        self._left = False

    @property
    def outage(self) -> Outage | None:
        return self._watch.outage

    @property
    def environment(self) -> Mapping[str, str]:
        there = self._runs.computer.environment if self._runs.computer is not None else {}
        own = self._own_environment.get(DISABLE_MTP_VARIABLE)
        return {**there, DISABLE_MTP_VARIABLE: own} if own else there

    async def aclose(self) -> None:
        self._left = True
        if self._undoing and self.outage is None:
            await asyncio.wait(set(self._undoing), timeout=_LEFT_S)
        await self._scope.aclose()
        await self._machine.aclose()

    # -- what a start needs

    async def check_model(self, path: Path) -> None:
        await self._reached()
        if not path.is_absolute():
            raise ConfigurationError("model_path", str(path), "must be the whole path of a file on that computer")
        state, _blank, why = text((await self._runs.told("file", str(path))).output).strip().partition(" ")
        if state != "file":
            reason = _NO_MODEL.get(why or state, f"this file cannot be looked at: {why}")
            raise ConfigurationError("model_path", str(path), reason)

    async def choose_port(self, config: ServerConfig, *, avoid: Collection[int], freed: int | None = None) -> int:
        """One of this computer, with one there: the same if it can be had."""
        own = config.replace(host=None)
        try:
            port = await choose_port(own, avoid=avoid, freed=freed, in_thread=self._in_thread)
        except PortTaken as exc:
            raise PortTaken(exc.port, await self.owner_of(exc.port)) from exc
        if config.host is None and self._socket(_SOME_RUN):
            return port
        there = {*await self._ports_there(), *self._ports_given.values()}
        # Where the other computer is this one, it is about to be taken.
        first = port + 1 if self._is_here() else port
        self._ports_given[port] = next(each for each in (*range(first, _LAST_PORT), *_FREE) if each not in there)
        return port

    async def _ports_there(self) -> set[int]:
        lines = text((await self._runs.told("ports")).output).split("\n")
        return {int(words[1].rpartition(":")[2], 16) for words in map(str.split, lines) if words[3:4] == ["0A"]}

    async def is_free(self, record: ServerRecord) -> bool:
        host, _colon, port = self._address(record).rpartition(":")
        return not host or int(port) not in await self._ports_there()

    async def owner_of(self, port: int) -> str | None:
        ours = next((run for run, (_address, led) in self._forwards.items() if led == port), "")
        return self._owners.get(ours) or await self._in_thread(owner_of, port)

    def listens_on(self, run: str, config: ServerConfig, port: int) -> tuple[str | None, int]:
        return config.host or self._socket(run), self._ports_given.get(port, port)

    def _address(self, record: ServerRecord) -> str:
        """Where the server listens there, for what leads to it."""
        host, port = self.listens_on(record.run, record.config, record.port)
        return host if host is not None and host.startswith("/") else f"{_LOCAL_HOST}:{port}"

    def _socket(self, run: str) -> str | None:
        return self._runs.socket(run) if self.takes_sockets else None

    def _is_here(self) -> bool:
        with contextlib.suppress(OSError):
            return self._runs.computer is not None and self._runs.computer.boot == _BOOT.read_text().strip()
        return False

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
        await self._lead_to(record.run, address, record.port)
        try:
            started = await self._runs.start(record.run, _launch(record, command), address)
        except RunnerUnavailable:
            # It may have been started all the same.
            self._begin(self._undone(record), f"take back {record.run}")
            raise
        except BaseException:
            await self._lead_nowhere(record.run)
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
                return await self._lead_nowhere(record.run)
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
        port = await self._port_for(record, found.address or self._address(record))
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

    async def _port_for(self, record: ServerRecord, address: str) -> int:
        """The port that leads to a server that was found: the one before, if no other program has it now."""
        try:
            await self._lead_to(record.run, address, record.port)
            return record.port
        except PortTaken:
            config = record.config.replace(port=None, host=None)
            avoid = {port for _address, port in self._forwards.values()}
            port = await choose_port(config, avoid=avoid, in_thread=self._in_thread)
            await self._lead_to(record.run, address, port)
            return port

    async def clean_up(self, record: ServerRecord, process: PlacedProcess, grace_s: float) -> None:
        """The supervisor there ends what a process left behind."""

    def reach(self, record: ServerRecord, key: str | None = None) -> ServerAddress:
        _address, port = self._forwards.get(record.run, ("", record.port))
        return ServerAddress(port, None, key)

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
        if self._watching is None or self._watching.done():
            self._watching = self._scope.start(self._watch.go_on(computer, self._come_back), name="watch servers there")

    def _come_back(self) -> None:
        """The ways to its servers are made anew."""
        for run, (address, port) in tuple(self._forwards.items()):
            self._scope.start(self._lead_again(run, address, port), name=f"way to {run}")

    async def _lead_again(self, run: str, address: str, port: int) -> None:
        while self._forwards.get(run) == (address, port):
            try:
                await self._lead_to(run, address, port)
                return
            except PortTaken:
                await asyncio.sleep(_AGAIN_S)
            except RunnerUnavailable:
                return  # it will come back once more

    async def _lead_to(self, run: str, address: str, port: int) -> None:
        """Raises: PortTaken, RunnerUnavailable."""
        try:
            await self._machine.forward(address, port)
        except OSError as exc:
            raise PortTaken(port, await self.owner_of(port)) from exc
        self._forwards[run] = (address, port)

    async def _lead_nowhere(self, run: str) -> None:
        _address, port = self._forwards.pop(run, ("", 0))
        self._owners.pop(run, None)
        if port:
            with contextlib.suppress(RunnerUnavailable):
                await self._machine.unforward(port)

    def _followed(self, record: ServerRecord, known: Known | None) -> RemoteProcess:
        run, folder = record.run, folder_of(record.run)
        self.logs.known_as(run)
        process = RemoteProcess(self._runs, run, known, self._scope, forget=lambda: self._watch.leave(folder, process))
        self._watch.follow(folder, process)
        pid = f" (pid {process.pid})" if process.pid is not None else ""
        self._owners[run] = f"the server of {record.config.model_name}{pid} on that computer"
        process.on_exit(lambda: self._scope.start(self._lead_nowhere(run), name=f"no way to {run}"))
        return process

    def _begin(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Runs it to its end, whatever becomes of who waits for it: the other computer goes on all the same."""
        task = self._scope.start(work, name=name)
        self._undoing.add(task)
        task.add_done_callback(self._undoing.discard)
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
