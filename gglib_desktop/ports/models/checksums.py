"""The port that tells whether files are what they were when they were published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from gglib_desktop.domain.models.integrity import KnownHash


class Checksums(Protocol):
    """Both methods block, the second for minutes: call them in a thread."""

    def known(self, path: Path) -> KnownHash | None:
        """What the file's sum ought to be, as far as anything on this computer says."""
        ...

    def sha256(self, path: Path, told: Callable[[int], bool]) -> str | None:
        """The sum of the file as it is now. ``told`` hears of bytes as they are read, and ends it by returning False.

        None: it was ended. Raises: InvalidModelFile, also when the file changes meanwhile.
        """
        ...
