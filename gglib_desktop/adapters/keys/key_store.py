"""Keeps the key in the system's keyring if there is one that answers, else in a file that only the user can read."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import stat
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from gglib_desktop.adapters.files import private
from gglib_desktop.adapters.files.whole_file import whole_file
from gglib_desktop.domain.errors import KeyStoreError
from gglib_desktop.domain.servers.access import KeyPlace, is_usable_key

T = TypeVar("T")
_log = logging.getLogger(__name__)
KEY_FILE = "api-key"
SERVICE = "gglib-desktop"
USER = "key for model servers"
# Long enough to type the password of a locked keyring; a bus that hangs must not keep a server from starting.
_KEYRING_S = 15.0
_KEY_BYTES = 32
# The package's own threshold: backends below it are not keyrings, or plain files.
_LEAST_PRIORITY = 1
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MOST_BYTES = 4096


class KeyFile:
    """The key in a file for its owner alone. Blocks briefly. ``was_readable``: others could read it until we looked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.was_readable = False

    def read(self) -> str | None:
        """The key, None without a file. Raises: KeyStoreError."""
        try:
            with self.path.open("rb") as file:
                self._close_to_others(file.fileno())
                text = file.read(_MOST_BYTES).decode("ascii", "replace").strip()
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise KeyStoreError(f"{self.path}: cannot be read: {exc.strerror}") from exc
        if not is_usable_key(text):
            raise KeyStoreError(f"{self.path}: holds no key that can be used; without the file a new one is made")
        return text

    def write(self, key: str) -> None:
        """Writes the whole key or nothing; others can never read it. Raises: KeyStoreError."""
        try:
            private.make_folder(self.path.parent)
            with whole_file(self.path, mode=0o600) as file:
                file.write(f"{key}\n".encode("ascii"))
        except OSError as exc:
            raise KeyStoreError(f"{self.path}: cannot be written: {exc.strerror}") from exc
        self.was_readable = False

    def remove(self) -> None:
        """Raises: KeyStoreError."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as exc:
            raise KeyStoreError(f"{self.path}: cannot be removed: {exc.strerror}") from exc

    def _close_to_others(self, fd: int) -> None:
        if os.name != "posix":  # not run
            return
        status = os.fstat(fd)
        if status.st_uid != os.geteuid():
            raise KeyStoreError(f"{self.path}: belongs to another user, who knows the key")
        if status.st_mode & _OTHERS:
            os.fchmod(fd, 0o600)
            self.was_readable = True
            _log.warning("%s could be read by other users, who may know the key; it cannot any more", self.path)


class Keyring(Protocol):
    """The methods we use of a ``keyring`` backend. All block, and may raise anything."""

    name: str

    def get_password(self, service: str, username: str, /) -> str | None: ...

    def set_password(self, service: str, username: str, password: str, /) -> None: ...


class KeptKey:
    """The KeyStore of this computer. ``find_keyring`` None: only the file may be written."""

    def __init__(self, file: Path, find_keyring: Callable[[], Keyring | None] | None = None) -> None:
        self._file = KeyFile(file)
        self._find_keyring = find_keyring
        self._timeout_s = _KEYRING_S
        self._keyring: Keyring | None = None
        self._problem = ""
        self._known: str | None = None
        self._lock = asyncio.Lock()

    async def key(self) -> str:
        async with self._lock:
            # The file was written when the keyring could not be used, so the keyring's content is older.
            in_file = await asyncio.to_thread(self._file.read)
            if in_file is not None:
                if await self._put_into_keyring(in_file):
                    with contextlib.suppress(KeyStoreError):  # it has the same key, and this is tried each time
                        await asyncio.to_thread(self._file.remove)
                return in_file
            return await self._read_keyring() or await self._keep(secrets.token_urlsafe(_KEY_BYTES))

    async def renew(self) -> str:
        async with self._lock:
            return await self._keep(secrets.token_urlsafe(_KEY_BYTES))

    async def where(self) -> KeyPlace:
        async with self._lock:
            await self._look_for_keyring()
            file = self._file
            if self._keyring is not None and not await asyncio.to_thread(file.path.exists):
                return KeyPlace(keyring=self._keyring.name, was_readable=file.was_readable)
            return KeyPlace(file=file.path, keyring_problem=self._problem, was_readable=file.was_readable)

    async def _keep(self, key: str) -> str:
        if await self._put_into_keyring(key):
            await asyncio.to_thread(self._file.remove)
        else:
            await asyncio.to_thread(self._file.write, key)
        return key

    # -- the keyring: after a failure or without an answer, this run of the program does not use it any more

    async def _look_for_keyring(self) -> None:
        find, self._find_keyring = self._find_keyring, None
        if find is not None:
            self._keyring = await self._ask(find)

    async def _read_keyring(self) -> str | None:
        await self._look_for_keyring()
        if self._known is None and self._keyring is not None:
            found = await self._ask(partial(self._keyring.get_password, SERVICE, USER))
            self._known = found if found is not None and is_usable_key(found) else None
        return self._known

    async def _put_into_keyring(self, key: str) -> bool:
        """Whether the keyring says that it has the key now."""
        await self._look_for_keyring()
        if self._keyring is None:
            return False
        self._known = None
        await self._ask(partial(self._keyring.set_password, SERVICE, USER, key))
        return await self._read_keyring() == key

    async def _ask(self, question: Callable[[], T]) -> T | None:
        """The answer. Without one in time, or after an error, it is None, and the keyring is not used any more."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await _in_daemon(question)
        except TimeoutError:
            self._problem = f"it did not answer within {self._timeout_s:g} s"
        except Exception as exc:  # noqa: BLE001  # a keyring's plug-in may raise anything; the file is used then
            # Not its text: it comes from another program and might quote the key.
            self._problem = f"it failed ({type(exc).__name__})"
        _log.warning("the system's keyring is not used: %s", self._problem)
        self._keyring = None
        return None


def system_keyring() -> Keyring | None:
    """The keyring that the ``keyring`` package recommends for this computer, None without one. Blocks."""
    # Imported here, in a thread: 100 ms that most sessions never need.
    import keyring

    backend: Any = keyring.get_keyring()
    # A chain asks the best of several keyrings.
    backend = next(iter(getattr(backend, "backends", ())), backend)
    return backend if backend.priority >= _LEAST_PRIORITY else None


async def _in_daemon(function: Callable[[], T]) -> T:
    """The function's result, from a thread that neither keeps the program from ending nor occupies a pool's thread."""
    outcome: Future[T] = Future()
    # Cancelling a caller from now on cancels only the waiting.
    outcome.set_running_or_notify_cancel()

    def work() -> None:
        try:
            outcome.set_result(function())
        except Exception as exc:  # noqa: BLE001  # handed over to who waits
            outcome.set_exception(exc)

    threading.Thread(target=work, name="keyring", daemon=True).start()
    return await asyncio.wrap_future(outcome)
