"""Keeps the key in the system's keyring if there is one that answers, else in a file that only the user can read."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from gglib_desktop.adapters.files import private
from gglib_desktop.adapters.files.whole_file import whole_file
from gglib_desktop.adapters.keys.keyring import AskedKeyring
from gglib_desktop.domain.errors import KeyStoreError
from gglib_desktop.domain.servers.access import KeyPlace, is_usable_key

_log = logging.getLogger(__name__)
KEY_FILE = "api-key"
USER = "key for model servers"
_KEY_BYTES = 32
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MOST_BYTES = 4096


class KeyFile:
    """The key in a file for its owner alone. Blocks briefly. ``was_readable``: others could read it until we looked."""

    def __init__(self, path: Path, is_usable: Callable[[str], bool] = is_usable_key) -> None:
        self.path = path
        self._is_usable = is_usable
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
        if not self._is_usable(text):
            raise KeyStoreError(f"{self.path}: holds no key that can be used; put one into it, or remove it")
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


class KeptKey:
    """The KeyStore of this computer. Without a ``keyring`` that can be used, the file has the key."""

    def __init__(self, file: Path, keyring: AskedKeyring | None = None) -> None:
        self._file = KeyFile(file)
        self._keyring = keyring or AskedKeyring()
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
            name, file = await self._keyring.name(), self._file
            if name is not None and not await asyncio.to_thread(file.path.exists):
                return KeyPlace(keyring=name, was_readable=file.was_readable)
            return KeyPlace(file=file.path, keyring_problem=self._keyring.problem, was_readable=file.was_readable)

    async def _keep(self, key: str) -> str:
        if await self._put_into_keyring(key):
            await asyncio.to_thread(self._file.remove)
        else:
            await asyncio.to_thread(self._file.write, key)
        return key

    async def _read_keyring(self) -> str | None:
        if self._known is None:
            found = await self._keyring.get(USER)
            self._known = found if found is not None and is_usable_key(found) else None
        return self._known

    async def _put_into_keyring(self, key: str) -> bool:
        self._known = key if await self._keyring.put(USER, key) else None
        return self._known is not None
