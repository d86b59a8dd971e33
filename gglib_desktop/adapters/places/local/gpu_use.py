"""Whether a server can have a GPU at all, which llama-server b10434 does not tell unless it is asked to tell more."""

from __future__ import annotations

import sys
from pathlib import Path

_HARMLESS = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/pts/", "/dev/shm/")  # noqa: S108  # only compared


def computes_without_gpu(pid: int) -> bool:
    """True when it is certain: the process has no device file open. Linux alone tells.

    Drivers keep their device files open, each its own, so every device that is not known to be harmless leaves doubt.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        targets = [_target(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return False  # gone, or another user's
    return not any(target.startswith("/dev/") and not target.startswith(_HARMLESS) for target in targets)


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""  # closed in the meantime
