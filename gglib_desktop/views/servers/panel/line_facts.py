"""What the line of a server says in columns: port, time, speed and activity."""

from __future__ import annotations

from enum import IntEnum

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget
from typing_extensions import override

from gglib_desktop.domain.servers.states import Ended, Loading, Starting, Stopping, Unreachable, Unresponsive
from gglib_desktop.domain.traffic.figures import ServerFigures
from gglib_desktop.viewmodels.servers.server import ServerPanelState, Untold
from gglib_desktop.views.charts.line import Sparkline
from gglib_desktop.views.look.type_scale import set_type
from gglib_desktop.views.widgets.labels.elided import ElidedLabel
from gglib_desktop.views.words.figures import short_speed_text, speed_text

GAP = 6
_SECONDS = 60
_ROOM = 4


class Detail(IntEnum):
    """How much a line says. Less each time: without time and sparkline; numbers without words."""

    ALL = 0
    FIGURES = 1
    NUMBERS = 2


class LineFacts(QWidget):
    """Columns of fixed widths, the same in all lines. What does not work has no speed: its time takes all the room."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._detail = Detail.ALL
        self._shown: tuple[ServerPanelState, ServerFigures] | None = None
        self._port, self._time = self._column("port"), self._column("time")
        self._speed, self._activity = self._column("speed"), self._column("activity")
        self._sparkline = Sparkline(_SECONDS, self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP)
        for part in (self._port, self._time, self._speed, self._sparkline, self._activity):
            row.addWidget(part)
        self._take_width()

    def width_of(self, detail: Detail) -> int:
        return sum(width + GAP for width in self._widths(detail).values() if width) - GAP

    def set_detail(self, detail: Detail) -> None:
        if detail is not self._detail:
            self._detail = detail
            self._take_width()
            if self._shown is not None:
                self.show_state(*self._shown)

    def show_time(self, text: str) -> None:
        if text != self._time.text():
            self._time.setText(text)

    def show_state(self, state: ServerPanelState, figures: ServerFigures) -> None:
        self._shown = (state, figures)
        self._set_columns(works=not isinstance(state.state, Starting | Loading | Stopping | Unreachable | Ended))
        port = "—" if state.port is None else str(state.port)
        self._say(self._port, self._port_text(port), f"Port: {port}")
        self._show_speed(state, figures)
        self._show_activity(state, figures)

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in {QEvent.Type.FontChange, QEvent.Type.StyleChange}:
            self._take_width()

    # -- columns

    def _column(self, name: str) -> ElidedLabel:
        label = ElidedLabel(self)
        label.setObjectName(name)
        set_type(label, figures=True)
        label.setFixedHeight(label.fontMetrics().height() + _ROOM)
        return label

    def _widths(self, detail: Detail) -> dict[QWidget, int]:
        """0: the column is left out."""
        longest = {
            self._port: self._port_text("65535", detail),
            self._time: self.tr("up {time}").format(time="59 min") if detail is Detail.ALL else "",
            self._speed: short_speed_text(888.8),
            self._activity: self._slots_text(16, 16, detail),
        }
        metrics = self._port.fontMetrics()
        widths: dict[QWidget, int] = {
            label: metrics.horizontalAdvance(text) + _ROOM if text else 0 for label, text in longest.items()
        }
        widths[self._sparkline] = self._sparkline.sizeHint().width() if detail is Detail.ALL else 0
        return widths

    def _take_width(self) -> None:
        self.setFixedWidth(self.width_of(self._detail))
        self._set_columns(works=True)

    def _set_columns(self, *, works: bool) -> None:
        widths = self._widths(self._detail)
        if not works:
            rest = self.width_of(self._detail) - widths[self._port] - 3 * GAP
            widths.update({self._time: rest, self._speed: 0, self._sparkline: 0, self._activity: 0})
        for label in (self._port, self._time, self._speed, self._activity):
            label.setFixedWidth(widths[label])
        # The others stay for assistive technology.
        self._time.setVisible(widths[self._time] > 0)
        self._sparkline.setVisible(widths[self._sparkline] > 0)

    # -- words

    def _say(self, label: ElidedLabel, text: str, name: str) -> None:
        if text != label.text():
            label.setText(text)
        if name != label.accessibleName():
            label.setAccessibleName(name)

    def _port_text(self, port: str, detail: Detail | None = None) -> str:
        is_short = (self._detail if detail is None else detail) is Detail.NUMBERS
        return port if is_short else self.tr("Port {port}").format(port=port)

    def _show_speed(self, state: ServerPanelState, figures: ServerFigures) -> None:
        works = (state.handle is not None or state.is_attached) and Untold.WORK not in state.untold
        speed = figures.generation if works else None
        text = "" if speed is None else short_speed_text(speed)
        self._say(self._speed, text, self.tr("Speed: {speed}").format(speed=speed_text(speed)))
        self._sparkline.show_values(figures.seconds if works else ())

    def _show_activity(self, state: ServerPanelState, figures: ServerFigures) -> None:
        busy = state.busy_slots if figures.busy_slots is None else figures.busy_slots
        text = ""
        if isinstance(state.state, Unreachable):
            spoken = self.tr("unknown")
        elif not state.is_attached and (state.handle is None or isinstance(state.state, Loading)):
            spoken = self.tr("none")
        elif busy is None or isinstance(state.state, Unresponsive):
            spoken = self.tr("unknown")
        elif state.slots is None and state.is_attached:
            # It takes as many as its memory holds.
            spoken = self.tr("{count} requests").format(count=busy)
            text = str(busy) if self._detail is Detail.NUMBERS else spoken
        elif state.slots is None:
            spoken = self.tr("unknown")
        else:
            text = self._slots_text(busy, state.slots, self._detail)
            spoken = self.tr("{busy} of {all} slots").format(busy=busy, all=state.slots)
        self._say(self._activity, text, self.tr("Activity: {activity}").format(activity=spoken))

    def _slots_text(self, busy: int, slots: int, detail: Detail) -> str:
        text = self.tr("{busy}/{all}") if detail is Detail.NUMBERS else self.tr("{busy} of {all} slots")
        return text.format(busy=busy, all=slots)
