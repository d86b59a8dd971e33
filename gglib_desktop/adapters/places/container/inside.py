"""The processes in a container, where they are processes of this computer too, as with an engine that needs no VM."""

from __future__ import annotations

import contextlib
import os
import time

import psutil

from gglib_desktop.adapters.places.local.process_use import ProcessUse
from gglib_desktop.domain.servers.health import Usage

_LONGEST = 65536
# A look at a server asks twice, and looking for its children costs as much as everything else.
_KNOWN_FOR_S = 1.0


class Inside:
    """``first`` is the pid of the first process of a container, as its engine tells it."""

    def __init__(self, container_id: str, first: int) -> None:
        # A number from the engine of another computer may be that of any program here.
        self._first = first if container_id.encode() in _read(f"/proc/{first}/cgroup") else 0
        self._uses: dict[int, ProcessUse] = {}
        self._found: list[int] = []
        self._found_at = -_KNOWN_FOR_S

    def pids(self) -> list[int]:
        """The first process and all that it started; none where they are not seen from here."""
        found = [self._first] if self._first else []
        for pid in found:
            found += [int(child) for child in _read(f"/proc/{pid}/task/{pid}/children").split()]
        return found

    def usage(self) -> Usage | None:
        """What all of them use; None where that is not seen from here."""
        now = time.monotonic()
        if now >= self._found_at + _KNOWN_FOR_S:
            self._found, self._found_at = self.pids(), now
        used = []
        for pid in self._found:
            with contextlib.suppress(psutil.Error, OSError):
                use = self._uses[pid] if pid in self._uses else self._uses.setdefault(pid, ProcessUse(pid))
                used.append(use.read())
        # The number of the first one may be another program's by now.
        if not used or used[0] is None:
            return None
        known = [each for each in used if each is not None]
        paused = any(each.paused for each in known)
        return Usage(sum(each.cpu_s for each in known), sum(each.rss_bytes for each in known), paused=paused)


def _read(path: str) -> bytes:
    """The whole file, which is short; empty where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, _LONGEST)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
