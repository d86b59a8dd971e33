"""The files of one model, by their names."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gglib_desktop.domain.models.model import NO_SUCH_FILE
from gglib_desktop.domain.models.scan import FoundModel, Stamp
from gglib_desktop.domain.models.shards import ShardName, missing_parts_text, shard_name

SUFFIX = ".gguf"
# macOS keeps attributes that other file systems cannot store in a file of this name beside each file.
APPLE_DOUBLE = "._"


class FileState(Protocol):
    """What ``os.stat_result`` tells of a file."""

    @property
    def st_size(self) -> int: ...
    @property
    def st_mtime_ns(self) -> int: ...
    @property
    def st_dev(self) -> int: ...
    @property
    def st_ino(self) -> int: ...
    @property
    def st_nlink(self) -> int: ...


@dataclass
class ModelGroup:
    """The file of one model, or its existing parts by number."""

    folder: str
    name: str
    shard: ShardName | None
    parts: dict[int, tuple[str, FileState]] = field(default_factory=dict)
    label: str | None = None
    is_adapted: bool = False

    @property
    def path(self) -> str:
        return os.path.join(self.folder, self.shard.part(1) if self.shard else self.name)

    @property
    def stamp(self) -> Stamp:
        states = [state for _path, state in self.parts.values()]
        return sum(state.st_size for state in states), max(state.st_mtime_ns for state in states)

    @property
    def identity(self) -> frozenset[tuple[int, int]]:
        return frozenset((state.st_dev, state.st_ino) for _path, state in self.parts.values())

    def found(self, unreadable: str | None = None) -> FoundModel:
        """``unreadable``: why an existing file may not be one of the parts."""
        if not self.parts:
            return FoundModel(Path(self.path), (), None, self.label, unreadable or NO_SUCH_FILE)
        total = self.shard.total if self.shard else 1
        absent = [number for number in range(1, total + 1) if number not in self.parts]
        return FoundModel(
            Path(self.path),
            tuple(Path(self.parts[number][0]) for number in sorted(self.parts)),
            self.stamp,
            self.label,
            missing_parts_text(absent, self.shard) if absent and self.shard else unreadable,
        )


def is_model_name(name: str) -> bool:
    """Whether a file with this name or path is examined."""
    return name.lower().endswith(SUFFIX)


def stands_for(real: str, name: str) -> bool:
    """Whether a link with this name is only another path to the file ``real``. Otherwise the link gives the file its
    name: of a model, or of a part, by which an engine finds the other parts.
    """
    return is_model_name(real) and (shard_name(name) is None or shard_name(os.path.basename(real)) is not None)
