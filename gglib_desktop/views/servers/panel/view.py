"""The panel of one server: its line, and below it, while it is open, all the rest."""

from __future__ import annotations

import math
import time

from PySide6.QtCore import QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QPalette, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from gglib_desktop.domain.servers.remedies import Remedy
from gglib_desktop.domain.servers.restart import Retry
from gglib_desktop.domain.servers.states import Crashed, Failed, Loading, Stopped, Stopping
from gglib_desktop.domain.units import duration_stays_s, duration_text
from gglib_desktop.viewmodels.servers.server import ServerPanelState, ServerViewModel
from gglib_desktop.views.look.card import CORNER, HALF_GRID, Card
from gglib_desktop.views.servers.panel.body import Body
from gglib_desktop.views.servers.panel.line import Line
from gglib_desktop.views.servers.panel.orders import Orders

_TICK_S = 1.0
_MARK_WIDTH = 4


class ServerPanel(Card):
    """Shows a ServerViewModel and passes on the user's actions. Its inside is made when it is first opened."""

    settingsRequested = Signal()
    foldClicked = Signal(int)  # the server's id
    grown = Signal()  # widgets were made, which Tab is to go through before the next panel

    def __init__(self, server: ServerViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.server = server
        self.orders = Orders(server, self)
        self.setObjectName(f"server{server.id}")
        self.setContentsMargins(HALF_GRID + _MARK_WIDTH, 2, HALF_GRID, 2)
        self.line = Line(server, self.orders, self)
        self._body: Body | None = None
        self._is_current = False
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(HALF_GRID)
        self._layout.addWidget(self.line)
        # Precise: any other timer may fire before the text changes.
        self._ticker = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._ticker.timeout.connect(self._render_time)
        server.stateChanged.connect(self._render)
        self.line.fold.clicked.connect(self._on_fold)
        self.show_open(False)
        self._render(server.state)

    @property
    def is_open(self) -> bool:
        return self._body is not None and not self._body.isHidden()

    def show_open(self, is_open: bool) -> None:
        """Leaves only the line, or shows all and takes the height that is left."""
        body = self._body
        if is_open and body is None:
            body = self._make_body()
        if body is not None:
            if is_open:
                body.show_state(self.server.state)
            body.setVisible(is_open)
        policy = QSizePolicy.Policy.Expanding if is_open else QSizePolicy.Policy.Fixed
        self.setSizePolicy(QSizePolicy.Policy.Preferred, policy)
        self.line.show_open(is_open)

    def show_current(self, is_current: bool) -> None:
        """Marks the panel that the menus' commands are for."""
        if is_current != self._is_current:
            self._is_current = is_current
            self.update()

    def show_log(self) -> None:
        """In the panel, which is open."""
        if self._body is not None:
            self._body.pages.show_log()

    def _make_body(self) -> Body:
        body = self._body = Body(self.server, self.orders, self)
        body.notices.card.chosen.connect(self._on_remedy)
        self._layout.addWidget(body, 1)
        body.pages.grown.connect(self.grown)
        return body

    # -- showing

    @Slot(object)
    def _render(self, state: ServerPanelState) -> None:
        self.setAccessibleName(f"Server: {state.title}")
        self.line.show_state(state)
        if self._body is not None and self.is_open:
            self._body.show_state(state)
        self._render_time()

    @Slot()
    def _render_time(self) -> None:
        """Shows for how long it has been in this state, and returns when that text changes."""
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
        self._render_time()

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._ticker.stop()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._is_current:
            # In the color of the selected row in the list of models: the two belong together.
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.palette().color(QPalette.ColorRole.Highlight))
            left = 1 if self.layoutDirection() is Qt.LayoutDirection.LeftToRight else self.width() - 1 - _MARK_WIDTH
            height = self.height() - 2 * CORNER
            painter.drawRoundedRect(QRectF(left, CORNER, _MARK_WIDTH, height), _MARK_WIDTH / 2, _MARK_WIDTH / 2)

    # -- acting

    @Slot()
    def _on_fold(self) -> None:
        self.foldClicked.emit(self.server.id)

    @Slot(object)
    def _on_remedy(self, remedy: Remedy) -> None:
        if remedy is Remedy.SHOW_LOG:
            self.show_log()
        elif remedy is Remedy.CHOOSE_ENGINE:
            self.settingsRequested.emit()
        else:
            self.server.mend(remedy)
