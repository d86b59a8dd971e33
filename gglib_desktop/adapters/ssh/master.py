"""The process of ssh that holds the connection to one computer, and the commands that go through it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from gglib_desktop.adapters.ssh.asking import Asking
from gglib_desktop.adapters.ssh.refusals import Cause, Refusal, refusal
from gglib_desktop.domain.documents.ssh_address import SshAddress

# A silent computer is given up after this time; questions to the user do not count.
_CONNECT_S = 13.0
_TICK_S = 0.25
_GONE_S = 2.0
_MOST_BANNER = 2**20
_CHUNK = 2**16
_LONGEST_LINE = 2**21
# First of all: a command of the user's configuration cannot take the place of ours.
SAFE = (
    *("-o", "RemoteCommand=none", "-o", "RequestTTY=no", "-o", "ForwardAgent=no", "-o", "ForwardX11=no"),
    *("-o", "PermitLocalCommand=no"),
)
_MASTER = (
    *("-M", "-T", "-o", "ControlPersist=no", "-o", "ClearAllForwardings=yes", "-o", "StreamLocalBindUnlink=yes"),
    *(
        "-o",
        "ServerAliveInterval=2",
        "-o",
        "ServerAliveCountMax=3",
        "-o",
        "ConnectTimeout=6",
        "-o",
        "ConnectionAttempts=1",
    ),
    *("-o", "LogLevel=INFO", "-o", "VisualHostKey=no", "-o", "ExitOnForwardFailure=no"),
)
# The user's configuration has had its say; without the connection there is to be no other one.
_THROUGH = (
    *("-F", "none", *SAFE, "-T", "-o", "ControlMaster=no", "-o", "ProxyCommand=false", "-o", "BatchMode=yes"),
    *("-o", "LogLevel=INFO"),
)


class Refused(Exception):  # noqa: N818  # what ssh did
    """The connection was not made."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why.reason)
        self.why = why


class Master:
    """One connection, from when it stands until it ends. It ends with this program, also when that is killed."""

    def __init__(self, program: str, host: str, socket: Path, process: asyncio.subprocess.Process) -> None:
        self._program = program
        self._host = host
        self._socket = socket
        self._process = process
        self._said: deque[str] = deque(maxlen=50)
        self._reading = [asyncio.create_task(self._keep_what_is_said(), name="what ssh says")]

    @classmethod
    async def open(
        cls,
        program: str,
        address: SshAddress,
        *,
        config: Path | None,
        folder: Path,
        environment: Mapping[str, str],
        asking: Asking | None,
    ) -> Master:
        """Connects. Raises: Refused."""
        socket = folder / secrets.token_hex(4)
        asks = ("-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes") if asking is None else ()
        words = (
            *(program, *(("-F", str(config)) if config else ()), *SAFE, *_MASTER, *asks),
            *("-S", str(socket).replace("%", "%%")),
            *(("-p", str(address.port)) if address.port else ()),
            *(("-o", f"User={address.user}") if address.user else ()),
            *("--", address.host, "exec cat"),
        )
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**environment, **(asking.variables if asking else {})},
                # Without a terminal it cannot ask there.
                start_new_session=True,
            )
        except OSError as exc:
            raise Refused(Refusal(Cause.LOST, f"ssh does not start: {exc.strerror}")) from exc
        master = cls(program, address.host, socket, process)
        try:
            await master._stands(asking)
        except BaseException:
            await master.aclose()
            raise
        return master

    async def _stands(self, asking: Asking | None) -> None:
        loop = asyncio.get_running_loop()
        echo = loop.create_task(self._echoes())
        waited_s = 0.0
        try:
            while not echo.done():
                await asyncio.wait({echo}, timeout=_TICK_S)
                waited_s += 0.0 if asking is not None and asking.is_open else _TICK_S
                if waited_s >= _CONNECT_S:
                    raise Refused(Refusal(Cause.LOST, f"no answer within {_CONNECT_S:g} s"))
            if not echo.result():
                await self.ended()
                raise Refused(self.why())
        finally:
            echo.cancel()
        self._reading.append(loop.create_task(self._drain(), name="what a connection prints"))

    async def _echoes(self) -> bool:
        """Whether the account's shell gives a line back; False when the connection ended before."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        token = secrets.token_hex(8).encode()
        printed = b""
        with contextlib.suppress(OSError):
            self._process.stdin.write(token + b"\n")
            await self._process.stdin.drain()
            while token not in printed:
                more = await self._process.stdout.read(_CHUNK)
                if not more:
                    return False
                printed = (printed + more)[-_MOST_BANNER:]
            return True
        return False

    async def _keep_what_is_said(self) -> None:
        assert self._process.stderr is not None
        rest = b""
        while more := await self._process.stderr.read(_CHUNK):
            *lines, rest = (rest + more)[-_MOST_BANNER:].split(b"\n")
            self._said.extend(line.decode(errors="replace").strip("\r") for line in lines)
        self._said.append(rest.decode(errors="replace"))

    async def _drain(self) -> None:
        assert self._process.stdout is not None
        while await self._process.stdout.read(_CHUNK):
            pass

    async def ended(self) -> None:
        """Returns when the connection has ended and all that ssh said of it was read."""
        await self._process.wait()
        await asyncio.wait(self._reading[:1])

    def why(self) -> Refusal:
        """Why it ended."""
        return refusal(self._said)

    async def session(self, command: str) -> asyncio.subprocess.Process:
        """A command there, with pipes to it. Raises: OSError."""
        return await self._through(command)

    async def order(self, order: str, *options: str) -> str:
        """Gives the connection an order, such as ``forward``. Returns why it was refused; empty when it was done."""
        process = await self._through(options=("-O", order, *options))
        try:
            _output, said = await process.communicate()
        finally:
            await end(process)
        return "" if process.returncode == 0 else refusal(said.decode(errors="replace").splitlines()).reason

    async def _through(self, command: str = "", options: Sequence[str] = ()) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        words = (self._program, *_THROUGH, "-S", str(self._socket).replace("%", "%%"), *options, "--", self._host)
        return await asyncio.create_subprocess_exec(
            *words,
            *((command,) if command else ()),
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            limit=_LONGEST_LINE,
            start_new_session=True,
        )

    async def aclose(self) -> None:
        """Ends it, and what goes through it."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GONE_S):
                await self._process.wait()
        await end(self._process)
        for task in self._reading:
            task.cancel()
        # One that was killed leaves it.
        self._socket.unlink(missing_ok=True)


async def end(process: asyncio.subprocess.Process) -> None:
    """Kills one of our own processes unless it has ended, and waits until it is gone."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    transport = process._transport  # type: ignore[attr-defined]  # noqa: SLF001  # there is no public way
    # asyncio waits for its pipes too. The connection may hold their other ends, as long as a script runs there.
    to_it, *from_it = (transport.get_pipe_transport(number) for number in range(3))
    if not to_it.is_closing() or to_it.get_write_buffer_size():
        to_it.abort()  # without what nobody has read
    for pipe in from_it:
        pipe.close()
    await process.wait()
    transport.close()
