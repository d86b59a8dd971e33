"""Looking for models on disk: what is asked, what is found, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

Stamp: TypeAlias = tuple[int, int]
"""Size in bytes and time of the last change in nanoseconds; of a set of parts their sum and the latest."""


@dataclass(frozen=True)
class WalkRequest:
    """Where to look: below ``folders``, and at each of ``files``.

    ``known`` maps paths to the stamps they had; a file that still has its stamp is not reported as found, and one whose
    stamp is None is passed over.
    """

    folders: tuple[Path, ...] = ()
    files: tuple[Path, ...] = ()
    known: Mapping[str, Stamp | None] = field(default_factory=dict)


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


@dataclass(frozen=True, slots=True)
class WalkStep:
    """What one folder held: models found, and the paths of those that are as they were known.

    ``companions`` are what a store's own records say of models: their paths, and the files to be loaded with each.
    """

    folder: str
    files_seen: int
    found: tuple[FoundModel, ...] = ()
    unchanged: tuple[str, ...] = ()
    companions: tuple[tuple[Path, tuple[Path, ...]], ...] = ()


@dataclass(frozen=True)
class ScanProgress:
    """How far a scan has come. ``models_read`` counts the files whose headers had to be read."""

    files_seen: int = 0
    models_read: int = 0
    folder: str = ""
