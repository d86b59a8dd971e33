"""The port that tells of changed files."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Protocol


class FileWatch(Protocol):
    """Tells what changes on disk, without anybody having to look."""

    def changes(self, paths: Sequence[Path]) -> AsyncGenerator[frozenset[Path], None]:
        """Batches of what came, went or was changed at or below ``paths``, until the generator is closed.

        A file that is being written is named when its writer closes it; of a folder that came or went with all it holds
        the folder alone, and a whole watched path when more happened there than could be told. An empty batch says that
        one of the paths is watched from now on. One of ``paths`` may be a file, and need not exist yet; what cannot be
        watched is logged, and tried again from time to time.
        """
        ...
