"""The panel of one server: its line, and below it, while it is open, all the rest."""

from __future__ import annotations

import math
import time

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from gglib_desktop.domain.servers.remedies import Remedy
from gglib_desktop.domain.servers.restart import Retry
from gglib_desktop.domain.servers.states import Crashed, Failed, Loading, Stopped, Stopping
from gglib_desktop.domain.units import duration_stays_s, duration_text
from gglib_desktop.viewmodels.servers.server import ServerViewModel
from gglib_desktop.views.servers.panel.body import Body
from gglib_desktop.views.servers.panel.line_buttons import OwnButtons
from gglib_desktop.views.servers.panel.orders import Orders
from gglib_desktop.views.servers.panel_frame import Panel

_TICK_S = 1.0


class ServerPanel(Panel):
    """Shows a ServerViewModel and passes on the user's actions. Its inside is made when it is first opened."""

    settingsRequested = Signal()
    measureRequested = Signal(int)  # the model's id

    def __init__(self, server: ServerViewModel, parent: QWidget | None = None) -> None:
        buttons = OwnButtons()
        super().__init__(server, buttons, parent)
        self.server = server
        self.orders = Orders(server, self)
        self._body: Body | None = None
        # Precise: any other timer may fire before the text changes.
        self._ticker = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._ticker.timeout.connect(self.show_time)
        buttons.start.clicked.connect(self.orders.restart)
        buttons.stop.clicked.connect(self.orders.stop)
        buttons.dismiss.clicked.connect(server.dismiss)
        self.begin()

    def show_log(self) -> None:
        """In the panel, which is open."""
        if self._body is not None:
            self._body.pages.show_log()

    @override
    def make_body(self) -> Body:
        body = self._body = Body(self.server, self.orders, self)
        body.notices.card.chosen.connect(self._on_remedy)
        body.pages.measureRequested.connect(self._on_measure)
        return body

    # -- showing

    @override
    @Slot()
    def show_time(self) -> None:
        """And returns when that text changes."""
        state, now = self.server.state, time.time()
        text, lasts_s = "", 0.0
        match state.state:
            case Stopping(kill_at=kill_at):
                text, lasts_s = self.tr("killed in {wait} s").format(wait=max(0, round(kill_at - now))), _TICK_S
            case Loading(since=since, usual_s=usual_s):
                is_known = usual_s is not None and usual_s >= 1
                text = self.tr("for {time} of about {usual}") if is_known else self.tr("for {time}")
                text = text.format(time=duration_text(now - since), usual=duration_text(usual_s or 0))
                lasts_s = duration_stays_s(now - since)
            case Crashed(retry=Retry() as retry):
                if self._body is not None:
                    self._body.notices.card.show_countdown(retry)
                text, lasts_s = self.tr("waits"), _TICK_S
            case Stopped(at=at) | Failed(at=at) | Crashed(at=at):
                text = self.tr("{time} ago").format(time=duration_text(now - at))
                lasts_s = duration_stays_s(now - at)
            case _ if state.running_since is not None:
                text = self.tr("up {time}").format(time=duration_text(now - state.running_since))
                lasts_s = duration_stays_s(now - state.running_since)
        self.line.show_time(text)
        if lasts_s and self.isVisible():
            self._ticker.start(math.ceil(lasts_s * 1000))
        else:
            self._ticker.stop()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.show_time()

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._ticker.stop()

    # -- acting

    @Slot()
    def _on_measure(self) -> None:
        self.measureRequested.emit(self.server.model_id)

    @Slot(object)
    def _on_remedy(self, remedy: Remedy) -> None:
        if remedy is Remedy.SHOW_LOG:
            self.show_log()
        elif remedy is Remedy.CHOOSE_ENGINE:
            self.settingsRequested.emit()
        else:
            self.server.mend(remedy)
