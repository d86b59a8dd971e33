"""The port that reports changed files."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Protocol


class FileWatch(Protocol):
    """Reports changes on disk without polling."""

    def changes(self, paths: Sequence[Path]) -> AsyncGenerator[frozenset[Path], None]:
        """Batches of paths at or below ``paths`` that appeared, vanished or changed, until the generator is closed.

        A file being written is reported when its writer closes it. For a folder that appears or vanishes with its
        content only the folder is reported; a whole watched path, if more happened there than could be reported. An
        empty batch means that one of the paths is watched from now on. One of ``paths`` may be a file, and need not
        exist yet. A path that cannot be watched is logged, and tried again from time to time.
        """
