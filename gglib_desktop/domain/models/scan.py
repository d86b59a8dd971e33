"""Looking for models on disk: what is asked, what is found, and how far it has come."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from gglib_desktop.domain.models.companions import StoredAdapters

Stamp: TypeAlias = tuple[int, int]
"""Size in bytes and time of the last change in nanoseconds; of a set of parts their sum and the latest."""


class KnownFiles:
    """The stamps that files had, by folder and name: whoever walks a folder asks for names, thousands of them.

    A file that still has its stamp need not be read; one whose stamp is None is passed over. Never changes.
    """

    def __init__(self, stamps: Iterable[tuple[str, Stamp | None]] = ()) -> None:
        self._folders: dict[str, dict[str, Stamp | None]] = {}
        for path, stamp in stamps:
            folder, name = os.path.split(path)
            self._folders.setdefault(folder, {})[name] = stamp

    def and_also(self, stamps: Iterable[tuple[str, Stamp | None]]) -> KnownFiles:
        """These and others, whose word counts more."""
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

    The folders ``skipped`` are not entered, not even from one above them.
    """

    folders: tuple[Path, ...] = ()
    files: tuple[Path, ...] = ()
    known: KnownFiles = field(default_factory=KnownFiles)
    skipped: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model that is new or has changed. ``path`` is where an engine finds it: the first part's, even if that is gone.

    ``parts`` are the files that exist, in order; none of them: the model is missing. ``stamp`` None: nothing could be
    learned about the file. ``label`` is what a store calls a file whose own name says nothing.
    """

    path: Path
    parts: tuple[Path, ...]
    stamp: Stamp | None = None
    label: str | None = None
    problem: str | None = None

    def __post_init__(self) -> None:
        # Both are made of names of files, stored and shown; such names may be no text.
        object.__setattr__(self, "label", _as_text(self.label))
        object.__setattr__(self, "problem", _as_text(self.problem))


@dataclass(frozen=True, slots=True)
class WalkStep:
    """What one folder held: models found, and those that are as they were known.

    ``same`` are the names of such files in the folder, ``unchanged`` the paths of other such models. ``companions`` are
    what a store's own records say of models: their paths, and the files to be loaded with each; ``adapters`` likewise.
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
