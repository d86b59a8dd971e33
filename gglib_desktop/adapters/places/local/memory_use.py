"""The memory of processes on this computer, in detail. Everything here blocks."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil

from gglib_desktop.adapters.machine.nvidia import memory_of_processes
from gglib_desktop.domain.traffic.figures import MemoryUse

_PROC = Path("/proc")
# Of /proc/PID/statm; proc(5).
_RESIDENT, _SHARED = 1, 2
_KIB = 2**10
_ROLLUP = re.compile(rb"^(Pss|Anonymous): +(\d+) kB$", re.MULTILINE)
_GRAPHICS = re.compile(r"^drm-(pdev|client-id|memory-vram|total-vram):\s+(\S+)(?: (\w+))?", re.MULTILINE)
_UNITS = {"": 1, "KiB": _KIB, "MiB": _KIB**2, "GiB": _KIB**3}
_LIBRARY = "/dev/dri/"


def memory_use(pids: Iterable[int], proc: Path = _PROC) -> MemoryUse | None:
    """What the processes use together; None when the first is gone, or the system does not tell."""
    first, *others = pids
    used = _of_process(first, proc)
    if used is None:
        return None
    for use in filter(None, (_of_process(pid, proc) for pid in others)):
        used = MemoryUse(
            used.resident + use.resident,
            _added(used.anonymous, use.anonymous),
            _added(used.proportional, use.proportional),
        )
    graphics = [*_of_drivers((first, *others), proc)]
    nvidia = memory_of_processes((first, *others))
    if nvidia is not None:
        graphics.append(nvidia)
    return replace(used, graphics=sum(graphics) if graphics else None)


def _of_process(pid: int, proc: Path) -> MemoryUse | None:
    if not sys.platform.startswith("linux"):  # not run
        try:
            return MemoryUse(psutil.Process(pid).memory_info().rss)
        except (psutil.Error, OSError):
            return None
    try:
        pages = [int(word) for word in (proc / str(pid) / "statm").read_bytes().split()]
        page_bytes = os.sysconf("SC_PAGE_SIZE")
        resident, shared = pages[_RESIDENT] * page_bytes, pages[_SHARED] * page_bytes
    except (OSError, ValueError, IndexError):
        return None
    try:
        told = _ROLLUP.findall((proc / str(pid) / "smaps_rollup").read_bytes())
    except OSError:
        told = []  # another user's, or a kernel before 4.14
    rollup = {name: int(kib) * _KIB for name, kib in told}
    return MemoryUse(resident, rollup.get(b"Anonymous", resident - shared), rollup.get(b"Pss"))


def _added(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _of_drivers(pids: Iterable[int], proc: Path) -> Iterator[int]:
    """The graphics memory that the drivers of AMD and Intel tell; each client of a driver counts once."""
    counted = set()
    for pid in pids:
        for text in _descriptions(pid, proc):
            told = {name: (value, unit) for name, value, unit in _GRAPHICS.findall(text)}
            size = told.get("memory-vram") or told.get("total-vram")
            client = (told.get("pdev"), told.get("client-id"))
            if size is not None and client not in counted and size[0].isdigit() and size[1] in _UNITS:
                counted.add(client)
                yield int(size[0]) * _UNITS[size[1]]


def _descriptions(pid: int, proc: Path) -> Iterator[str]:
    """What the system tells of each open file of a graphics driver."""
    try:
        links = list((proc / str(pid) / "fd").iterdir())
    except OSError:
        return  # gone, or another user's
    for link in links:
        try:
            if os.readlink(link).startswith(_LIBRARY):
                yield (proc / str(pid) / "fdinfo" / link.name).read_text(encoding="ascii", errors="replace")
        except OSError:
            pass  # closed in the meantime
