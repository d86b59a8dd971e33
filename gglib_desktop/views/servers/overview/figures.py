"""What a server does now: its speeds, its slots, its memory, and what drafting brings."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from gglib_desktop.domain.traffic.figures import Drafting, MemoryUse, ServerFigures, SlotWork
from gglib_desktop.viewmodels.servers.server import ServerPanelState, Untold
from gglib_desktop.views.charts.share_bar import ShareBar
from gglib_desktop.views.charts.speed_chart import SpeedChart
from gglib_desktop.views.look.card import GRID, HALF_GRID, Card
from gglib_desktop.views.look.theme import Figure
from gglib_desktop.views.look.type_scale import set_type
from gglib_desktop.views.widgets.labels.figure_cell import FigureCell
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.widgets.layout.flow_row import FlowRow
from gglib_desktop.views.words.endpoints import not_told
from gglib_desktop.views.words.figures import (
    bytes_text,
    count_or_not_known,
    drafting_text,
    fewer_sentence,
    gain_sentence,
    gain_text,
    percent_text,
    short_speed_text,
    slot_text,
    speed_text,
    wait_text,
)

_DASH = "–"


class FiguresCard(Card):
    """Shows the figures of a server that runs."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        speed = short_speed_text(8888)
        self._generation = FigureCell(self.tr("Generation"), "generation", self, usual=speed, large=True)
        self._prompt = FigureCell(self.tr("Prompt"), "promptSpeed", self, usual=speed, large=True)
        self._first = FigureCell(self.tr("First token"), "firstToken", self, usual=wait_text(8888), large=True)
        self._waiting = FigureCell(self.tr("Waiting"), "waiting", self, usual=count_or_not_known(None), large=True)
        self._chart = SpeedChart(self)
        self._drafting = _DraftingLines(self)
        self._slots = _Slots(self)
        self._use = _Use(self)
        self._dashes = WrapLabel(parent=self)
        self._dashes.setObjectName("untold")
        self._dashes.hide()
        self._untold: frozenset[Untold] = frozenset()
        self._not_told = not_told()
        self._figures: ServerFigures | None = None
        speeds = FlowRow((self._generation, self._prompt, self._first, self._waiting), self, column_gap=2 * GRID)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        for part in (speeds, self._chart, self._drafting, self._slots, self._use, self._dashes):
            layout.addWidget(part)

    def show_untold(self, state: ServerPanelState) -> None:
        """Some of what somebody else runs says little about itself, and nothing about its computer."""
        self._not_told = not_told(is_router=state.is_router)
        is_news, self._untold = state.untold != self._untold, state.untold
        self._use.setVisible(not state.is_attached)
        self._chart.setVisible(Untold.WORK not in state.untold)
        self._dashes.setVisible(bool(state.untold))
        self._dashes.setText(self._about_dashes(state))
        if state.is_attached or is_news:
            self.show_figures(ServerFigures() if self._figures is None else self._figures)

    def _about_dashes(self, state: ServerPanelState) -> str:
        if state.is_router:
            return self.tr("A dash: a router does not tell. The memory is that of all its models.")
        return self.tr("A dash: this endpoint does not tell. No endpoint tells of the memory of its computer.")

    def show_figures(self, figures: ServerFigures) -> None:
        self._figures = figures
        self._show_figure(self._generation, short_speed_text(figures.generation), spoken=speed_text(figures.generation))
        prompt = figures.prompt or None
        self._show_figure(self._prompt, short_speed_text(prompt), spoken=speed_text(prompt))
        hint = self.tr("From the moment when a slot was free to the first token, of the last requests.")
        self._show_figure(self._first, wait_text(figures.first_token_ms), hint=hint, part=Untold.WAIT)
        self._show_figure(self._waiting, count_or_not_known(figures.waiting))
        self._chart.show_values(figures.hour)
        self._drafting.show_drafting(figures.drafting)
        self._slots.show_slots(figures.slots)
        self._use.show_use(figures.memory, figures.cpu)

    def _show_figure(
        self, cell: FigureCell, text: str, *, spoken: str = "", hint: str = "", part: Untold = Untold.WORK
    ) -> None:
        if {Untold.WORK, part} & self._untold:
            cell.show_value(_DASH, spoken=self._not_told, hint=self._not_told)
        else:
            cell.show_value(text, spoken=spoken, hint=hint)


class _DraftingLines(QWidget):
    """Hidden for a server that has drafted nothing."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._steps = FigureCell(self.tr("Drafting"), "drafting", self, usual="")
        self._gain = FigureCell(self.tr("Drafting gain"), "draftingGain", self, usual=gain_text(None))
        self._sentence = WrapLabel(parent=self)
        self._sentence.setObjectName("draftingWords")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(HALF_GRID)
        layout.addWidget(FlowRow((self._steps, self._gain), self, column_gap=2 * GRID))
        layout.addWidget(self._sentence)
        self.hide()

    def show_drafting(self, drafting: Drafting | None) -> None:
        if drafting is not None:
            self._steps.show_value(drafting_text(drafting))
            self._gain.show_value(gain_text(drafting.gain), figure=self._gain_figure(drafting.gain))
            text = " ".join(filter(None, (gain_sentence(drafting), fewer_sentence(drafting))))
            if text != self._sentence.text():
                self._sentence.setText(text)
        self.setVisible(drafting is not None)

    def _gain_figure(self, gain: float | None) -> Figure | None:
        """Without a measurement, no color."""
        if gain is None or round(gain, 2) == 1:
            return None
        return Figure.GAIN if gain > 1 else Figure.LOSS


class _Slots(QWidget):
    """One line for each slot."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._lines: list[_SlotLine] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(HALF_GRID)

    def show_slots(self, slots: tuple[SlotWork, ...]) -> None:
        while len(self._lines) < len(slots):
            line = _SlotLine(len(self._lines) + 1, self)
            self._lines.append(line)
            self._layout.addWidget(line)
        for line, work in zip(self._lines, slots, strict=False):
            line.show_work(work)
        for index, line in enumerate(self._lines):
            line.setVisible(index < len(slots))
        self.setVisible(bool(slots))


class _SlotLine(QWidget):
    """``number`` begins at 1."""

    def __init__(self, number: int, parent: QWidget) -> None:
        super().__init__(parent)
        self._name = self.tr("Slot {number}").format(number=number)
        self._bar = ShareBar(Figure.PROMPT, self)
        self._text = QLabel(self)
        self._text.setObjectName(f"slot{number}")
        set_type(self._text, figures=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._text)
        row.addWidget(self._bar)
        row.addStretch()

    def show_work(self, work: SlotWork) -> None:
        text = f"{self._name}: {slot_text(work)}"
        if text != self._text.text():
            self._text.setText(text)
            self._text.setAccessibleName(text)
        reads = work.is_busy and not work.gen_n and work.prompt_n is not None
        self._bar.show_share(work.read_n / work.prompt_n if reads and work.prompt_n else 0.0)
        self._bar.setVisible(reads)


class _Use(FlowRow):
    """Of the computer that the server runs on."""

    def __init__(self, parent: QWidget) -> None:
        self._ram = FigureCell(self.tr("RAM"), "ram", parent, usual=bytes_text(2**40))
        self._vram = FigureCell(self.tr("VRAM"), "vram", parent, usual=bytes_text(2**40))
        self._cpu = FigureCell(self.tr("CPU"), "cpu", parent, usual=percent_text(8888))
        super().__init__((self._ram, self._vram, self._cpu), parent, column_gap=2 * GRID)

    def show_use(self, memory: MemoryUse | None, cpu: float | None) -> None:
        self._ram.show_value(bytes_text(memory.resident if memory else None), hint=self._ram_hint(memory))
        self._vram.show_value(bytes_text(memory.graphics if memory else None))
        self._cpu.show_value(percent_text(cpu), hint=self.tr("100 % is one core."))

    def _ram_hint(self, memory: MemoryUse | None) -> str:
        if memory is None or memory.anonymous is None:
            return ""
        text = self.tr("{own} of its own; the rest are pages of files, mostly the model, which servers share.")
        return text.format(own=bytes_text(memory.anonymous))
