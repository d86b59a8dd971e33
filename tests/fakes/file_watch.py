"""A watch of files that reports what a test says."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path


class FakeFileWatch:
    """Every waiting caller gets the next batch."""

    def __init__(self) -> None:
        self._batches: asyncio.Queue[frozenset[Path]] = asyncio.Queue()
        self.watched: list[Path] = []
        """The paths of all open generators."""

    async def changes(self, paths: Sequence[Path]) -> AsyncGenerator[frozenset[Path], None]:
        self.watched.extend(paths)
        try:
            yield frozenset()
            while True:
                yield await self._batches.get()
        finally:
            for path in paths:
                self.watched.remove(path)

    def tell(self, *paths: Path) -> None:
        self._batches.put_nowait(frozenset(paths))
