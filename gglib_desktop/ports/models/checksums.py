"""The port that tells whether files are as they were published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from gglib_desktop.domain.models.integrity import KnownHash


class Checksums(Protocol):
    """Both methods block, the second for minutes: call them in a thread."""

    def known(self, path: Path) -> KnownHash | None:
        """The sum that the file should have, as far as anything on this computer says."""

    def sha256(self, path: Path, told: Callable[[int], bool]) -> str | None:
        """The sum of the file as it is now. ``told`` gets the size of each piece read, and returns False to stop.

        None: it was stopped. Raises: InvalidModelFile, also if the file changes meanwhile.
        """
