"""What a process has used so far, asked so often that the asking must cost next to nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil

from gglib_desktop.domain.servers.health import Usage

# Of /proc/PID/stat, counted from the state, which is the first after the name; proc(5).
_STATE, _USER_TICKS, _SYSTEM_TICKS, _BEGAN, _RSS_PAGES = 0, 11, 12, 19, 21
_LONGEST = 4096
# Of the device files, those that are no graphics card.
_HARMLESS = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/pts/", "/dev/shm/")  # noqa: S108  # only compared


class ProcessUse:
    """The use of the process that has ``pid`` now, never that of a later one. Raises: OSError, psutil.Error."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        if sys.platform.startswith("linux"):
            self._began = _stat(pid)[_BEGAN]
            self._tick_s, self._page_bytes = 1 / os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
        else:  # not run
            self._process = psutil.Process(pid)

    def read(self) -> Usage | None:
        """None when the process is gone."""
        if not sys.platform.startswith("linux"):
            return _used_by(self._process)
        try:
            stat = _stat(self.pid)
        except OSError:
            return None
        if stat[_BEGAN] != self._began:
            return None
        cpu_s = (int(stat[_USER_TICKS]) + int(stat[_SYSTEM_TICKS])) * self._tick_s
        return Usage(cpu_s, int(stat[_RSS_PAGES]) * self._page_bytes, paused=stat[_STATE] == b"T")


def _stat(pid: int) -> list[bytes]:
    """One small file says it all, where psutil reads three."""
    descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    try:
        text = os.read(descriptor, _LONGEST)
    finally:
        os.close(descriptor)
    # The name before it, in parentheses, may itself hold blanks and parentheses.
    return text.rpartition(b")")[2].split()


def _used_by(process: psutil.Process) -> Usage | None:
    try:
        if not process.is_running():
            return None
        with process.oneshot():
            cpu, memory, status = process.cpu_times(), process.memory_info(), process.status()
    except (psutil.Error, OSError):
        return None
    return Usage(cpu.user + cpu.system, memory.rss, paused=status == psutil.STATUS_STOPPED)


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
