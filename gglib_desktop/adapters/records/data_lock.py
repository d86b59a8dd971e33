"""One program at a time per data directory, as a lock that the kernel releases on any death."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from gglib_desktop.adapters.files import private
from gglib_desktop.domain.errors import DataDirectoryInUse, RunnerUnavailable

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCK_NAME = "lock"


class DataLock:
    """An exclusive lock on a data directory. The file holds its owner's pid, for the message to others only."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / LOCK_NAME
        self._fd: int | None = None

    def acquire(self) -> None:
        """Takes the lock, at once or not at all. Raises: DataDirectoryInUse naming the owner, RunnerUnavailable."""
        try:
            private.make_folder(self._path.parent)
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as exc:
            raise RunnerUnavailable(f"cannot use the data directory {self._path.parent}: {exc.strerror}") from exc
        try:
            _lock(fd)
        except (BlockingIOError, PermissionError) as exc:
            who = _owner(fd)
            os.close(fd)
            raise DataDirectoryInUse(f"the data directory {self._path.parent} is in use by {who}") from exc
        except OSError as exc:
            os.close(fd)
            raise RunnerUnavailable(f"cannot lock the data directory {self._path.parent}: {exc.strerror}") from exc
        self._fd = fd
        with contextlib.suppress(OSError):  # a full disk has no room for the message, and the lock needs none
            os.ftruncate(fd, 0)
            os.write(fd, str(os.getpid()).encode())

    def is_held(self) -> bool:
        """Whether another program holds it; False also if that is unknown. Blocks only briefly."""
        if sys.platform == "win32":  # not run
            return False
        try:
            fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(fd)
        return False

    def release(self) -> None:
        if self._fd is not None:
            # Closing is not enough while a child that is just being started has a copy of the descriptor.
            _unlock(self._fd)
            os.close(self._fd)
            self._fd = None


def _lock(fd: int) -> None:
    if sys.platform == "win32":  # not run
        os.lseek(fd, 1 << 30, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        os.lseek(fd, 0, os.SEEK_SET)
    else:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _owner(fd: int) -> str:
    owner = ""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            owner = os.pread(fd, 100, 0).decode(errors="replace").strip()
    return f"process {owner}" if owner else "another program"


def _unlock(fd: int) -> None:
    if sys.platform != "win32":  # there it ends with the descriptor, which no child inherits
        fcntl.flock(fd, fcntl.LOCK_UN)
