"""The list of models: rows, search, and what is selected."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from operator import attrgetter
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from typing_extensions import override

from gglib_desktop.domain.model import Model
from gglib_desktop.domain.scan import ScanProgress
from gglib_desktop.domain.states import Running, ServerState, Starting, Stopping
from gglib_desktop.domain.units import count_text, size_text
from gglib_desktop.services.library import Library
from gglib_desktop.services.supervisor import Supervisor, SupervisorEvent
from gglib_desktop.viewmodels.row_changes import apply_rows

RowRole = Qt.ItemDataRole.UserRole + 1
_ROW_ID = attrgetter("id")
_DIGITS = re.compile(r"([0-9]{1,18})")
_NO_PARENT = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex


class SortKey(StrEnum):
    """By what the list is sorted. What has no such value comes last, whichever way round."""

    ADDED = "added"
    NAME = "name"
    SIZE = "size"
    PARAMETERS = "parameters"


@dataclass(frozen=True)
class ModelRow:
    """One model as the list shows it. ``state`` is that of its first live server, None without one."""

    id: int
    name: str
    quantisation: str
    facts: str
    problem: str | None
    path: str
    has_mtp: bool
    state: ServerState | None
    search_key: str
    size_bytes: int | None = None
    parameter_count: int | None = None
    name_key: tuple[int | str, ...] = ()

    @property
    def accessible_text(self) -> str:
        said = (self.name, self.quantisation, self.facts, self.problem or "", self.state.word if self.state else "")
        return ", ".join(part for part in said if part)

    def sort_value(self, key: SortKey) -> Any:
        """What is compared when the list is sorted; None when it is unknown. Not for ADDED."""
        match key:
            case SortKey.NAME:
                return self.name_key
            case SortKey.SIZE:
                return self.size_bytes
            case _:
                return self.parameter_count


def model_row(model: Model, state: ServerState | None) -> ModelRow:
    """The row of a model."""
    facts = model.facts
    said: list[str] = []
    if facts is not None:
        size = facts.size_label or (count_text(facts.parameter_count) if facts.parameter_count else "")
        said = [size, size_text(facts.file_size_bytes), facts.architecture or "", "MTP" if facts.mtp_layers else ""]
    quantisation = (facts.quantisation if facts else None) or ""
    # Not one text: what is sought must not begin in one field and end in the next.
    key = "\n".join((model.name, quantisation, *said, str(model.path)))
    return ModelRow(
        id=model.id,
        name=model.name,
        quantisation=quantisation,
        facts=" · ".join(part for part in said if part),
        problem=model.problem,
        path=str(model.path),
        has_mtp=model.mtp_layers > 0,
        state=state,
        search_key=key.lower(),
        size_bytes=facts.file_size_bytes if facts else None,
        parameter_count=facts.parameter_count if facts else None,
        name_key=_natural(model.name),
    )


def _natural(name: str) -> tuple[int | str, ...]:
    """Sorts 7B before 13B: texts and numbers take turns, so that like is compared with like."""
    parts = _DIGITS.split(name.casefold())
    return tuple(int(part) if index % 2 else part for index, part in enumerate(parts))


class ModelTable(QAbstractTableModel):
    """The shown rows as one column. ``RowRole`` gives the ModelRow itself."""

    rowsAboutToChange = Signal()
    rowsChanged = Signal()  # after any number of insertions and removals, or a reset

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[ModelRow] = []

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
                return f"{row.path}\n{row.problem}" if row.problem else row.path
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
        return next((index for index, row in enumerate(self.rows) if row.id == model_id), None)


class ModelListViewModel(QObject):
    """All models that match the search, sorted; at first in the order in which they were added."""

    selectRequested = Signal(object)  # int, a model's id
    selectionChanged = Signal()
    countChanged = Signal()
    sortChanged = Signal()
    scanChanged = Signal(object)  # ScanProgress, None when nothing is looked for

    def __init__(self, library: Library, supervisor: Supervisor) -> None:
        super().__init__()
        self._library = library
        self._supervisor = supervisor
        self._known: dict[int, tuple[Model, ModelRow]] = {}
        self._states: dict[int, ServerState] = {}
        self._sorted: list[ModelRow] = []
        self._selected: int | None = None
        self.words: tuple[str, ...] = ()
        self.sort_key = SortKey.ADDED
        self.descending = False
        self.table = ModelTable(self)
        self._unsubscribe = (
            library.subscribe(self._on_library),
            library.subscribe_progress(self.scanChanged.emit),
            supervisor.subscribe(self._on_supervisor),
        )
        self._states = self._live_states()
        self._on_library(library.models)

    @property
    def total(self) -> int:
        """How many models the library has, whether or not they match the search."""
        return len(self._known)

    @property
    def selected(self) -> ModelRow | None:
        return next((row for row in self.table.rows if row.id == self._selected), None)

    @property
    def scan(self) -> ScanProgress | None:
        """How far a look for models has come; None when there is none."""
        return self._library.progress

    def select(self, model_id: int | None) -> None:
        """The view reports what is selected."""
        if model_id != self._selected:
            self._selected = model_id
            self.selectionChanged.emit()

    def search(self, text: str) -> None:
        """Shows the models in which every word of ``text`` occurs, in name, facts or path."""
        words = tuple(text.lower().split())
        if words != self.words:
            self.words = words
            self._show()

    def sort(self, key: SortKey, *, descending: bool) -> None:
        if (key, descending) != (self.sort_key, self.descending):
            self.sort_key, self.descending = key, descending
            self._arrange()
            self.sortChanged.emit()

    def close(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()

    def _on_library(self, models: Sequence[Model]) -> None:
        known = {}
        for model in models:
            before = self._known.get(model.id)
            row = (
                before[1]
                if before and (before[0] is model or before[0] == model)
                else model_row(model, self._states.get(model.id))
            )
            known[model.id] = (model, row)
        self._known = known
        self._arrange()

    def _on_supervisor(self, _event: SupervisorEvent) -> None:
        before, self._states = self._states, self._live_states()
        for model_id in before.keys() | self._states.keys():
            state = self._states.get(model_id)
            if model_id in self._known and before.get(model_id) != state:
                self._change_state(model_id, state)

    def _live_states(self) -> dict[int, ServerState]:
        states: dict[int, ServerState] = {}
        for server in self._supervisor.servers:
            if isinstance(server.state, Starting | Stopping | Running):
                states.setdefault(server.config.model_id, server.state)
        return states

    def _change_state(self, model_id: int, state: ServerState | None) -> None:
        model, old = self._known[model_id]
        row = replace(old, state=state)
        self._known[model_id] = (model, row)
        # Nothing is sorted or sought by state, so every row stays where it is.
        self._sorted[self._sorted.index(old)] = row
        self.table.replace_row(row)

    def _arrange(self) -> None:
        rows = [row for _model, row in self._known.values()]
        if self.sort_key is SortKey.ADDED:
            self._sorted = rows[::-1] if self.descending else rows
        else:
            stated = [row for row in rows if row.sort_value(self.sort_key) is not None]
            unknown = [row for row in rows if row.sort_value(self.sort_key) is None]
            stated.sort(key=lambda row: row.sort_value(self.sort_key), reverse=self.descending)
            self._sorted = stated + unknown
        self._show()

    def _show(self) -> None:
        rows = self._sorted
        for word in self.words:
            rows = [row for row in rows if word in row.search_key]
        self.table.show(rows)
        self.countChanged.emit()
        self.selectionChanged.emit()
