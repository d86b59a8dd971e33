"""Folders for the sockets of one connection."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

# ssh adds 17 characters to the path of a socket, which may have 107.
_MOST_PATH = 60


def private_folder(environment: Mapping[str, str], *, runs_programs: bool = False) -> Path:
    """A new folder for this user alone, with a path so short that ssh can make sockets there. Blocks.

    ``runs_programs``: programs in it can be run. Raises: OSError.
    """
    for parent in _parents(environment):
        if os.path.isabs(parent) and len(parent) < _MOST_PATH and _is_usable(parent, runs_programs=runs_programs):
            return Path(tempfile.mkdtemp(prefix="gglib-ssh-", dir=parent))
    raise FileNotFoundError("no folder with a short path can be written to")


def _parents(environment: Mapping[str, str]) -> Iterator[str]:
    yield environment.get("XDG_RUNTIME_DIR", "")
    yield tempfile.gettempdir()
    yield "/tmp"  # noqa: S108  # mkdtemp makes a folder of its own


def _is_usable(folder: str, *, runs_programs: bool) -> bool:
    try:
        flags = os.statvfs(folder).f_flag
    except OSError:
        return False
    return os.access(folder, os.W_OK) and not (runs_programs and flags & getattr(os, "ST_NOEXEC", 0))
