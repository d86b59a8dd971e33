"""The key in a file that only its owner can read."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

from gglib_desktop.adapters.files import private
from gglib_desktop.adapters.files.whole_file import whole_file
from gglib_desktop.domain.errors import KeyStoreError
from gglib_desktop.domain.servers.access import is_usable_key

_log = logging.getLogger(__name__)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MOST_BYTES = 4096


class KeyFile:
    """One file. All methods block briefly. ``was_readable``: others could read it until we looked."""

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
