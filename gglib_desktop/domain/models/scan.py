"""Looking for models on disk: the request, the findings and the progress."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from gglib_desktop.domain.models.companions import StoredAdapters

Stamp: TypeAlias = tuple[int, int]
"""Size in bytes and time of the last change in nanoseconds; for a set of parts the sum and the latest time."""


class KnownFiles:
    """The stamps of files, by folder and name, because a walk asks for thousands of names.

    A file with an unchanged stamp need not be read; a file with the stamp None is passed over. Immutable.
    """

    def __init__(self, stamps: Iterable[tuple[str, Stamp | None]] = ()) -> None:
        self._folders: dict[str, dict[str, Stamp | None]] = {}
        for path, stamp in stamps:
            folder, name = os.path.split(path)
            self._folders.setdefault(folder, {})[name] = stamp

    def and_also(self, stamps: Iterable[tuple[str, Stamp | None]]) -> KnownFiles:
        """These and others; the others win."""
        both, others = KnownFiles(), KnownFiles(stamps)
        both._folders = self._folders | {
            folder: {**self._folders.get(folder, {}), **names} for folder, names in others._folders.items()
        }
        return both

    def in_folder(self, folder: str) -> Mapping[str, Stamp | None]:
        """By name."""
        return self._folders.get(folder, {})

    def get(self, path: str, default: Stamp) -> Stamp | None:
        folder, name = os.path.split(path)
        return self.in_folder(folder).get(name, default)

    def __contains__(self, path: str) -> bool:
        folder, name = os.path.split(path)
        return name in self.in_folder(folder)

    def items(self) -> Iterator[tuple[str, Stamp | None]]:
        """Paths and stamps."""
        for folder, names in self._folders.items():
            for name, stamp in names.items():
                yield os.path.join(folder, name), stamp


@dataclass(frozen=True)
class WalkRequest:
    """Where to look: below ``folders``, and at each of ``files``. What is as ``known`` is not reported as found.

    The folders ``skipped`` are not entered, not even from a folder above them.
    """

    folders: tuple[Path, ...] = ()
    files: tuple[Path, ...] = ()
    known: KnownFiles = field(default_factory=KnownFiles)
    skipped: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A new or changed model. ``path`` is where an engine finds it: the first part's, even if that part is gone.

    ``parts`` are the existing files, in order; if there are none, the model is missing. ``stamp`` None: the file could
    not be examined. ``label`` is what a store calls a file whose own name says nothing.
    """

    path: Path
    parts: tuple[Path, ...]
    stamp: Stamp | None = None
    label: str | None = None
    problem: str | None = None

    def __post_init__(self) -> None:
        # Both contain file names and are stored and shown; file names may not be valid text.
        object.__setattr__(self, "label", _as_text(self.label))
        object.__setattr__(self, "problem", _as_text(self.problem))


@dataclass(frozen=True, slots=True)
class WalkStep:
    """The contents of one folder: models found, and models that have not changed.

    ``same`` are the names of unchanged files in the folder, ``unchanged`` the paths of other such models.
    ``companions`` are a store's own records: models' paths and the files to load with each; ``adapters`` likewise.
    """

    folder: str
    files_seen: int
    found: tuple[FoundModel, ...] = ()
    unchanged: tuple[str, ...] = ()
    same: Sequence[str] = ()
    companions: tuple[tuple[Path, tuple[Path, ...]], ...] = ()
    adapters: tuple[tuple[Path, StoredAdapters], ...] = ()


@dataclass(frozen=True)
class ScanProgress:
    """How far a scan has come. ``models_read`` counts the files whose headers had to be read."""

    files_seen: int = 0
    models_read: int = 0
    folder: str = ""


def _as_text(name: str | None) -> str | None:
    return None if name is None else os.fsencode(name).decode(errors="replace")
