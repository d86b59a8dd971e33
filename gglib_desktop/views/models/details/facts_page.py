"""The page of a model's details that lists facts."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QScrollArea, QWidget

from gglib_desktop.viewmodels.models.model_facts import Fact, FactGroup, FactName
from gglib_desktop.views.look.type_scale import TypeSize, set_type
from gglib_desktop.views.models.details.parts import text_label

_AMOUNTS = {FactName.CONTEXT, FactName.WIDTH, FactName.WINDOW, FactName.EXPERTS}


class FactsPage(QScrollArea):
    """Each fact with its evidence, under the heading of its group."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("detailsFacts")
        self.setAccessibleName(self.tr("Facts"))
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self._shown: tuple[Fact, ...] = ()

    def show_facts(self, facts: tuple[Fact, ...]) -> None:
        if facts == self._shown:
            return
        self._shown = facts
        page = QWidget()
        grid = QGridLayout(page)
        grid.setColumnStretch(1, 3)
        grid.setColumnStretch(2, 2)
        grid.setHorizontalSpacing(18)
        group = None
        for fact in facts:
            if fact.group is not group:
                group = fact.group
                grid.addWidget(self._heading(group, first=fact is facts[0]), grid.rowCount(), 0, 1, 3)
            self._add(grid, fact)
        grid.setRowStretch(grid.rowCount(), 1)
        self.setWidget(page)

    def _heading(self, group: FactGroup, *, first: bool) -> QLabel:
        label = QLabel(self._group_words()[group])
        set_type(label, strong=True)
        if not first:
            label.setContentsMargins(0, 10, 0, 0)
        return label

    def _add(self, grid: QGridLayout, fact: Fact) -> None:
        words = fact.detail or self._words()[fact.name]
        name = "_".join(part for part in ("fact", fact.name.replace(" ", "_"), fact.detail) if part)
        value = text_label(name, self._value_text(fact))
        value.setAccessibleName(f"{words}: {fact.value}")
        value.setAccessibleDescription(fact.source)
        source = QLabel(self._source_text(fact.source))
        source.setToolTip(fact.source)
        set_type(source, TypeSize.SMALL)
        source.setTextFormat(Qt.TextFormat.PlainText)
        source.setWordWrap(True)
        row = grid.rowCount()
        for column, label in enumerate((QLabel(words), value, source)):
            grid.addWidget(label, row, column, Qt.AlignmentFlag.AlignTop)

    def _value_text(self, fact: Fact) -> str:
        """Numbers as the forms write them."""
        return self.locale().toString(int(fact.value)) if fact.name in _AMOUNTS and fact.value.isdigit() else fact.value

    def _source_text(self, source: str) -> str:
        """In plain words; the key of the header itself is in the tool tip."""
        if "." in source and " " not in source:
            return self.tr("stated in the file's header")
        return {
            "tensors": self.tr("counted in the file"),
            "file": self.tr("measured"),
            "file name": self.tr("from the file's name"),
            "file names": self.tr("from the files' names"),
            "names of the folders": self.tr("from the folders' names"),
            "library": self.tr("remembered by this program"),
            "same folder": self.tr("found in the same folder"),
        }.get(source, source)

    def _group_words(self) -> dict[FactGroup, str]:
        return {
            FactGroup.MODEL: self.tr("Model"),
            FactGroup.CAPABILITIES: self.tr("Capabilities, and the evidence for them"),
            FactGroup.FILES: self.tr("Files"),
            FactGroup.CACHE: self.tr("What one token of the context takes, by the type of the cache"),
        }

    def _words(self) -> dict[FactName, str]:
        return {
            FactName.NAME: self.tr("Name"),
            FactName.ARCHITECTURE: self.tr("Architecture"),
            FactName.PARAMETERS: self.tr("Parameters"),
            FactName.QUANTISATION: self.tr("Quantisation"),
            FactName.CONTEXT: self.tr("Longest context"),
            FactName.LAYERS: self.tr("Layers"),
            FactName.MTP_LAYERS: self.tr("MTP layers"),
            FactName.WIDTH: self.tr("Embedding width"),
            FactName.HEADS: self.tr("Attention heads"),
            FactName.KEY_HEADS: self.tr("Key and value heads"),
            FactName.EXPERTS: self.tr("Experts"),
            FactName.EXPERTS_USED: self.tr("Experts used at a time"),
            FactName.WINDOW: self.tr("Sliding window"),
            FactName.TOKENIZER: self.tr("Tokenizer"),
            FactName.CHAT_TEMPLATE: self.tr("Chat template"),
            FactName.LICENCE: self.tr("Licence"),
            FactName.REPOSITORY: self.tr("Repository"),
            FactName.MTP: self.tr("Multi-token prediction (MTP)"),
            FactName.MOE: self.tr("Mixture of experts (MoE)"),
            FactName.VISION: self.tr("Vision"),
            FactName.EMBEDDING: self.tr("Embedding"),
            FactName.REASONING: self.tr("Reasoning"),
            FactName.TOOLS: self.tr("Tool calls"),
            FactName.SIZE: self.tr("Size"),
            FactName.PARTS: self.tr("Parts"),
            FactName.PROJECTORS: self.tr("Vision projectors"),
            FactName.DRAFT_HEADS: self.tr("Draft heads"),
            FactName.ADAPTERS: self.tr("LoRA adapters"),
            FactName.CONTROL_VECTORS: self.tr("Control vectors"),
            FactName.ADDED: self.tr("Added"),
            FactName.LAST_USED: self.tr("Last used"),
            FactName.CACHE: self.tr("Cache"),
            FactName.SLOT_STATE: self.tr("State of each slot"),
        }
