"""The list of models: rows, search, and what is selected."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeAlias

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal, Slot
from typing_extensions import override

from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.models.scan import ScanProgress
from gglib_desktop.domain.servers.states import Crashed, Failed, Running, ServerState, Starting, Stopping
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.servers.server_list import ServerList
from gglib_desktop.services.servers.snapshot import SupervisorEvent
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.models.model_filter import Places, choices, in_menu_order, narrowed
from gglib_desktop.viewmodels.models.model_row import SORT_VALUES, FilterOption, ModelRow, SortKey, model_row
from gglib_desktop.viewmodels.models.row_changes import apply_rows

RowRole = Qt.ItemDataRole.UserRole + 1
_ROW_ID = attrgetter("id")
# More rows than these are made in a thread: each takes 25 to 100 µs.
_MOST_AT_ONCE = 32
_NO_PARENT = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex
Known: TypeAlias = dict[int, tuple[Model, ModelRow]]


class ModelTable(QAbstractTableModel):
    """The shown rows as one column. ``RowRole`` gives the ModelRow itself."""

    rowsAboutToChange = Signal()
    rowsChanged = Signal()  # after any number of insertions and removals, or a reset

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[ModelRow] = []
        self._numbers: dict[int, int] | None = None
        # Before all others who ask for a row when they hear of a change.
        for changed in (self.rowsInserted, self.rowsRemoved, self.modelReset):
            changed.connect(self._forget_numbers)

    @override
    def rowCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    @override
    def columnCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else 1

    @override
    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row = self.rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return row.name
            case Qt.ItemDataRole.AccessibleTextRole:
                return row.accessible_text
            case Qt.ItemDataRole.AccessibleDescriptionRole | Qt.ItemDataRole.ToolTipRole:
                return "\n".join(part for part in (row.path, row.problem, row.notes) if part)
            case _:
                return row if role == RowRole else None

    def show(self, rows: Sequence[ModelRow]) -> None:
        self.rowsAboutToChange.emit()
        apply_rows(self, self.rows, rows, _ROW_ID)
        self.rowsChanged.emit()

    def replace_row(self, row: ModelRow) -> None:
        """Shows something new about a model, if it is shown at all."""
        index = self.row_of(row.id)
        if index is not None:
            self.rows[index] = row
            self.dataChanged.emit(self.index(index, 0), self.index(index, 0))

    def row_of(self, model_id: int) -> int | None:
        if self._numbers is None:
            self._numbers = {row.id: number for number, row in enumerate(self.rows)}
        return self._numbers.get(model_id)

    @Slot()
    def _forget_numbers(self) -> None:
        self._numbers = None


class ModelListViewModel(QObject):
    """All models that match the search and the filter, sorted; at first in the order in which they were added."""

    selectRequested = Signal(object)  # int, a model's id
    selectionChanged = Signal()
    countChanged = Signal()
    sortChanged = Signal()
    filterChanged = Signal()
    choicesChanged = Signal()
    scanChanged = Signal(object)  # ScanProgress, None when nothing is looked for

    def __init__(self, library: Library, servers: ServerList, scope: TaskScope) -> None:
        super().__init__()
        self._library = library
        self._servers = servers
        self._scope = scope
        self._known: Known = {}
        self._states: dict[int, ServerState] = {}
        self._sorted: list[ModelRow] = []
        self._selected: int | None = None
        self._places = Places()
        self._place_paths: tuple[Path, ...] = ()
        self._wanted: Sequence[Model] = ()
        self._taken: Sequence[Model] = ()
        self._making: asyncio.Task[None] | None = None
        self._requested: int | None = None
        self.words: tuple[str, ...] = ()
        self.chosen: frozenset[FilterOption] = frozenset()
        """What the list is filtered by; empty when it is not."""
        self.choices: tuple[FilterOption, ...] = ()
        """What it could be filtered by."""
        self.sort_key = SortKey.ADDED
        self.descending = False
        self.table = ModelTable(self)
        self._unsubscribe = (
            library.subscribe(self._on_library),
            library.scans.subscribe(self.scanChanged.emit),
            servers.subscribe(self._on_supervisor),
        )
        self._states = self._shown_states()
        self._on_library(library.models)

    @property
    def total(self) -> int:
        """All models, also those that the search and the filter leave out."""
        return len(self._known)

    @property
    def scan(self) -> ScanProgress | None:
        return self._library.scans.progress

    @property
    def selected(self) -> ModelRow | None:
        """The selected model, if it is shown."""
        row = None if self._selected is None else self.table.row_of(self._selected)
        return None if row is None else self.table.rows[row]

    def select(self, model_id: int | None) -> None:
        """The view reports what is selected."""
        if model_id != self._selected:
            self._selected = model_id
            self.selectionChanged.emit()

    def request(self, model_id: int) -> None:
        """Asks the view to select a model, as soon as it is listed."""
        self._requested = model_id
        if self._making is None:
            self._requested = None
            self.selectRequested.emit(model_id)

    def search(self, text: str) -> None:
        """Shows the models in which every word of ``text`` occurs, in any of its texts."""
        words = tuple(text.lower().split())
        if words != self.words:
            self.words = words
            self._show()

    def filter_by(self, chosen: Collection[FilterOption]) -> None:
        """Shows only the models that have every capability chosen, and of each other field any value chosen."""
        if frozenset(chosen) != self.chosen:
            self.chosen = frozenset(chosen)
            self._show()
            self.filterChanged.emit()

    def sort(self, key: SortKey, *, descending: bool) -> None:
        if (key, descending) != (self.sort_key, self.descending):
            self.sort_key, self.descending = key, descending
            self._arrange()
            self.sortChanged.emit()

    def close(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        if self._making is not None:
            self._making.cancel()

    # -- rows

    def _on_library(self, models: Sequence[Model]) -> None:
        self._wanted = models
        if self._making is not None:
            return
        new = self._without_row(models)
        if len(new) > _MOST_AT_ONCE:
            self._making = self._scope.start(self._make_many(), name="list models")
        else:
            self._take(models, _rows(new))

    async def _make_many(self) -> None:
        try:
            wanted: Sequence[Model] | None = None
            while wanted is not self._wanted:
                wanted = self._wanted
                made = await asyncio.to_thread(_rows, self._without_row(wanted))
                self._take(wanted, made)
        finally:
            self._making = None
        if self._requested is not None:
            self.request(self._requested)

    def _take(self, models: Sequence[Model], made: Known) -> None:
        for model_id, (model, row) in made.items():
            state = self._states.get(model_id)
            self._known[model_id] = (model, row if state is None else replace(row, state=state))
        new = [self._known[model_id][1] for model_id in made]
        # A first scan adds to thousands of models ten times a second: what it costs must not grow with them.
        grown = self._begins_as_taken(models)
        if not grown:
            self._known = {model.id: self._known[model.id] for model in models}
        self._taken = models
        self._offer_choices(new if grown else [row for _model, row in self._known.values()], more=grown)
        if not grown:
            self._arrange()
        elif self.sort_key is SortKey.ADDED:
            self._sorted = new[::-1] + self._sorted if self.descending else self._sorted + new
            self._show()
        else:
            # Sorting takes few comparisons where most is in order.
            self._sorted = self._in_order(self._sorted + new)
            self._show()

    def _begins_as_taken(self, models: Sequence[Model]) -> bool:
        """Compared by identity, in microseconds."""
        return models[: len(self._taken)] == self._taken

    def _without_row(self, models: Sequence[Model]) -> list[Model]:
        """Those that are new, or of which something has changed."""
        new = []
        for model in models[len(self._taken) :] if self._begins_as_taken(models) else models:
            before = self._known.get(model.id)
            if before is None or (before[0] is not model and before[0] != model):
                new.append(model)
        return new

    def _offer_choices(self, rows: Sequence[ModelRow], *, more: bool) -> None:
        """What the list can be filtered by: what ``rows`` meet, and with ``more`` what others met before."""
        if more and self._library.folders.places != self._place_paths:
            rows, more = [row for _model, row in self._known.values()], False
        self._place_paths = self._library.folders.places
        self._places = Places(self._place_paths)
        found = choices(rows, self._places)
        if more:
            found = in_menu_order({*found, *self.choices})
        if found != self.choices:
            self.choices = found
            self.choicesChanged.emit()

    def _on_supervisor(self, _event: SupervisorEvent) -> None:
        before, self._states = self._states, self._shown_states()
        for model_id in before.keys() | self._states.keys():
            state = self._states.get(model_id)
            if model_id in self._known and before.get(model_id) != state:
                self._change_state(model_id, state)

    def _shown_states(self) -> dict[int, ServerState]:
        states: dict[int, ServerState] = {}
        for kinds in (Starting | Stopping | Running, Failed | Crashed):
            for server in self._servers.servers:
                if isinstance(server.state, kinds):
                    states.setdefault(server.config.model_id, server.state)
        return states

    def _change_state(self, model_id: int, state: ServerState | None) -> None:
        model, old = self._known[model_id]
        row = replace(old, state=state)
        self._known[model_id] = (model, row)
        # Nothing is sorted or sought by state, so every row stays where it is.
        self._sorted[next(index for index, each in enumerate(self._sorted) if each.id == model_id)] = row
        self.table.replace_row(row)

    def _arrange(self) -> None:
        rows = [row for _model, row in self._known.values()]
        if self.sort_key is SortKey.ADDED:
            self._sorted = rows[::-1] if self.descending else rows
        else:
            self._sorted = self._in_order(rows)
        self._show()

    def _in_order(self, rows: Sequence[ModelRow]) -> list[ModelRow]:
        """Sorted by what is chosen; those of which it is not known come last."""
        value = SORT_VALUES[self.sort_key]
        stated, unknown = list(rows), []
        if None in map(value, rows):
            stated = [row for row in rows if value(row) is not None]
            unknown = [row for row in rows if value(row) is None]
        stated.sort(key=value, reverse=self.descending)
        return stated + unknown

    def _show(self) -> None:
        rows = narrowed(self._sorted, self.chosen, self._places)
        for word in self.words:
            rows = [row for row in rows if word in row.search_key]
        self.table.show(rows)
        self.countChanged.emit()
        self.selectionChanged.emit()


def _rows(models: Sequence[Model]) -> Known:
    """The models with rows made anew. May run in a thread: each takes some 25 µs."""
    return {model.id: (model, model_row(model, None)) for model in models}
