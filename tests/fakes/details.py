"""The sources of a model's details, in memory."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gglib_desktop.adapters.gguf.header import read_header
from gglib_desktop.domain.errors import InvalidModelFile, LibraryError
from gglib_desktop.domain.gguf.forecast import GraphicsCard, Memory
from gglib_desktop.domain.gguf.header import GgufHeader
from gglib_desktop.domain.models.integrity import KnownHash
from gglib_desktop.viewmodels.models.model_details import DetailsSources

GIB = 2**30


class FixedMemory:
    """16 GiB of main memory."""

    def __init__(self, free_bytes: int | None = 8 * GIB) -> None:
        self.free_bytes = free_bytes

    def read(self) -> Memory | None:
        return None if self.free_bytes is None else Memory(16 * GIB, self.free_bytes)


class FakeCards:
    def __init__(self, *cards: GraphicsCard) -> None:
        self.cards = cards

    def read(self) -> Sequence[GraphicsCard]:
        return self.cards


class FakeKeeper:
    """``problem`` is raised instead of keeping anything; ``gate`` delays saving until it is set."""

    def __init__(self) -> None:
        self.kept: dict[int, tuple[tuple[str, ...], str]] = {}
        self.problem: LibraryError | None = None
        self.gate: asyncio.Event | None = None
        self.calls = 0

    async def describe(self, model_id: int, tags: Sequence[str], notes: str) -> None:
        self.calls += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.problem is not None:
            raise self.problem
        self.kept[model_id] = tuple(tags), notes


class FakeChecksums:
    """Files of four pieces, of ``piece_bytes`` each; ``go_on`` lets the next one be read."""

    def __init__(self) -> None:
        self.known_sums: dict[Path, KnownHash] = {}
        self.sums: dict[Path, str] = {}
        self.piece_bytes = 25
        self.go_on = threading.Semaphore(1000)
        self.ended = threading.Event()
        self.read: list[Path] = []

    def known(self, path: Path) -> KnownHash | None:
        return self.known_sums.get(path)

    def sha256(self, path: Path, told: Callable[[int], bool]) -> str | None:
        self.read.append(path)
        for _piece in range(4):
            assert self.go_on.acquire(timeout=30)
            if not told(self.piece_bytes):
                self.ended.set()
                return None
        if path not in self.sums:
            raise InvalidModelFile(path, "the file cannot be read: gone")
        return self.sums[path]


@dataclass
class FakeSources:
    """All of them together."""

    memory: FixedMemory = field(default_factory=FixedMemory)
    graphics: FakeCards = field(default_factory=FakeCards)
    checksums: FakeChecksums = field(default_factory=FakeChecksums)
    keeper: FakeKeeper = field(default_factory=FakeKeeper)
    read_header: Callable[[Path], GgufHeader] = read_header

    @property
    def all(self) -> DetailsSources:
        return DetailsSources(self.read_header, self.memory, self.graphics, self.checksums, self.keeper)
