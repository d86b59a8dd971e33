"""The home folder of the user, and the places for a user without one."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
from pathlib import Path

if sys.platform != "win32":
    import pwd

_LASTING = Path("/var/tmp")  # noqa: S108  # checked below to be ours alone


def home_folder() -> Path | None:
    """None for a user without one: no HOME, and no entry in the system's list of users, as in many containers."""
    home = os.path.expanduser("~")
    if sys.platform != "win32" and not os.path.isabs(os.environ.get("HOME", "/")):
        # Like platformdirs: an empty or relative one counts as none.
        home = ""
        with contextlib.suppress(KeyError):
            home = pwd.getpwuid(os.getuid()).pw_dir
    return Path(home) if os.path.isabs(home) else None


def can_be(folder: Path) -> bool:
    """Whether a folder exists or can be made."""
    there = next(each for each in (folder, *folder.parents) if os.path.lexists(each))
    return os.path.isdir(there) and (there == folder or os.access(there, os.W_OK | os.X_OK))


def folder_without_home(name: str) -> Path:
    """A folder for this user alone, made if need be. It outlives a restart if the system has such a place."""
    if hasattr(os, "getuid"):
        for parent in (_LASTING, Path(tempfile.gettempdir())):
            folder = parent / f"{name}-{os.getuid()}"
            if _is_own(folder):
                return folder
    return Path(tempfile.mkdtemp(prefix=f"{name}-"))


def _is_own(folder: Path) -> bool:
    """Whether the folder, made if need be, is not a link and belongs to this user. Anyone may write to its parent."""
    try:
        if not os.path.lexists(folder):
            folder.mkdir(0o700)
        found = folder.lstat()
        return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not stat.S_IMODE(found.st_mode) & 0o077
    except OSError:
        return False
