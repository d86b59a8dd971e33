"""A computer that is reached by the ssh of this system, with the user's own configuration (docs/adr/0013)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from gglib_desktop.adapters.ssh.connector import Connector
from gglib_desktop.adapters.ssh.machine import Answer
from gglib_desktop.adapters.ssh.master import Master, Refused, end
from gglib_desktop.adapters.ssh.refusals import Cause, Refusal, refusal
from gglib_desktop.adapters.ssh.shell import COMMAND, Wrapped
from gglib_desktop.domain.errors import PortTaken, RunnerUnavailable
from gglib_desktop.tasks import LogReporter, TaskScope

_log = logging.getLogger(__name__)
# sshd allows ten sessions in a connection. One is the connection's own, and one that has ended may hold its place.
_SESSIONS = 8
_REFUSED_SESSION = "refused by peer"
_PAUSES_S = (0.5, 1.0, 2.0, 3.0)
# Where only the user can help, such as with a key, it is tried again without a question.
_LONG_PAUSE_S = 30.0
_ORDER_S = 5.0
_REASON_S = 2.0
_LINE = 2**20
_FREE_PORTS = 5
_LOOPBACK = "127.0.0.1"


class SshMachine:
    """See ``Machine``."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._scope = TaskScope(LogReporter())
        self._master: Master | None = None
        self._opening: asyncio.Task[Master | None] | None = None
        self._is_wanted = False
        self._closed = False
        self._since: float | None = None
        self._why: Refusal | None = None
        self._listeners: list[Callable[[], object]] = []
        self._sessions = asyncio.Semaphore(_SESSIONS)
        self._forwards: dict[int, str] = {}

    # -- the link

    @property
    def since(self) -> float | None:
        return self._since

    @property
    def reason(self) -> str:
        return self._why.reason if self._why else ""

    @property
    def cause(self) -> Cause | None:
        """What kept it from being reached; None while it can."""
        return self._why.cause if self._why else None

    @property
    def address(self) -> str:
        """Where it is reached, as the user gave it."""
        return self._connector.host

    def on_change(self, callback: Callable[[], object]) -> Callable[[], None]:
        self._listeners.append(callback)

        def forget() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(callback)

        return forget

    def ask_again(self) -> None:
        self._is_wanted = True

    async def _connected(self) -> Master:
        if self._closed:
            raise RunnerUnavailable(f"{self._connector.name} was left")
        if self._master is not None:
            return self._master
        if self._since is not None and not self._is_wanted:
            raise self._unavailable()
        master = await asyncio.shield(self._begin_to_open(may_ask=True))
        if master is None:
            raise self._unavailable()
        return master

    def _unavailable(self) -> RunnerUnavailable:
        return RunnerUnavailable(f"{self._connector.name} cannot be reached: {self.reason}")

    def _begin_to_open(self, *, may_ask: bool) -> asyncio.Task[Master | None]:
        if self._opening is None:
            self._opening = self._scope.start(self._open(may_ask=may_ask), name=f"connect to {self._connector.name}")
        return self._opening

    async def _open(self, *, may_ask: bool) -> Master | None:
        self._is_wanted = False
        try:
            master = await self._connector.attempt(may_ask=may_ask)
        except Refused as exc:
            self._lost(exc.why)
            return None
        finally:
            self._opening = None
        self._master = master
        self._scope.start(self._until_lost(master), name=f"connection to {self._connector.name}")
        for port, remote in tuple(self._forwards.items()):
            if why := await self._lead(master, port, remote):
                _log.warning("%s: port %s is not led there again: %s", self._connector.name, port, why)
        if self._since is not None:
            self._since, self._why = None, None
            self._tell()
        return master

    async def _until_lost(self, master: Master) -> None:
        try:
            await master.ended()
        finally:
            self._master = None
            await master.aclose()
        self._lost(master.why())

    def _lost(self, why: Refusal) -> None:
        self._why = why
        if self._since is not None or self._closed:
            return
        self._since = time.time()
        self._scope.start(self._reconnect(), name=f"reach {self._connector.name} again")
        self._tell()

    async def _reconnect(self) -> None:
        attempts = 0
        while self._since is not None:
            waits_for_user = self._why is not None and self._why.cause is not Cause.LOST
            await asyncio.sleep(_LONG_PAUSE_S if waits_for_user else _PAUSES_S[min(attempts, len(_PAUSES_S) - 1)])
            if self._since is not None:
                # A link that was lost may need the passphrase once more. Nobody is asked twice for the same thing.
                await asyncio.shield(self._begin_to_open(may_ask=attempts == 0 and not waits_for_user))
            attempts += 1

    def _tell(self) -> None:
        for callback in tuple(self._listeners):
            callback()

    # -- what goes through it

    async def run(self, script: str, *arguments: str, input: bytes = b"", limit_s: float = 10) -> Answer:  # noqa: A002
        wrapped = Wrapped(script, arguments, input)
        async with self._session() as process, self._within(limit_s):
            printed, said = await process.communicate(wrapped.text())
        read = wrapped.output(printed)
        if read is None:
            raise self._broken(said)
        return Answer(*read)

    async def channel(self, script: str, *arguments: str) -> SshChannel:
        stack = contextlib.AsyncExitStack()
        process = await stack.enter_async_context(self._session())
        try:
            channel = SshChannel(self, stack, process, Wrapped(script, arguments, None))
            async with self._within(_ORDER_S):
                await channel.begin()
        except BaseException:
            await stack.aclose()
            raise
        return channel

    @contextlib.asynccontextmanager
    async def _session(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """A shell there, which is gone afterwards. Waits while there are too many."""
        async with self._sessions:
            master = await self._connected()
            try:
                process = await master.session(COMMAND)
            except OSError as exc:
                raise RunnerUnavailable(f"ssh does not start: {exc.strerror}") from exc
            try:
                yield process
            finally:
                await _certainly(end(process))

    @contextlib.asynccontextmanager
    async def _within(self, limit_s: float) -> AsyncIterator[None]:
        # Not with wait_for(): in Python 3.11 that may swallow the cancellation of a task, which then goes on forever.
        try:
            async with asyncio.timeout(limit_s):
                yield
        except TimeoutError:
            raise RunnerUnavailable(f"{self._connector.name} did not answer within {limit_s:g} s") from None
        except OSError:
            raise self._broken(b"") from None

    def _broken(self, said: bytes) -> RunnerUnavailable:
        lines, name = said.decode(errors="replace").splitlines(), self._connector.name
        if self._since is not None:
            return self._unavailable()
        if any(_REFUSED_SESSION in line for line in lines):
            return RunnerUnavailable(f"{name} allows too few sessions at once (MaxSessions of its sshd)")
        return RunnerUnavailable(f"{name} ended a command early: {refusal(lines).reason}")

    async def forward(self, remote: str, port: int = 0) -> int:
        master = await self._connected()
        for _attempt in range(_FREE_PORTS):
            chosen = port or _free_port()
            if port and not _is_free(port):
                raise PortTaken(port, None)
            if not (why := await self._lead(master, chosen, remote)):
                self._forwards[chosen] = remote
                return chosen
            if port and not _is_free(port):
                raise PortTaken(port, None)
        raise RunnerUnavailable(f"{self._connector.name}: no port is led to {remote}: {why}")

    async def unforward(self, port: int) -> None:
        remote = self._forwards.pop(port, None)
        if remote is not None and self._master is not None:
            with contextlib.suppress(TimeoutError, OSError):
                async with asyncio.timeout(_ORDER_S):
                    await self._master.order("cancel", "-L", _forward(port, remote))

    async def _lead(self, master: Master, port: int, remote: str) -> str:
        try:
            async with asyncio.timeout(_ORDER_S):
                return await master.order("forward", "-L", _forward(port, remote))
        except (TimeoutError, OSError):
            return "ssh did not answer"

    async def aclose(self) -> None:
        self._closed = True
        master = self._master
        await self._scope.aclose()
        if master is not None:
            await master.aclose()
        await self._connector.aclose()


class SshChannel:
    """See ``Channel``."""

    def __init__(
        self,
        machine: SshMachine,
        session: contextlib.AsyncExitStack,
        process: asyncio.subprocess.Process,
        wrapped: Wrapped,
    ) -> None:
        self._machine = machine
        self._session = session
        self._process = process
        self._wrapped = wrapped

    async def begin(self) -> None:
        """Returns when the script there begins. Raises: RunnerUnavailable."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(self._wrapped.text())
        await self._process.stdin.drain()
        begins = f"{self._wrapped.begins}\n".encode()
        while (line := await self._line()) != begins:
            if not line:
                raise await self._why()

    async def __aiter__(self) -> AsyncIterator[str]:
        ends = f"{self._wrapped.ends} ".encode()
        while line := await self._line():
            if line.startswith(ends):
                return
            yield line.decode(errors="surrogateescape").rstrip("\n")
        raise await self._why()

    async def _line(self) -> bytes:
        assert self._process.stdout is not None
        try:
            return await self._process.stdout.readline()
        except ValueError:  # longer than anything that is expected
            return b""

    async def _why(self) -> RunnerUnavailable:
        assert self._process.stderr is not None
        said = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REASON_S):
                said = await self._process.stderr.read(_LINE)
        await end(self._process)
        return self._machine._broken(said)  # noqa: SLF001

    async def write(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{line}\n".encode(errors="surrogateescape"))
            await self._process.stdin.drain()
        except OSError:
            raise await self._why() from None

    async def aclose(self) -> None:
        await _certainly(self._session.aclose())


async def _certainly(ending: Awaitable[object]) -> None:
    """Does it to the end, also in a task that is canceled, which is then canceled afterwards."""
    task = asyncio.ensure_future(ending)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def _forward(port: int, remote: str) -> str:
    if remote.startswith("/"):
        remote = remote.replace("\\", "\\\\").replace(":", "\\:").replace("%", "%%")
    return f"{_LOOPBACK}:{port}:{remote}"


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((_LOOPBACK, 0))
        return int(one.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((_LOOPBACK, port))
        except OSError:
            return False
    return True
