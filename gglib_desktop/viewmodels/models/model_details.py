"""Everything known about one model: facts with their source, raw metadata, and the memory that it will need."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from typing_extensions import override

from gglib_desktop.domain.errors import InvalidModelFile
from gglib_desktop.domain.gguf.forecast import (
    Fit,
    Forecast,
    GraphicsCard,
    Memory,
    Serving,
    forecast,
    judge,
    largest_context_that_fits,
    model_context,
)
from gglib_desktop.domain.gguf.header import GgufHeader, GgufValue
from gglib_desktop.domain.models.model import Model
from gglib_desktop.ports.machine.memory_probe import GraphicsProbe, MemoryProbe
from gglib_desktop.ports.models.checksums import Checksums
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.models.model_facts import Companions, Fact, facts_of, value_text
from gglib_desktop.viewmodels.models.model_integrity import ModelIntegrityViewModel
from gglib_desktop.viewmodels.models.model_notes import ModelNotesViewModel, NotesKeeper

_DEFAULT_CONTEXT = 32_768
_NO_PARENT = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class DetailsState:
    """What is known so far. ``loading``: the header is being read. ``problem``: why it, or the file, cannot be used."""

    name: str
    path: str
    loading: bool = True
    problem: str | None = None
    facts: tuple[Fact, ...] = ()
    context: int = _DEFAULT_CONTEXT
    longest_context: int | None = None
    forecast: Forecast | None = None
    memory: Memory | None = None
    cards: tuple[GraphicsCard, ...] = ()
    fitting_context: int | None = None
    fitting_context_on_cards: int | None = None

    @property
    def fit(self) -> Fit:
        """Whether it fits into main memory."""
        return judge(self.forecast.needed if self.forecast else None, self.memory)

    @property
    def fit_on_cards(self) -> Fit:
        """Whether all of it fits onto the graphics cards together, since an engine spreads it."""
        return judge(self.forecast.needed if self.forecast else None, together(self.cards))


def together(cards: Sequence[GraphicsCard]) -> Memory | None:
    """The memory of all cards; None without any."""
    if not cards:
        return None
    return Memory(sum(card.memory.total_bytes for card in cards), sum(card.memory.free_bytes for card in cards))


@dataclass(frozen=True)
class DetailsSources:
    """The sources. ``read_header`` blocks and is called in a thread."""

    read_header: Callable[[Path], GgufHeader]
    memory: MemoryProbe
    graphics: GraphicsProbe
    checksums: Checksums
    keeper: NotesKeeper


class MetadataTable(QAbstractTableModel):
    """The raw metadata: a column of keys and one of values, with the entries that contain every sought word."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: tuple[tuple[str, str], ...] = ()
        self._words: tuple[str, ...] = ()
        self.rows: list[tuple[str, str]] = []

    @override
    def rowCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    @override
    def columnCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else 2

    @override
    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or role not in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole}:
            return None
        text = self.rows[index.row()][index.column()]
        # A cell is one line; a chat template has hundreds.
        return " ".join(text.split()) if role == Qt.ItemDataRole.DisplayRole else text

    def fill(self, metadata: Mapping[str, GgufValue]) -> None:
        self._all = tuple((key, value_text(value)) for key, value in metadata.items())
        self.search(" ".join(self._words))

    def search(self, text: str) -> None:
        self._words = tuple(text.lower().split())
        self.beginResetModel()
        self.rows = [row for row in self._all if all(word in "\n".join(row).lower() for word in self._words)]
        self.endResetModel()

    def text(self, rows: Sequence[int]) -> str:
        """These rows for the clipboard: key, tab, value."""
        return "\n".join("\t".join(self.rows[row]) for row in rows)


class ModelDetailsViewModel(QObject):
    """Details of one model."""

    stateChanged = Signal(object)  # DetailsState

    def __init__(self, model: Model, sources: DetailsSources, scope: TaskScope, companions: Companions) -> None:
        super().__init__()
        self._model = model
        self._sources = sources
        self._companions = companions
        self._header: GgufHeader | None = None
        self._state = DetailsState(model.name, str(model.path), problem=model.problem)
        self.metadata = MetadataTable(self)
        self.notes = ModelNotesViewModel(model, sources.keeper, scope)
        self.integrity = ModelIntegrityViewModel(model, sources.checksums, scope)
        self._tasks = (
            scope.start(self._load(), name="read header"),
            scope.start(self._ask_cards(), name="ask graphics cards"),
        )

    @property
    def state(self) -> DetailsState:
        return self._state

    def set_context(self, context: int) -> None:
        """Forecasts for a context of so many tokens."""
        self._set_state(replace(self._state, context=context, **self._forecast(context)))

    def close(self) -> None:
        """Stops reading."""
        for task in self._tasks:
            task.cancel()
        self.integrity.close()

    async def _load(self) -> None:
        try:
            header = await asyncio.to_thread(self._sources.read_header, self._model.path)
        except InvalidModelFile as exc:
            facts = facts_of(self._model, None, self._companions)
            self._set_state(replace(self._state, loading=False, problem=exc.reason, facts=facts))
            return
        self._header = header
        self.metadata.fill(header.metadata)
        longest = model_context(header.metadata)
        context = min(_DEFAULT_CONTEXT, longest or _DEFAULT_CONTEXT)
        facts = facts_of(self._model, header, self._companions)
        found = self._forecast(context)
        self._set_state(
            replace(self._state, loading=False, facts=facts, context=context, longest_context=longest, **found)
        )

    async def _ask_cards(self) -> None:
        cards = tuple(await asyncio.to_thread(self._sources.graphics.read))
        self._set_state(replace(self._state, cards=cards))
        self._set_state(replace(self._state, **self._forecast(self._state.context)))

    def _forecast(self, context: int) -> dict[str, Any]:
        if self._header is None:
            return {}
        facts = self._model.facts
        # With a part missing, the size of the others says nothing.
        weights = facts.file_size_bytes if facts is not None and self._model.problem is None else None
        metadata, serving = self._header.metadata, Serving(context=context)
        memory, cards = self._sources.memory.read(), together(self._state.cards)
        return {
            "forecast": forecast(metadata, weights, serving, facts.repackable_bytes if facts is not None else 0),
            "memory": memory,
            "fitting_context": largest_context_that_fits(metadata, weights, serving, memory),
            "fitting_context_on_cards": largest_context_that_fits(metadata, weights, serving, cards),
        }

    def _set_state(self, state: DetailsState) -> None:
        if state != self._state:
            self._state = state
            self.stateChanged.emit(state)
