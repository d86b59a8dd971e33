"""The list of models: rows, search, and what is selected."""

from __future__ import annotations

import asyncio
from collections import ChainMap
from collections.abc import Collection, Iterable, MutableMapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from typing_extensions import override

from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.models.scan import ScanProgress
from gglib_desktop.domain.servers.states import Crashed, Failed, Running, ServerState, Starting, Stopping
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.servers.snapshot import SupervisorEvent
from gglib_desktop.services.servers.supervisor import ServerList
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.models.arrangement import Arrangement, Known, made_rows
from gglib_desktop.viewmodels.models.model_filter import Places, choices, in_menu_order
from gglib_desktop.viewmodels.models.model_row import FilterOption, ModelRow, SortKey
from gglib_desktop.viewmodels.models.row_changes import apply_rows
from gglib_desktop.viewmodels.models.search_texts import TextBlock

RowRole = Qt.ItemDataRole.UserRole + 1
# More rows than these are made in a thread: each takes 25 to 100 µs.
_MOST_AT_ONCE = 32
# Of more rows that have changed, the view is told at once.
_MOST_CHANGES = 32
_NO_PARENT = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex


class ModelTable(QAbstractTableModel):
    """The shown rows as one column. ``RowRole`` gives the ModelRow itself."""

    rowsAboutToChange = Signal()
    rowsChanged = Signal()  # after any number of insertions and removals, or a reset

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.ids: list[int] = []
        self._found = 0
        self._known: MutableMapping[int, tuple[Model, ModelRow]] = {}

    @property
    def rows(self) -> list[ModelRow]:
        """Each is fetched, which for thousands takes milliseconds; ``ids`` are at hand."""
        return [self._known[model_id][1] for model_id in self.ids]

    @override
    def rowCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.ids)

    @override
    def columnCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else 1

    @override
    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row = self._known[self.ids[index.row()]][1]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return row.name
            case Qt.ItemDataRole.AccessibleTextRole:
                return row.accessible_text
            case Qt.ItemDataRole.AccessibleDescriptionRole | Qt.ItemDataRole.ToolTipRole:
                return "\n".join(part for part in (row.path, row.problem, row.notes) if part)
            case _:
                return row if role == RowRole else None

    def show(self, ids: Sequence[int], known: Known, changed: Collection[int]) -> None:
        """Shows the models ``ids``. Those ``changed`` were known and look different now."""
        self.rowsAboutToChange.emit()
        # Views ask for what goes until it has gone.
        self._known = ChainMap(known, self._known)
        apply_rows(self, self.ids, ids)
        self._known = known
        if len(changed) > _MOST_CHANGES:
            self.dataChanged.emit(self.index(0, 0), self.index(len(ids) - 1, 0))
        else:
            self.announce(changed)
        self.rowsChanged.emit()

    def announce(self, changed: Iterable[int]) -> None:
        """Has the view show something new about these models, if they are shown at all."""
        for model_id in changed:
            row = self.row_of(model_id)
            if row is not None:
                self.dataChanged.emit(self.index(row, 0), self.index(row, 0))

    def row_of(self, model_id: int) -> int | None:
        # Most ask for one and the same, the selected one.
        if self.ids[self._found : self._found + 1] != [model_id]:
            if model_id not in self.ids:
                return None
            self._found = self.ids.index(model_id)
        return self._found


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
        self._arrangement = Arrangement()
        self._states: dict[int, ServerState] = {}
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
        return len(self._arrangement.known)

    @property
    def scan(self) -> ScanProgress | None:
        return self._library.scans.progress

    @property
    def selected(self) -> ModelRow | None:
        """The selected model, if it is shown."""
        if self._selected is None or self.table.row_of(self._selected) is None:
            return None
        return self._arrangement.known[self._selected][1]

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
            self._narrow()
            self.filterChanged.emit()

    def sort(self, key: SortKey, *, descending: bool) -> None:
        if (key, descending) != (self.sort_key, self.descending):
            self.sort_key, self.descending = key, descending
            self._arrangement.sort(key, descending=descending)
            self._narrow()
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
            self._take(models, *made_rows(new))

    async def _make_many(self) -> None:
        try:
            wanted: Sequence[Model] | None = None
            while wanted is not self._wanted:
                wanted = self._wanted
                self._take(wanted, *await asyncio.to_thread(made_rows, self._without_row(wanted)))
        finally:
            self._making = None
        if self._requested is not None:
            self.request(self._requested)

    def _take(self, models: Sequence[Model], made: Known, texts: Sequence[TextBlock]) -> None:
        changed = made.keys() & self._arrangement.known.keys()
        for model_id in made.keys() & self._states.keys():
            model, row = made[model_id]
            made[model_id] = (model, replace(row, state=self._states[model_id]))
        # A first scan adds to thousands of models ten times a second: what it costs must not grow with them.
        grown = self._begins_as_taken(models)
        if grown:
            self._arrangement.add(made, texts)
        else:
            self._arrangement.replace((model.id for model in models), made, texts)
        self._taken = models
        self._offer_choices(self._arrangement.rows(made if grown else None), more=grown)
        self._narrow(changed)

    def _begins_as_taken(self, models: Sequence[Model]) -> bool:
        """Compared by identity, in microseconds."""
        return models[: len(self._taken)] == self._taken

    def _without_row(self, models: Sequence[Model]) -> list[Model]:
        """Those that are new, or of which something has changed."""
        new = []
        for model in models[len(self._taken) :] if self._begins_as_taken(models) else models:
            before = self._arrangement.known.get(model.id)
            if before is None or (before[0] is not model and before[0] != model):
                new.append(model)
        return new

    def _offer_choices(self, rows: Sequence[ModelRow], *, more: bool) -> None:
        """What the list can be filtered by: what ``rows`` meet, and with ``more`` what others met before."""
        if more and self._library.folders.places != self._place_paths:
            rows, more = self._arrangement.rows(), False
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
            if model_id in self._arrangement.known and before.get(model_id) != state:
                self._change_state(model_id, state)

    def _shown_states(self) -> dict[int, ServerState]:
        states: dict[int, ServerState] = {}
        for kinds in (Starting | Stopping | Running, Failed | Crashed):
            for server in self._servers.servers:
                if isinstance(server.state, kinds):
                    states.setdefault(server.config.model_id, server.state)
        return states

    def _change_state(self, model_id: int, state: ServerState | None) -> None:
        model, old = self._arrangement.known[model_id]
        # Nothing is sorted or sought by state, so every row stays where it is.
        self._arrangement.known[model_id] = (model, replace(old, state=state))
        self.table.announce([model_id])

    def _narrow(self, changed: Collection[int] = ()) -> None:
        self._arrangement.narrow(self.chosen, self._places)
        self._show(changed)

    def _show(self, changed: Collection[int] = ()) -> None:
        self.table.show(self._arrangement.find(self.words), self._arrangement.known, changed)
        self.countChanged.emit()
        self.selectionChanged.emit()
