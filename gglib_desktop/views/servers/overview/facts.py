"""What a server runs with: one cell for each fact, and the command line. Of one that has ended, when and why."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, Qt, QTimer, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from gglib_desktop.domain.gguf.forecast import ByteRange
from gglib_desktop.domain.options.engine_options import ALL_GPU_LAYERS, DRAFT_MTP
from gglib_desktop.domain.servers.split.workers import Worker
from gglib_desktop.domain.servers.states import Crashed, Failed, Unreachable
from gglib_desktop.domain.units import duration_text, size_text
from gglib_desktop.viewmodels.servers.server import ServerPanelState, Untold
from gglib_desktop.views.look.card import GRID, HALF_GRID
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.elided import CopyableLabel
from gglib_desktop.views.widgets.labels.figure_cell import FigureCell
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.widgets.layout.flow_row import FlowRow
from gglib_desktop.views.words.endpoints import not_told
from gglib_desktop.views.words.figures import bytes_text, not_known
from gglib_desktop.views.words.router import worker_text
from gglib_desktop.views.words.states import ended_text, time_text

translate = QCoreApplication.translate

_COPIED_MS = 1500


class Facts(QWidget):
    """Its parts are hidden while there is nothing to say."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._ended = WrapLabel(parent=self)
        self._ended.setObjectName("ended")
        self._engine = FigureCell(self.tr("Engine"), "servingEngine", self, usual=not_known())
        self._context = FigureCell(
            self.tr("Context"), "context", self, usual=self.tr("{count} tokens").format(count=999999)
        )
        self._slots = FigureCell(self.tr("Slots"), "slots", self, usual=not_known())
        self._layers = FigureCell(self.tr("GPU layers"), "gpuLayers", self, usual=not_known())
        self._forecast = FigureCell(
            self.tr("RAM, estimated"), "ramEstimate", self, usual=_range_text(ByteRange(2**33, 2**34))
        )
        self._cells = FlowRow(
            (self._engine, self._context, self._slots, self._layers, self._forecast), self, column_gap=2 * GRID
        )
        self._workers = _Workers(self)
        self._notes = WrapLabel(parent=self)
        self._notes.setObjectName("facts")
        self._command_line = _CommandLine(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(HALF_GRID)
        for part in (self._ended, self._cells, self._workers, self._notes, self._command_line):
            layout.addWidget(part)

    def show_state(self, state: ServerPanelState) -> None:
        _say(self._ended, _end_text(state))
        known = state.context_size is not None or state.handle is not None or state.is_attached
        # Those of a router are those of its models.
        self._cells.setVisible(known and not state.is_router)
        self._engine.setVisible(bool(state.engine))
        self._engine.show_value(state.engine, hint=self.tr("What it does not tell is not known here."))
        tokens = self.tr("{count} tokens")
        self._context.show_value(
            _unknown(state, Untold.CONTEXT) if state.context_size is None else tokens.format(count=state.context_size),
            hint=self.tr("For each slot, in tokens."),
        )
        self._slots.show_value(_unknown(state, Untold.SLOTS) if state.slots is None else str(state.slots))
        self._layers.setVisible(not state.is_attached)
        self._layers.show_value(_layers_text(state))
        self._forecast.setVisible(state.forecast is not None)
        if state.forecast is not None:
            hint = self.tr("Computed from the model's file and these settings, not measured.")
            self._forecast.show_value(_range_text(state.forecast), hint=hint)
        self._workers.show_workers(state.workers)
        _say(self._notes, notes_text(state))
        self._command_line.show_text(state.command_line)


class _Workers(QWidget):
    """One line for each computer that has a part of the model."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._lines: list[QLabel] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.hide()

    def show_workers(self, workers: Sequence[Worker]) -> None:
        while len(self._lines) < len(workers):
            line = QLabel(self)
            line.setTextFormat(Qt.TextFormat.PlainText)
            line.setObjectName(f"worker{len(self._lines) + 1}")
            self._lines.append(line)
            self._column.addWidget(line)
        for line, worker in zip(self._lines, workers, strict=False):
            text = worker_text(worker)
            memory = bytes_text(worker.rss_bytes)
            line.setText(self.tr("Worker: {worker} · RAM {memory}").format(worker=text, memory=memory))
            line.setAccessibleName(f"Worker: {text}")
        for index, line in enumerate(self._lines):
            line.setVisible(index < len(workers))
        self.setVisible(bool(workers))


class _CommandLine(QWidget):
    """Takes the focus, and can be copied whole."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        # The program's path is the least interesting part.
        self._text = CopyableLabel(self, Qt.TextElideMode.ElideLeft)
        self._text.setObjectName("commandLine")
        self._copy = push_button("copyCommandLine", self.tr("Copy command line"), self, icon_name="copy")
        self._copy.setMinimumWidth(self._copy.sizeHint().width())
        self._say_again = QTimer(self, singleShot=True, interval=_COPIED_MS)
        self._say_again.timeout.connect(self._on_copied_before)
        self._copy.clicked.connect(self._on_copy)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._text, 1)
        row.addWidget(self._copy)

    def show_text(self, text: str) -> None:
        if text != self._text.text():
            self._text.setText(text)
            self._text.setAccessibleName(self.tr("Command line: {text}").format(text=text))
        self.setVisible(bool(text))

    @Slot()
    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self._text.text())
        self._copy.setText(self.tr("Copied"))
        self._say_again.start()

    @Slot()
    def _on_copied_before(self) -> None:
        self._copy.setText(self._copy.accessibleName())


def _say(label: WrapLabel, text: str) -> None:
    if text != label.text():
        label.setText(text)
    label.setVisible(bool(text))


def _end_text(state: ServerPanelState) -> str:
    """When and why a server ended, and for how long it had run; what can be done with one that is out of reach."""
    text = ended_text(state.state)
    if isinstance(state.state, Failed | Crashed):
        # The card above says why.
        text = translate("ServerFacts", "Ended at {time}.").format(time=time_text(state.state.at))
    if isinstance(state.state, Unreachable):
        hint = translate(
            "ServerFacts",
            "It may still run there. Dismiss closes this panel only; it is shown again with the program's next start.",
        )
        return f"{text}\n{hint}"
    if text and state.ran_s is not None and not isinstance(state.state, Failed):
        ran = translate("ServerFacts", "It had run for {time}.").format(time=duration_text(state.ran_s))
        return f"{text} {ran}"
    return text


def _unknown(state: ServerPanelState, part: Untold) -> str:
    return not_told() if part in state.untold else not_known()


def _layers_text(state: ServerPanelState) -> str:
    if state.gpu_layers is None:
        return not_known()
    if state.gpu_layers >= ALL_GPU_LAYERS:
        return translate("ServerFacts", "all")
    return str(state.gpu_layers)


def _range_text(size: ByteRange) -> str:
    text = translate("ServerFacts", "{low} to {high}")
    return text.format(low=size_text(size.low), high=size_text(size.high))


def notes_text(state: ServerPanelState) -> str:
    """What is worth a sentence beside the cells, one after the other."""
    parts = []
    if state.refuses_us:
        parts.append(translate("ServerPanel", "it wants a key that is not known here, so little is known of it"))
    if (state.handle is not None and not state.is_router) or (state.is_attached and state.drafts is not None):
        parts.append(_drafting_text(state))
    if state.lacks_template:
        parts.append(translate("ServerPanel", "no chat template: the engine uses ChatML, chat answers may be poor"))
    if state.adopted and state.handle is not None:
        parts.append(translate("ServerPanel", "taken over while it ran"))
    text = " · ".join(parts)
    return text[:1].upper() + text[1:]


def _drafting_text(state: ServerPanelState) -> str:
    """The requested number, or the observed one if drafting is not the program's own choice."""
    if state.drafter:
        return _draft_model_text(state)
    if state.draft_tokens:
        text = translate("ServerPanel", "MTP drafts {count}, p ≥ {least}")
        return text.format(count=state.draft_tokens, least=f"{state.min_probability or 0:g}")
    if not state.drafts:
        return translate("ServerPanel", "no MTP drafting")
    if DRAFT_MTP in state.draft_types:
        return translate("ServerPanel", "it drafts with MTP")
    if state.draft_types:
        return translate("ServerPanel", "it drafts: {methods}").format(methods=", ".join(sorted(state.draft_types)))
    return translate("ServerPanel", "it drafts")


def _draft_model_text(state: ServerPanelState) -> str:
    if not state.draft_tokens:
        return translate("ServerPanel", "drafts by {drafter}").format(drafter=state.drafter)
    text = translate("ServerPanel", "drafts {count} with {drafter}, p ≥ {least}")
    return text.format(drafter=state.drafter, count=state.draft_tokens, least=f"{state.min_probability or 0:g}")
