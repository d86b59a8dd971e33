"""Opens files of unknown origin for reading: only regular files, and without waiting."""

from __future__ import annotations

import os
import stat
from io import FileIO
from pathlib import Path

from gglib_desktop.domain.errors import InvalidModelFile

_KINDS = (
    (stat.S_ISDIR, "it is a folder, not a file"),
    (stat.S_ISFIFO, "it is a pipe, not a file"),
    (stat.S_ISSOCK, "it is a socket, not a file"),
    (stat.S_ISCHR, "it is a device, not a file"),
    (stat.S_ISBLK, "it is a device, not a file"),
)
_CALMLY = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


def open_regular(path: Path) -> FileIO:
    """The file, unbuffered. Raises: InvalidModelFile, also if it is gone, unreadable or not a regular file."""
    # Look before opening: opening a device can have effects, and opening a pipe waits for its other end. The second
    # look is at the open file, and with O_NONBLOCK even a pipe put there in between does not block.
    try:
        _require_regular(path, path.stat())
        file = FileIO(path, opener=lambda name, flags: os.open(name, flags | _CALMLY))
        try:
            _require_regular(path, os.fstat(file.fileno()))
        except InvalidModelFile:
            file.close()
            raise
    except (OSError, ValueError) as exc:
        raise InvalidModelFile(path, why_unreadable(exc)) from exc
    return file


def why_unreadable(exc: OSError | ValueError) -> str:
    """What is wrong with a file, for people."""
    if isinstance(exc, (FileNotFoundError, NotADirectoryError)):
        return "the file does not exist"
    if isinstance(exc, PermissionError):
        return "permission to read the file is denied"
    if isinstance(exc, OSError):
        return f"the file cannot be read: {exc.strerror or exc}"
    return f"not a possible file name: {exc}"


def _require_regular(path: Path, status: os.stat_result) -> None:
    for is_kind, reason in _KINDS:
        if is_kind(status.st_mode):
            raise InvalidModelFile(path, reason)
