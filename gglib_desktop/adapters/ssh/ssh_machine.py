"""A computer that is reached by the ssh of this system, with the user's own configuration (docs/adr/0013)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path

from gglib_desktop.adapters.ssh.asking import Asker
from gglib_desktop.adapters.ssh.machine import Answer
from gglib_desktop.adapters.ssh.master import Master, Refused, end
from gglib_desktop.adapters.ssh.refusals import Cause, Refusal, refusal
from gglib_desktop.adapters.ssh.shell import COMMAND, Wrapped
from gglib_desktop.domain.documents.ssh_address import SshAddress
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
_LINE = 2**20
_FREE_PORTS = 5
_LOOPBACK = "127.0.0.1"
# ssh adds 17 characters to the path of a socket, which may have 107.
_MOST_PATH = 60


class SshMachine:
    """See ``Machine``. ``name`` is how the user knows it."""

    def __init__(
        self,
        address: SshAddress,
        *,
        name: str = "",
        config: Path | None = None,
        environment: Mapping[str, str] | None = None,
        asker: Asker | None = None,
    ) -> None:
        """``config`` takes the place of the user's own configuration of ssh. Without ``asker`` no question is asked."""
        self._address = address
        self._name = name or address.host
        self._config = config
        self._environment = os.environ if environment is None else environment
        self._asker = asker
        self._may_ask = True
        self._is_wanted = False
        self._scope = TaskScope(LogReporter())
        self._folder: Path | None = None
        self._master: Master | None = None
        self._opening: asyncio.Task[Master | None] | None = None
        self._closed = False
        self._since: float | None = None
        self._why = ""
        self._cause = Cause.LOST
        self._listeners: list[Callable[[], object]] = []
        self._sessions = asyncio.Semaphore(_SESSIONS)
        self._forwards: dict[int, str] = {}

    # -- the link

    @property
    def since(self) -> float | None:
        return self._since

    @property
    def reason(self) -> str:
        return self._why

    def on_change(self, callback: Callable[[], object]) -> Callable[[], None]:
        self._listeners.append(callback)

        def forget() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(callback)

        return forget

    def ask_again(self) -> None:
        """Makes the next use connect at once, and ask if need be: the user has just asked for something there."""
        self._may_ask = self._is_wanted = True

    async def _connected(self) -> Master:
        if self._closed:
            raise RunnerUnavailable(f"{self._name} was left")
        if self._master is not None:
            return self._master
        if self._since is not None and not self._is_wanted:
            raise self._unavailable()
        master = await asyncio.shield(self._begin_to_open())
        if master is None:
            raise self._unavailable()
        return master

    def _unavailable(self) -> RunnerUnavailable:
        return RunnerUnavailable(f"{self._name} cannot be reached: {self._why}")

    def _begin_to_open(self) -> asyncio.Task[Master | None]:
        if self._opening is None:
            self._opening = self._scope.start(self._open(), name=f"connect to {self._name}")
        return self._opening

    async def _open(self) -> Master | None:
        may_ask, self._may_ask, self._is_wanted = self._may_ask, False, False
        try:
            master = await self._attempt(may_ask=may_ask)
        except Refused as exc:
            self._lost(exc.why)
            return None
        finally:
            self._opening = None
        self._master = master
        self._scope.start(self._until_lost(master), name=f"connection to {self._name}")
        for port, remote in tuple(self._forwards.items()):
            if why := await self._lead(master, port, remote):
                _log.warning("%s: port %s is not led there again: %s", self._name, port, why)
        if self._since is not None:
            self._since, self._why = None, ""
            self._tell()
        return master

    async def _attempt(self, *, may_ask: bool) -> Master:
        program = shutil.which("ssh", path=self._environment.get("PATH"))
        if program is None:
            raise Refused(Refusal(Cause.LOST, "ssh is not installed on this computer (package openssh-client)"))
        if self._folder is None:
            self._folder = await asyncio.to_thread(_private_folder, self._environment)
        asking = await self._asker.attempt(self._name) if self._asker and may_ask else None
        try:
            return await Master.open(
                program,
                self._address,
                config=self._config,
                folder=self._folder,
                environment=self._environment,
                asking=asking,
            )
        except Refused as exc:
            if asking is not None and asking.was_called_off:
                raise Refused(Refusal(Cause.NOT_AUTHORIZED, "the question of ssh was not answered")) from None
            if self._asker is not None and may_ask and exc.why.cause is Cause.CHANGED_HOST_KEY:
                self._asker.tell_changed(self._name, exc.why.fingerprint)
            raise
        finally:
            if asking is not None:
                await asking.aclose()

    async def _until_lost(self, master: Master) -> None:
        try:
            await master.ended()
        finally:
            self._master = None
            await master.aclose()
        self._may_ask = True
        self._lost(master.why())

    def _lost(self, why: Refusal) -> None:
        self._why, self._cause = why.reason, why.cause
        if self._since is not None or self._closed:
            return
        self._since = time.time()
        self._scope.start(self._reconnect(), name=f"reach {self._name} again")
        self._tell()

    async def _reconnect(self) -> None:
        attempts = 0
        while self._since is not None:
            quick = _PAUSES_S[min(attempts, len(_PAUSES_S) - 1)]
            await asyncio.sleep(quick if self._cause is Cause.LOST else _LONG_PAUSE_S)
            attempts += 1
            if self._since is not None:
                await asyncio.shield(self._begin_to_open())

    def _tell(self) -> None:
        for callback in tuple(self._listeners):
            callback()

    # -- what goes through it

    async def run(self, script: str, *arguments: str, input: bytes = b"", limit_s: float = 10) -> Answer:  # noqa: A002
        wrapped = Wrapped(script, arguments, input)
        async with self._session() as process:
            with self._within(limit_s):
                printed, said = await asyncio.wait_for(process.communicate(wrapped.text()), limit_s)
        read = wrapped.output(printed)
        if read is None:
            raise self._broken(said)
        return Answer(*read)

    async def channel(self, script: str, *arguments: str) -> SshChannel:
        stack = contextlib.AsyncExitStack()
        process = await stack.enter_async_context(self._session())
        try:
            channel = SshChannel(self, stack, process, Wrapped(script, arguments, None))
            with self._within(_ORDER_S):
                await asyncio.wait_for(channel.begin(), _ORDER_S)
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

    @contextlib.contextmanager
    def _within(self, limit_s: float) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            raise RunnerUnavailable(f"{self._name} did not answer within {limit_s:g} s") from None
        except OSError:
            raise self._broken(b"") from None

    def _broken(self, said: bytes) -> RunnerUnavailable:
        lines = said.decode(errors="replace").splitlines()
        if self._since is not None:
            return self._unavailable()
        if any(_REFUSED_SESSION in line for line in lines):
            return RunnerUnavailable(f"{self._name} allows too few sessions at once (MaxSessions of its sshd)")
        return RunnerUnavailable(f"{self._name} ended a command early: {refusal(lines).reason}")

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
        raise RunnerUnavailable(f"{self._name}: no port is led to {remote}: {why}")

    async def unforward(self, port: int) -> None:
        remote = self._forwards.pop(port, None)
        if remote is not None and self._master is not None:
            with contextlib.suppress(TimeoutError, OSError):
                await asyncio.wait_for(self._master.order("cancel", "-L", _forward(port, remote)), _ORDER_S)

    async def _lead(self, master: Master, port: int, remote: str) -> str:
        try:
            return await asyncio.wait_for(master.order("forward", "-L", _forward(port, remote)), _ORDER_S)
        except (TimeoutError, OSError):
            return "ssh did not answer"

    async def aclose(self) -> None:
        self._closed = True
        master = self._master
        await self._scope.aclose()
        if master is not None:
            await master.aclose()
        if self._folder is not None:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)


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
            yield line.decode(errors="replace").rstrip("\n")
        raise await self._why()

    async def _line(self) -> bytes:
        assert self._process.stdout is not None
        try:
            return await self._process.stdout.readline()
        except ValueError:  # longer than anything that is expected
            return b""

    async def _why(self) -> RunnerUnavailable:
        assert self._process.stderr is not None
        await end(self._process)
        return self._machine._broken(await self._process.stderr.read(_LINE))  # noqa: SLF001

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


def _private_folder(environment: Mapping[str, str]) -> Path:
    """A new folder for this user alone, with a path so short that ssh can make sockets there. Blocks."""
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    parents = (runtime, tempfile.gettempdir(), "/tmp")  # noqa: S108  # mkdtemp makes a folder of its own
    short = next(
        each for each in parents if os.path.isabs(each) and len(each) < _MOST_PATH and os.access(each, os.W_OK)
    )
    return Path(tempfile.mkdtemp(prefix="gglib-ssh-", dir=short))


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
