"""The filter of the list of models, and its possible values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from pathlib import Path

from gglib_desktop.domain.gguf.capabilities import Capability
from gglib_desktop.domain.servers.server import OWN_PLACE
from gglib_desktop.viewmodels.models.model_row import FileState, FilterField, FilterOption, ModelRow, SizeClass

ELSEWHERE = ""
"""As a folder: in none of those that scans look through."""


class Places:
    """The folders that scans look through, to find the one that holds a model."""

    def __init__(self, folders: Iterable[Path] = ()) -> None:
        self._starts = {f"{str(folder).rstrip('/')}/": str(folder) for folder in folders}

    def of(self, folders: Collection[str]) -> list[str]:
        """The places of ``folders``, which end in a slash; ELSEWHERE if one lies in none of them."""
        found = [place for start, place in self._starts.items() if any(each.startswith(start) for each in folders)]
        if not all(folder.startswith(tuple(self._starts)) for folder in folders):
            found.append(ELSEWHERE)
        return found

    def narrow(self, rows: Sequence[ModelRow], wanted: Collection[str]) -> list[ModelRow]:
        """The rows in any of the ``wanted`` places."""
        starts = tuple(start for start, place in self._starts.items() if place in wanted)
        everywhere = tuple(self._starts)
        elsewhere = ELSEWHERE in wanted
        return [
            row
            for row in rows
            if row.folder.startswith(starts) or (elsewhere and not row.folder.startswith(everywhere))
        ]


def narrowed(rows: Sequence[ModelRow], chosen: Collection[FilterOption], places: Places) -> Sequence[ModelRow]:
    """The rows that have every chosen capability, and of each other field any chosen value."""
    for field, group in groupby(sorted(chosen), key=lambda option: option.field):
        options = frozenset(group)
        if field is FilterField.FOLDER:
            rows = places.narrow(rows, {option.value for option in options})
        elif field is FilterField.PLACE:
            wanted = {option.value for option in options}
            rows = [row for row in rows if row.place_id in wanted]
        elif field is FilterField.CAPABILITY:
            rows = [row for row in rows if options <= row.marks]
        else:
            rows = [row for row in rows if not options.isdisjoint(row.marks)]
    return rows


def choices(rows: Collection[ModelRow], places: Places) -> tuple[FilterOption, ...]:
    """Every option that any of the rows meets, in the order in which people look for it."""
    marks = frozenset[FilterOption]().union(*{row.marks for row in rows})
    folders = (FilterOption(FilterField.FOLDER, place) for place in places.of({row.folder for row in rows}))
    computers = {row.place_id for row in rows}
    several = {*computers, OWN_PLACE} if computers - {OWN_PLACE} else ()
    return in_menu_order(marks.union(folders, (FilterOption(FilterField.PLACE, each) for each in several)))


def in_menu_order(options: Collection[FilterOption]) -> tuple[FilterOption, ...]:
    """In the order in which people look for them."""
    return tuple(sorted(options, key=_place_in_menu))


_FIXED_ORDER = {str(value): number for kind in (Capability, SizeClass, FileState) for number, value in enumerate(kind)}


def _place_in_menu(option: FilterOption) -> tuple[int, bool, int, str]:
    """Files elsewhere come last among the folders."""
    fields = tuple(FilterField)
    return fields.index(option.field), not option.value, _FIXED_ORDER.get(option.value, 0), option.value
