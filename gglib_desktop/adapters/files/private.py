"""Files and folders for this user alone, whatever the user's umask is."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

_FILE, _FOLDER = 0o600, 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_RUN = r"\d{8}-\d{6}-[a-z0-9-]+-[0-9a-f]{8}"
_IN_DATA_FOLDER = re.compile(
    r"lock|owner-id|(library|requests)\.sqlite(-wal|-shm|\.unreadable.*)?|app\.log(\.\d+)?|settings\.toml(\.tmp)?|window\.ini"
    r"|mock-servers\.(json|tmp|unreadable)"
)
_IN_FOLDERS = {
    "servers": re.compile(_RUN + r"\.(json|tmp|unreadable)"),
    "logs": re.compile(_RUN + r"\.log"),
    "models": re.compile(r"demo-model-F32\.gguf"),
}


def make_folder(folder: Path) -> None:
    """Makes a folder and its missing parents; an existing one stays as it is. Raises: OSError."""
    if folder.is_dir():
        return
    if folder.parent != folder:
        make_folder(folder.parent)
    try:
        folder.mkdir(_FOLDER)
    except FileExistsError:
        if not folder.is_dir():
            raise


def opener(path: str, flags: int) -> int:
    """For ``open``: makes the file if need be; an existing one keeps its permissions."""
    return os.open(path, flags | getattr(os, "O_CLOEXEC", 0), _FILE)


def make_file(path: Path) -> None:
    """Makes an empty file, unless it exists, for a library that would obey the user's umask.

    Raises: OSError.
    """
    with contextlib.suppress(FileExistsError):
        os.close(opener(str(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL))


def write_draft(path: Path, content: bytes) -> None:
    """Writes a new file in place of a leftover one. Raises: OSError."""
    path.unlink(missing_ok=True)
    with open(path, "xb", opener=opener) as file:  # Path's has no opener
        file.write(content)


def close_to_others(data_dir: Path, files: Iterable[Path], own_folders: Iterable[Path]) -> list[str]:
    """Makes files private that earlier versions made readable for all. Returns what could not be changed. Blocks.

    ``files`` may be outside the data directory, and ``own_folders`` are made private themselves. The data directory
    itself is not changed unless it is one of those, nor is a folder in it that holds anything but our files. Links are
    not followed, and files of other users are not touched.
    """
    if os.name != "posix":  # not run
        return []
    problems: list[str] = []
    for folder in own_folders:
        problems += _close(folder, os.O_DIRECTORY, _FOLDER)
    for path in dict.fromkeys((*files, *_matching(data_dir, _IN_DATA_FOLDER))):
        problems += _close(path, 0, _FILE)
    for name, pattern in _IN_FOLDERS.items():
        folder = data_dir / name
        # A data directory that the user chose may have a folder of that name for something else.
        ours = list(_matching(folder, pattern))
        if ours and len(ours) == len(list(folder.iterdir())):
            problems += _close(folder, os.O_DIRECTORY, _FOLDER)
        for path in ours:
            problems += _close(path, 0, _FILE)
    return problems


def _matching(folder: Path, pattern: re.Pattern[str]) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        if not folder.is_symlink():
            yield from sorted(path for path in folder.iterdir() if pattern.fullmatch(path.name))


def _close(path: Path, kind: int, mode: int) -> list[str]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | kind)
        try:
            if _is_to_be_closed(os.fstat(descriptor)):
                os.fchmod(descriptor, mode)
        finally:
            os.close(descriptor)
    except OSError as exc:
        with contextlib.suppress(OSError):  # a file that cannot be examined is not reported
            if _is_to_be_closed(os.lstat(path)):
                return [f"{path}: {exc.strerror}"]
    return []


def _is_to_be_closed(found: os.stat_result) -> bool:
    # A hard link is a link too.
    is_one = stat.S_ISDIR(found.st_mode) or (stat.S_ISREG(found.st_mode) and found.st_nlink == 1)
    return is_one and found.st_uid == os.geteuid() and bool(found.st_mode & _OTHERS)
