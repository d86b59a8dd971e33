"""Keeps the keys of endpoints: in the system's keyring where one answers, else in files that only the user can read."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gglib_desktop.adapters.keys.key_store import KeyFile
from gglib_desktop.adapters.keys.keyring import AskedKeyring
from gglib_desktop.domain.endpoints.address import is_endpoint_key
from gglib_desktop.domain.errors import KeyStoreError


class KeptEndpointKeys:
    """One file for each key, by the endpoint's id. It is empty where the keyring has the key."""

    def __init__(self, folder: Path, keyring: AskedKeyring | None = None) -> None:
        self._folder = folder
        self._keyring = keyring or AskedKeyring()
        self._lock = asyncio.Lock()

    async def key(self, endpoint_id: str) -> str | None:
        async with self._lock:
            file = self._file(endpoint_id)
            size = await asyncio.to_thread(_size, file.path)
            if size != 0:
                return await asyncio.to_thread(file.read)
            found = await self._keyring.get(_user(endpoint_id))
            if found is None or not is_endpoint_key(found):
                raise KeyStoreError(f"the keyring does not give the key of {endpoint_id}: {self._keyring.problem}")
            return found

    async def keep(self, endpoint_id: str, key: str) -> None:
        async with self._lock:
            has_keyring = await self._keyring.put(_user(endpoint_id), key)
            await asyncio.to_thread(self._file(endpoint_id).write, "" if has_keyring else key)

    async def remove(self, endpoint_id: str) -> None:
        async with self._lock:
            file = self._file(endpoint_id)
            if await asyncio.to_thread(_size, file.path) == 0:
                await self._keyring.remove(_user(endpoint_id))
            await asyncio.to_thread(file.remove)

    async def ids(self) -> frozenset[str]:
        return await asyncio.to_thread(_names, self._folder)

    def _file(self, endpoint_id: str) -> KeyFile:
        return KeyFile(self._folder / endpoint_id, is_endpoint_key)


def _user(endpoint_id: str) -> str:
    return f"key for the endpoint {endpoint_id}"


def _size(path: Path) -> int | None:
    """None where there is no file. What cannot be looked at is read, which tells why not."""
    try:
        # The line ends even where there is no key.
        return max(0, path.stat().st_size - 1)
    except FileNotFoundError:
        return None
    except OSError:
        return -1


def _names(folder: Path) -> frozenset[str]:
    try:
        return frozenset(path.name for path in folder.iterdir() if path.is_file())
    except OSError:
        return frozenset()
