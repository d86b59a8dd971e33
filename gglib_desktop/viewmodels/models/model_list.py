"""The list of models: rows, search, and what is selected."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Collection, Iterable, MutableMapping, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal, Slot
from typing_extensions import override

from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.servers.server import OWN_PLACES
from gglib_desktop.domain.servers.states import Crashed, Failed, Running, ServerState, Starting, Stopping
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.servers.snapshot import ServerUsed, SupervisorEvent
from gglib_desktop.services.servers.supervisor import ServerList
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.models.arrangement import Arrangement, Known
from gglib_desktop.viewmodels.models.choices import ModelFilter, ModelOrder
from gglib_desktop.viewmodels.models.model_row import ModelRow
from gglib_desktop.viewmodels.models.row_changes import apply_rows
from gglib_desktop.viewmodels.models.row_maker import RowMaker
from gglib_desktop.viewmodels.models.search_texts import Texts

RowRole = Qt.ItemDataRole.UserRole + 1
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


class _States:
    """The state of each model that has a server: of its first live one, else of one that failed."""

    def __init__(self, servers: ServerList) -> None:
        self._servers = servers
        self.of = self._now()

    def update(self) -> set[int]:
        """The models whose state is another one now."""
        before, self.of = self.of, self._now()
        return {each for each in before.keys() | self.of.keys() if before.get(each) != self.of.get(each)}

    def _now(self) -> dict[int, ServerState]:
        states: dict[int, ServerState] = {}
        for kinds in (Starting | Stopping | Running, Failed | Crashed):
            for server in self._servers.servers:
                if isinstance(server.state, kinds):
                    states.setdefault(server.config.model_id, server.state)
        return states


class ModelListViewModel(QObject):
    """All models that match the search and the filter, sorted."""

    selectRequested = Signal(object)  # int, a model's id
    selectionChanged = Signal()
    countChanged = Signal()

    def __init__(
        self,
        library: Library,
        servers: ServerList,
        scope: TaskScope,
        place_name: Callable[[str], str] = lambda place: "" if place in OWN_PLACES else place,
    ) -> None:
        """``place_name`` gives the name of a place by its id, empty for this computer."""
        super().__init__()
        self._arrangement = Arrangement()
        self._states = _States(servers)
        self._selected: int | None = None
        self.words: tuple[str, ...] = ()
        self.table = ModelTable(self)
        self.order = ModelOrder(self)
        self.order.changed.connect(self._on_order)
        self.filter = ModelFilter(library.folders, self)
        self.filter.changed.connect(self._narrow)
        self._rows = RowMaker(self._arrangement, scope, self._take, place_name)
        self._unsubscribe = library.subscribe(self._rows.list), servers.subscribe(self._on_supervisor)
        self._rows.list(library.models)

    @property
    def total(self) -> int:
        """All models, also those that the search and the filter leave out."""
        return len(self._arrangement.known)

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
        self._rows.when_listed(lambda: self.selectRequested.emit(model_id))

    def search(self, text: str) -> None:
        """Shows the models in which every word of ``text`` occurs, in any of its texts."""
        words = tuple(text.lower().split())
        if words != self.words:
            self.words = words
            self._show()

    def place_name(self, place_id: str) -> str:
        """What a place is called; empty for this computer."""
        return self._rows.place_name(place_id)

    def show_places(self) -> None:
        """Places may have other names now."""
        self._rows.show_places()

    def close(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._rows.close()

    # -- rows

    def _take(self, models: Sequence[Model], made: Known, texts: Texts, grown: bool) -> None:
        changed = made.keys() & self._arrangement.known.keys()
        for model_id in made.keys() & self._states.of.keys():
            model, row = made[model_id]
            made[model_id] = (model, replace(row, state=self._states.of[model_id]))
        if grown:
            self._arrangement.add(made, texts)
        else:
            self._arrangement.replace((model.id for model in models), made, texts)
        more = grown and not self.filter.places_changed()
        self.filter.offer(self._arrangement.rows(made if more else None), more=more)
        self._narrow(changed)

    def _on_supervisor(self, event: SupervisorEvent) -> None:
        if isinstance(event, ServerUsed):
            return  # each of many servers says so every few seconds, and its state is what it was
        for model_id in self._states.update() & self._arrangement.known.keys():
            model, old = self._arrangement.known[model_id]
            # Nothing is sorted or sought by state, so every row stays where it is.
            self._arrangement.known[model_id] = (model, replace(old, state=self._states.of.get(model_id)))
            self.table.announce([model_id])

    @Slot()
    def _on_order(self) -> None:
        self._arrangement.sort(self.order.key, descending=self.order.descending)
        self._narrow()

    @Slot()
    def _narrow(self, changed: Collection[int] = ()) -> None:
        self._arrangement.narrow(self.filter.chosen, self.filter.places)
        self._show(changed)

    def _show(self, changed: Collection[int] = ()) -> None:
        self.table.show(self._arrangement.find(self.words), self._arrangement.known, changed)
        self.countChanged.emit()
        self.selectionChanged.emit()
