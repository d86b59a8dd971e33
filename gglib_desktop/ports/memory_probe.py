"""The port that tells how much memory there is."""

from __future__ import annotations

from typing import Protocol

from gglib_desktop.domain.forecast import Memory


class MemoryProbe(Protocol):
    """Reads the main memory of this computer."""

    def read(self) -> Memory | None:
        """Total and free now; None when the system does not tell. Quick enough for the event loop."""
        ...
