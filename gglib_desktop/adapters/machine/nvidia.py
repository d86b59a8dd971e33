"""The memory of NVIDIA's graphics cards, through the library of their driver."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from gglib_desktop.domain.gguf.forecast import GraphicsCard, Memory

_log = logging.getLogger(__name__)


# The driver's library counts how often it was opened and closed, and its wrapper is not made for two threads.
_one_at_a_time = threading.Lock()


class NvidiaMemory:
    """Lists nothing without a driver or a card; that never raises."""

    def read(self) -> Sequence[GraphicsCard]:
        import pynvml

        with _one_at_a_time:
            try:
                pynvml.nvmlInit()
            except pynvml.NVMLError as exc:
                _log.debug("no NVIDIA driver: %s", exc)
                return ()
            try:
                return tuple(_cards(pynvml))
            except pynvml.NVMLError as exc:
                _log.info("the NVIDIA driver does not answer: %s", exc)
                return ()
            finally:
                with contextlib.suppress(pynvml.NVMLError):
                    pynvml.nvmlShutdown()


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
