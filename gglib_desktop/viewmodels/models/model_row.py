"""One model as the list shows, sorts, filters and finds it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

from gglib_desktop.domain.gguf.architectures import architecture_text
from gglib_desktop.domain.gguf.capabilities import Capability
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.servers.server import OWN_PLACE
from gglib_desktop.domain.servers.states import ServerState
from gglib_desktop.domain.units import count_text, size_text

_DIGITS = re.compile(r"([0-9]{1,18})")
_GIB = 2**30
# The capabilities with a badge; the others are too common to be worth one.
_BADGES = {
    Capability.MTP: "MTP",
    Capability.MOE: "MoE",
    Capability.VISION: "Vision",
    Capability.EMBEDDING: "Embedding",
}


class SortKey(StrEnum):
    """The orders of the list. Models without such a value come last in both directions."""

    ADDED = "added"
    NAME = "name"
    SIZE = "size"
    PARAMETERS = "parameters"
    LAST_USED = "last used"


class FilterField(StrEnum):
    """The fields of the filter."""

    CAPABILITY = "capability"
    QUANTISATION = "quantisation"
    SIZE = "size"
    FOLDER = "folder"
    FILE = "file"
    PLACE = "place"


class FilterOption(NamedTuple):
    """A value to filter by. ``value``: a Capability, a quantization, a SizeClass, a folder, a FileState or a place."""

    field: FilterField
    value: str


class SizeClass(StrEnum):
    """The size of a model's files, by what computers can hold."""

    SMALL = "under 4 GiB"
    MEDIUM = "4 to 8 GiB"
    LARGE = "8 to 16 GiB"
    VERY_LARGE = "16 to 32 GiB"
    HUGE = "32 GiB and more"

    @classmethod
    def of(cls, size_bytes: int) -> SizeClass:
        for limit, size in ((4, cls.SMALL), (8, cls.MEDIUM), (16, cls.LARGE), (32, cls.VERY_LARGE)):
            if size_bytes < limit * _GIB:
                return size
        return cls.HUGE


class FileState(StrEnum):
    """Whether a model's file can be used."""

    USABLE = "usable"
    MISSING = "missing"
    BROKEN = "broken"
    NO_MODEL = "no model"


_NO_MODEL = FilterOption(FilterField.FILE, FileState.NO_MODEL)


@dataclass(frozen=True, slots=True)  # thousands are looked through at each key stroke
class ModelRow:
    """One model as the list shows it. ``state``: of its first live server, else of one that failed, else None.

    ``marks`` are all the options of a filter that it meets, without the folder and the place. ``folder`` ends in a
    slash. ``place`` is the name of the place of its file, empty for this computer.
    """

    id: int
    name: str
    quantisation: str
    facts: str
    problem: str | None
    path: str
    badges: tuple[str, ...]
    state: ServerState | None
    search_key: str
    folder: str
    repository: str = ""
    notes: str = ""
    marks: frozenset[FilterOption] = frozenset()
    size_bytes: int | None = None
    parameter_count: int | None = None
    name_key: tuple[int | str, ...] = ()
    last_used: float | None = None
    place_id: str = OWN_PLACE
    place: str = ""

    @property
    def is_model(self) -> bool:
        """Whether it is a model, not a file that only belongs to one."""
        return _NO_MODEL not in self.marks

    @property
    def plain_name(self) -> str:
        """Without the quantization, which was added where the name alone would not be unique."""
        return self.name.removesuffix(f" {self.quantisation}") if self.quantisation else self.name

    @property
    def facts_and_place(self) -> str:
        """What its second line says. The place comes first: it must not be cut off."""
        return " · ".join(part for part in (f"on {self.place}" if self.place else "", self.facts) if part)

    @property
    def accessible_text(self) -> str:
        facts = " · ".join(part for part in (self.facts, *self.badges) if part)
        place = f"on {self.place}" if self.place else ""
        said = (self.name, self.quantisation, facts, place, self.problem or "", self.state.word if self.state else "")
        return ", ".join(part for part in said if part)


SORT_VALUES: Mapping[SortKey, Callable[[ModelRow], Any]] = {
    SortKey.NAME: attrgetter("name_key"),
    SortKey.SIZE: attrgetter("size_bytes"),
    SortKey.PARAMETERS: attrgetter("parameter_count"),
    SortKey.LAST_USED: attrgetter("last_used"),
}
"""The sort key, None if unknown. ADDED is the order of the list itself."""


def model_row(model: Model, state: ServerState | None, place: str = "") -> ModelRow:
    """The row of a model. ``place`` is the name of its place, empty for this computer."""
    facts = model.facts
    said = tags = [f"#{tag}" for tag in model.tags]
    if facts is not None:
        size = facts.size_label or (f"{count_text(facts.parameter_count)} params" if facts.parameter_count else "")
        said = [size, size_text(facts.file_size_bytes), *tags, architecture_text(facts.architecture or "")]
    notes = " ".join(model.notes.split())
    quantisation = (facts.quantisation if facts else None) or ""
    badges = tuple(text for capability, text in _BADGES.items() if capability in model.capabilities)
    repository, path = model.source_repository or "", str(model.path)
    # Not one text: a match must not begin in one field and end in the next.
    architecture = (facts.architecture if facts else None) or ""
    key = "\n".join((model.name, quantisation, *said, architecture, *badges, repository, path, notes, place))
    return ModelRow(
        id=model.id,
        name=model.name,
        quantisation=quantisation,
        facts=" · ".join(part for part in said if part),
        problem=model.problem,
        path=path,
        badges=badges,
        state=state,
        search_key=key.lower(),
        folder=path[: path.rfind("/") + 1],
        repository=repository,
        notes=notes,
        marks=_marks(
            tuple(model.capabilities),
            quantisation,
            SizeClass.of(facts.file_size_bytes) if facts is not None else None,
            _file_state(model),
        ),
        size_bytes=facts.file_size_bytes if facts else None,
        parameter_count=facts.parameter_count if facts else None,
        name_key=_natural(model.name),
        last_used=model.last_used,
        place_id=model.place,
        place=place,
    )


def _file_state(model: Model) -> FileState:
    if model.missing:
        return FileState.MISSING
    if model.sidecar is not None:
        return FileState.NO_MODEL
    return FileState.BROKEN if model.problem else FileState.USABLE


@cache
def _marks(
    capabilities: tuple[Capability, ...], quantisation: str, size: SizeClass | None, file: FileState
) -> frozenset[FilterOption]:
    """Cached: many of thousands of models have the same set, and a copy for each would take megabytes."""
    marks = {FilterOption(FilterField.CAPABILITY, capability) for capability in capabilities}
    marks.add(FilterOption(FilterField.FILE, file))
    if quantisation:
        marks.add(FilterOption(FilterField.QUANTISATION, quantisation))
    if size is not None:
        marks.add(FilterOption(FilterField.SIZE, size))
    return frozenset(marks)


def _natural(name: str) -> tuple[int | str, ...]:
    """Sorts 7B before 13B: texts and numbers alternate, so that each is compared with its kind."""
    parts = _DIGITS.split(name.casefold())
    return tuple(int(part) if index % 2 else part for index, part in enumerate(parts))
