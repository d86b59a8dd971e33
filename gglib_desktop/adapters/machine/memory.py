"""The main memory of this computer, through psutil."""

from __future__ import annotations

import psutil

from gglib_desktop.domain.gguf.forecast import Memory


class PsutilMemory:
    """Free memory is what programs can have without swapping, including caches that the system would give up."""

    def read(self) -> Memory | None:
        try:
            memory = psutil.virtual_memory()
        except (OSError, psutil.Error, ValueError):  # a container may hide its memory
            return None
        return Memory(memory.total, memory.available)
