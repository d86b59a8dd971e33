"""The memory of NVIDIA's graphics cards, through the library of their driver."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from gglib_desktop.domain.gguf.forecast import GraphicsCard, Memory

_log = logging.getLogger(__name__)
T = TypeVar("T")


# The driver's library counts how often it was opened and closed, and its wrapper is not made for two threads.
_one_at_a_time = threading.Lock()


class NvidiaMemory:
    """Lists nothing without a driver or a card; that never raises."""

    def read(self) -> Sequence[GraphicsCard]:
        return _asked(_cards)


def memory_of_processes(pids: Collection[int]) -> int | None:
    """The memory of all cards that these processes use, in bytes; None if no card tells of one of them. Blocks."""
    told = _asked(lambda nvml: _used(nvml, pids))
    return sum(told) if told else None


def _asked(question: Callable[[Any], Iterable[T]]) -> tuple[T, ...]:
    import pynvml

    with _one_at_a_time:
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as exc:
            _log.debug("no NVIDIA driver: %s", exc)
            return ()
        try:
            return tuple(question(pynvml))
        except pynvml.NVMLError as exc:
            _log.info("the NVIDIA driver does not answer: %s", exc)
            return ()
        finally:
            with contextlib.suppress(pynvml.NVMLError):
                pynvml.nvmlShutdown()


def _used(nvml: Any, pids: Collection[int]) -> Iterator[int]:
    """For each process and card. One may be listed twice, as one that computes and as one that paints (Vulkan)."""
    for index in range(nvml.nvmlDeviceGetCount()):
        used: dict[int, int] = {}
        for name in ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses"):
            try:
                listed = getattr(nvml, name)(nvml.nvmlDeviceGetHandleByIndex(index))
            except nvml.NVMLError as exc:
                _log.debug("NVIDIA card %s does not tell its processes: %s", index, exc)
                continue
            for process in listed:
                if process.pid in pids and process.usedGpuMemory is not None:
                    used[process.pid] = max(used.get(process.pid, 0), int(process.usedGpuMemory))
        yield from used.values()


def _cards(nvml: Any) -> Iterator[GraphicsCard]:
    for index in range(nvml.nvmlDeviceGetCount()):
        try:
            card = nvml.nvmlDeviceGetHandleByIndex(index)
            name, memory = nvml.nvmlDeviceGetName(card), nvml.nvmlDeviceGetMemoryInfo(card)
        except nvml.NVMLError as exc:
            # A card that another user owns, or one without memory of its own.
            _log.info("NVIDIA card %s does not tell its memory: %s", index, exc)
            continue
        text = name.decode(errors="replace") if isinstance(name, bytes) else str(name)
        yield GraphicsCard(text, Memory(int(memory.total), int(memory.free)))
