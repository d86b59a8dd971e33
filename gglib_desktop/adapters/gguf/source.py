"""Where the bytes of a model's file come from: a disk here, or another computer."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import FileIO
from pathlib import Path
from typing import Protocol, TypeAlias

from gglib_desktop.adapters.files.regular_file import open_regular


class ByteSource(Protocol):
    """``read`` blocks, and gives less than ``count`` at the end of the file only. Raises: OSError, InvalidModelFile."""

    @property
    def size(self) -> int: ...

    def read(self, offset: int, count: int) -> bytes: ...


class DiskFile:
    """An open file."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self.size = os.fstat(file.fileno()).st_size

    def read(self, offset: int, count: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(count) or b""


@contextmanager
def disk_source(path: Path) -> Iterator[ByteSource]:
    """A file of this computer. Raises: InvalidModelFile, as ``open_regular``."""
    with open_regular(path) as file:
        yield DiskFile(file)


OpenSource: TypeAlias = Callable[[Path], AbstractContextManager[ByteSource]]
