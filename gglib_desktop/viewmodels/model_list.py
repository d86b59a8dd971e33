"""The list of models: rows, search, and what is selected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from typing_extensions import override

from gglib_desktop.domain.model import Model
from gglib_desktop.domain.states import Running, ServerState, Starting, Stopping
from gglib_desktop.domain.units import count_text, size_text
from gglib_desktop.services.library import Library
from gglib_desktop.services.supervisor import Supervisor, SupervisorEvent
from gglib_desktop.viewmodels.row_changes import apply_rows

RowRole = Qt.ItemDataRole.UserRole + 1
_NO_PARENT = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex


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

    @property
    def accessible_text(self) -> str:
        said = (self.name, self.quantisation, self.facts, self.problem or "", self.state.word if self.state else "")
        return ", ".join(part for part in said if part)


def model_row(model: Model, state: ServerState | None) -> ModelRow:
    """The row of a model."""
    facts = model.facts
    said: list[str] = []
    if facts is not None:
        size = facts.size_label or (count_text(facts.parameter_count) if facts.parameter_count else "")
        said = [size, size_text(facts.file_size_bytes), facts.architecture or "", "MTP" if facts.mtp_layers else ""]
    quantisation = (facts.quantisation if facts else None) or ""
    key = " ".join((model.name, quantisation, *said, str(model.path)))
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
    )


class ModelTable(QAbstractTableModel):
    """The shown rows as one column. ``RowRole`` gives the ModelRow itself."""

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
        apply_rows(self, self.rows, rows, lambda row: row.id)

    def row_of(self, model_id: int) -> int | None:
        return next((index for index, row in enumerate(self.rows) if row.id == model_id), None)


class ModelListViewModel(QObject):
    """All models that match the search, in the order in which they were added."""

    selectRequested = Signal(object)  # int, a model's id
    selectionChanged = Signal()
    countChanged = Signal()

    def __init__(self, library: Library, supervisor: Supervisor) -> None:
        super().__init__()
        self._library = library
        self._supervisor = supervisor
        self._rows: tuple[ModelRow, ...] = ()
        self._search = ""
        self._selected: int | None = None
        self.table = ModelTable(self)
        self._unsubscribe = (library.subscribe(self._on_library), supervisor.subscribe(self._on_supervisor))
        self._refresh()

    @property
    def total(self) -> int:
        """How many models the library has, whether or not they match the search."""
        return len(self._rows)

    @property
    def selected(self) -> ModelRow | None:
        return next((row for row in self.table.rows if row.id == self._selected), None)

    def select(self, model_id: int | None) -> None:
        """The view reports what is selected."""
        if model_id != self._selected:
            self._selected = model_id
            self.selectionChanged.emit()

    def search(self, text: str) -> None:
        self._search = text
        self._show()

    def close(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()

    def _on_library(self, _models: Sequence[Model]) -> None:
        self._refresh()

    def _on_supervisor(self, _event: SupervisorEvent) -> None:
        self._refresh()

    def _refresh(self) -> None:
        states: dict[int, ServerState] = {}
        for server in self._supervisor.servers:
            if isinstance(server.state, Starting | Stopping | Running):
                states.setdefault(server.config.model_id, server.state)
        rows = tuple(model_row(model, states.get(model.id)) for model in self._library.models)
        if rows != self._rows:
            self._rows = rows
            self._show()

    def _show(self) -> None:
        words = self._search.lower().split()
        self.table.show([row for row in self._rows if all(word in row.search_key for word in words)])
        self.countChanged.emit()
        self.selectionChanged.emit()
