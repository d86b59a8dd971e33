"""All that is known about one model: facts with their source, raw metadata, and the memory that it will need."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from typing_extensions import override

from gglib_desktop.domain.errors import InvalidModelFile
from gglib_desktop.domain.forecast import (
    Fit,
    Forecast,
    Memory,
    Serving,
    forecast,
    judge,
    largest_context_that_fits,
    model_context,
)
from gglib_desktop.domain.gguf import GgufHeader, GgufValue, SkippedArray, SkippedString
from gglib_desktop.domain.model import Model
from gglib_desktop.domain.units import count_text, size_text
from gglib_desktop.ports.memory_probe import MemoryProbe
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.model_notes import ModelNotesViewModel, NotesKeeper

_DEFAULT_CONTEXT = 32_768
_NO_PARENT = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex


class FactName(StrEnum):
    """What a fact is about; views word it."""

    NAME = "name"
    ARCHITECTURE = "architecture"
    SIZE = "size"
    PARAMETERS = "parameters"
    QUANTISATION = "quantisation"
    CONTEXT = "context"
    LAYERS = "layers"
    MTP_LAYERS = "mtp layers"
    WIDTH = "width"
    HEADS = "heads"
    KEY_HEADS = "key heads"
    EXPERTS = "experts"
    EXPERTS_USED = "experts used"
    WINDOW = "window"
    TOKENIZER = "tokenizer"
    CHAT_TEMPLATE = "chat template"
    LICENCE = "licence"


@dataclass(frozen=True)
class Fact:
    """A fact, and the header's key or whatever else says so."""

    name: FactName
    value: str
    source: str


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
    fitting_context: int | None = None

    @property
    def fit(self) -> Fit:
        return judge(self.forecast.total if self.forecast else None, self.memory)


class MetadataTable(QAbstractTableModel):
    """The raw metadata: a column of keys and one of values, of the entries in which every sought word occurs."""

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
        """These rows for the clipboard: key, tabulator, value."""
        return "\n".join("\t".join(self.rows[row]) for row in rows)


class ModelDetailsViewModel(QObject):
    """Details of one model. ``read_header`` blocks and is called in a thread."""

    stateChanged = Signal(object)  # DetailsState

    def __init__(
        self,
        model: Model,
        read_header: Callable[[Path], GgufHeader],
        memory: MemoryProbe,
        keeper: NotesKeeper,
        scope: TaskScope,
    ) -> None:
        super().__init__()
        self._model = model
        self._read_header = read_header
        self._memory = memory
        self._header: GgufHeader | None = None
        self._state = DetailsState(model.name, str(model.path), problem=model.problem)
        self.metadata = MetadataTable(self)
        self.notes = ModelNotesViewModel(model, keeper, scope)
        self._task = scope.start(self._load(), name="read header")

    @property
    def state(self) -> DetailsState:
        return self._state

    def set_context(self, context: int) -> None:
        """Forecasts for a context of so many tokens."""
        self._set_state(replace(self._state, context=context, **self._forecast(context)))

    def close(self) -> None:
        """Reads no further."""
        self._task.cancel()

    async def _load(self) -> None:
        try:
            header = await asyncio.to_thread(self._read_header, self._model.path)
        except InvalidModelFile as exc:
            self._set_state(replace(self._state, loading=False, problem=exc.reason))
            return
        self._header = header
        self.metadata.fill(header.metadata)
        longest = model_context(header.metadata)
        context = min(_DEFAULT_CONTEXT, longest or _DEFAULT_CONTEXT)
        facts = tuple(_facts(self._model, header))
        found = self._forecast(context)
        self._set_state(
            replace(self._state, loading=False, facts=facts, context=context, longest_context=longest, **found)
        )

    def _forecast(self, context: int) -> dict[str, Any]:
        if self._header is None:
            return {}
        facts = self._model.facts
        # With a part missing, the size of what is there says nothing.
        weights = facts.file_size_bytes if facts is not None and self._model.problem is None else None
        metadata, memory, serving = self._header.metadata, self._memory.read(), Serving(context=context)
        return {
            "forecast": forecast(metadata, weights, serving),
            "memory": memory,
            "fitting_context": largest_context_that_fits(metadata, weights, serving, memory),
        }

    def _set_state(self, state: DetailsState) -> None:
        if state != self._state:
            self._state = state
            self.stateChanged.emit(state)


_STATED = {
    FactName.CONTEXT: "context_length",
    FactName.LAYERS: "block_count",
    FactName.MTP_LAYERS: "nextn_predict_layers",
    FactName.WIDTH: "embedding_length",
    FactName.HEADS: "attention.head_count",
    FactName.KEY_HEADS: "attention.head_count_kv",
    FactName.EXPERTS: "expert_count",
    FactName.EXPERTS_USED: "expert_used_count",
    FactName.WINDOW: "attention.sliding_window",
}


def _facts(model: Model, header: GgufHeader) -> Iterator[Fact]:
    metadata, facts = header.metadata, model.facts
    architecture = value_text(metadata.get("general.architecture", ""))
    stated = [(FactName.NAME, "general.name"), (FactName.ARCHITECTURE, "general.architecture")]
    stated += [(name, f"{architecture}.{key}") for name, key in _STATED.items()]
    stated += [
        (FactName.TOKENIZER, "tokenizer.ggml.model"),
        (FactName.CHAT_TEMPLATE, "tokenizer.chat_template"),
        (FactName.LICENCE, "general.license"),
    ]
    if facts is not None:
        yield Fact(FactName.SIZE, size_text(facts.file_size_bytes), "file")
        if facts.parameter_count:
            source = "general.parameter_count" if "general.parameter_count" in metadata else "tensors"
            yield Fact(FactName.PARAMETERS, count_text(facts.parameter_count), source)
        if facts.quantisation:
            in_name = facts.quantisation.removeprefix("UD-").lower() in model.path.name.lower()
            yield Fact(FactName.QUANTISATION, facts.quantisation, "file name" if in_name else "general.file_type")
    for name, key in stated:
        if key in metadata:
            yield Fact(name, _short(value_text(metadata[key])), key)


def value_text(value: GgufValue) -> str:
    """A metadata value as text."""
    match value:
        case SkippedString(length):
            return f"({length:,} bytes of text, not kept)"
        case SkippedArray(kind, length):
            return f"({length:,} values of type {kind.name.lower()})"
        case tuple():
            return ", ".join(value_text(item) for item in value)
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.7g}"
        case _:
            return str(value)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:79]}…"
