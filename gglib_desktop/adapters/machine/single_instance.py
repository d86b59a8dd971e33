"""A second start of the program hands its arguments to the first one. POSIX so far."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from gglib_desktop.adapters.files import private

_log = logging.getLogger(__name__)
_NAME = "app.socket"
_MODE = 0o600
_TIMEOUT_S = 2.0
_MOST_BYTES = 1024 * 1024


class SingleInstance:
    """Listens in the data directory for later starts. Call ``hand_over`` before, ``listen`` after taking the lock."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._server: asyncio.Server | None = None

    def hand_over(self, paths: Sequence[Path]) -> bool:
        """Gives ``paths`` to the running instance. False if there is none. Blocks briefly."""
        if not hasattr(socket, "AF_UNIX") or not os.path.isdir(self._data_dir):
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, self._short_path() as path:
            connection.settimeout(_TIMEOUT_S)
            try:
                connection.connect(path)
                connection.sendall(json.dumps([str(path.absolute()) for path in paths]).encode() + b"\n")
                return connection.recv(1) == b"\n"
            except OSError:
                return False

    async def listen(self, on_start: Callable[[list[Path]], None]) -> None:
        """Calls ``on_start`` with the paths of each later start. The caller holds the data directory's lock."""
        if not hasattr(socket, "AF_UNIX"):
            return

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    paths = _paths(await reader.readline())
                    writer.write(b"\n")
                    await writer.drain()
            except (OSError, ValueError, TimeoutError, RecursionError):
                return
            finally:
                writer.close()
            on_start(paths)

        try:
            private.make_folder(self._data_dir)
            (self._data_dir / _NAME).unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(serve, sock=self._bound(), limit=_MOST_BYTES)
        except OSError as exc:
            # Some file systems have no sockets, and full disks no room for one. The lock works all the same.
            _log.warning("later starts of the program cannot be heard: %s", exc)

    async def aclose(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
            with suppress(OSError):
                (self._data_dir / _NAME).unlink(missing_ok=True)

    def _bound(self) -> socket.socket:
        """A socket that only this user may use, from its first moment. Raises: OSError."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with suppress(OSError):  # macOS refuses it before the socket has a name
                os.fchmod(listener.fileno(), _MODE)
            with self._short_path() as path:
                listener.bind(path)
                os.chmod(path, _MODE)
        except OSError:
            listener.close()
            raise
        return listener

    @contextmanager
    def _short_path(self) -> Iterator[str]:
        """A path of the socket within the system's limit of 108 bytes, however deep the directory lies."""
        direct = str(self._data_dir / _NAME)
        if len(direct.encode()) < 100 or not Path("/proc/self/fd").is_dir():
            yield direct
            return
        fd = os.open(self._data_dir, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield f"/proc/self/fd/{fd}/{_NAME}"
        finally:
            os.close(fd)


def _paths(line: bytes) -> list[Path]:
    """The paths from another start. Raises: ValueError if the message is not ours."""
    names = json.loads(line)
    if not isinstance(names, list):
        raise ValueError("not a list of paths")
    return [Path(str(name)) for name in names]
