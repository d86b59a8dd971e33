"""The port to the files of another computer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class ListedFile:
    """A GGUF file there. ``real`` is where a link leads, None for any other file. The last two tell hard links."""

    path: Path
    size_bytes: int
    mtime_ns: int
    real: Path | None = None
    device: int = 0
    inode: int = 0


class PlaceFiles(Protocol):
    """Methods raise RunnerUnavailable when the computer cannot be reached."""

    def on_change(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Calls back on the loop when it can be reached again or was lost. Returns a function that ends that."""

    @property
    def is_lost(self) -> bool:
        """Whether it is known that it cannot be reached."""

    async def listed(self, roots: Sequence[str]) -> Sequence[ListedFile]:
        """The GGUF files at or below paths there, ``~/`` included. What cannot be read is passed over."""

    async def read(self, path: Path, offset: int, count: int) -> bytes:
        """Up to the end of the file. Raises: also InvalidModelFile when it is gone or unreadable."""
