"""The ports that tell how much memory there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gglib_desktop.domain.gguf.forecast import GraphicsCard, Memory


class MemoryProbe(Protocol):
    """Reads the main memory of this computer."""

    def read(self) -> Memory | None:
        """Total and free now; None if the system does not say. Quick enough for the event loop."""


class GraphicsProbe(Protocol):
    """Reads the memory of graphics cards."""

    def read(self) -> Sequence[GraphicsCard]:
        """The cards whose drivers can be asked; there may be others. Blocks: call it in a thread."""
