"""The main memory of this computer, through psutil."""

from __future__ import annotations

import psutil

from gglib_desktop.domain.gguf.forecast import Memory


class PsutilMemory:
    """What programs can have without swapping counts as free, caches that the system would give up included."""

    def read(self) -> Memory | None:
        try:
            memory = psutil.virtual_memory()
        except (OSError, psutil.Error, ValueError):  # a container may hide what it is made of
            return None
        return Memory(memory.total, memory.available)
