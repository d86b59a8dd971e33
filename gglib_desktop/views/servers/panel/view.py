"""The panel of one server."""

from __future__ import annotations

import math
import time

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from gglib_desktop.domain.servers.remedies import Remedy
from gglib_desktop.domain.servers.restart import Retry
from gglib_desktop.domain.servers.states import Crashed, Loading, Stopping
from gglib_desktop.domain.units import duration_stays_s, duration_text
from gglib_desktop.viewmodels.servers.server import ServerPanelState, ServerViewModel
from gglib_desktop.views.servers.panel.endpoint import AccessLine, EndpointRow
from gglib_desktop.views.servers.panel.header import Header
from gglib_desktop.views.servers.panel.notices import Notices
from gglib_desktop.views.servers.panel.pages import Pages

_TICK_S = 1.0


class ServerPanel(QFrame):
    """Shows a ServerViewModel and passes on the user's actions."""

    settingsRequested = Signal()
    revealed = Signal(QWidget)  # a part of the panel to bring into view
    foldedChanged = Signal()

    def __init__(self, server: ServerViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.server = server
        self.setObjectName(f"server{server.id}")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        # Tab goes through widgets in the order in which they were made.
        self._header = Header(server, self)
        self.endpoint = EndpointRow(server, self)
        self._access = AccessLine(self.endpoint.copy_key_button, self)
        self._notices = Notices(server, self)
        self._pages = Pages(server, self)
        self._body = self._make_body()
        layout = QVBoxLayout(self)
        layout.addWidget(self._header)
        layout.addWidget(self._access)
        layout.addWidget(self._body, 1)
        # Precise: any other timer may fire before the text changes.
        self._ticker = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._ticker.timeout.connect(self._render_time)
        server.stateChanged.connect(self._render)
        self._header.fold.clicked.connect(self._on_fold)
        self._notices.card.chosen.connect(self._on_remedy)
        self._pages.pageShown.connect(self._take_room)
        self.set_folded(False)
        self._render(server.state)

    @property
    def is_folded(self) -> bool:
        return self._body.isHidden()

    def set_folded(self, folded: bool) -> None:
        """Leaves only the header line, or shows all."""
        self._body.setVisible(not folded)
        self._access.set_folded(folded)
        self._take_room()
        self._header.show_folded(folded)
        self.foldedChanged.emit()

    @Slot()
    def show_log(self) -> None:
        self.set_folded(False)
        self._pages.show_log()
        self.revealed.emit(self._pages)

    def _make_body(self) -> QWidget:
        body = QWidget(self)
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.endpoint)
        layout.addLayout(self._notices)
        layout.addWidget(self._pages, 1)
        return body

    # -- showing

    @Slot(object)
    def _render(self, state: ServerPanelState) -> None:
        self.setAccessibleName(f"Server: {state.title}")
        self._header.show_state(state)
        self._access.show_state(state)
        self.endpoint.show_state(state)
        self._notices.show_state(state)
        self._pages.show_state(state)
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
                self._notices.card.show_countdown(retry)
                text, lasts_s = self.tr("waits"), _TICK_S
            case _ if state.running_since is not None:
                text = self.tr("up {time}").format(time=duration_text(now - state.running_since))
                lasts_s = duration_stays_s(now - state.running_since)
        self._header.show_time(text)
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

    # -- acting

    @Slot()
    def _take_room(self) -> None:
        """A visible log takes the height that the other panels leave."""
        grows = not self.is_folded and self._pages.shows_log
        policy = QSizePolicy(
            QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding if grows else QSizePolicy.Policy.Maximum
        )
        policy.setVerticalStretch(1 if grows else 0)
        self.setSizePolicy(policy)

    @Slot()
    def _on_fold(self) -> None:
        self.set_folded(not self.is_folded)

    @Slot(object)
    def _on_remedy(self, remedy: Remedy) -> None:
        if remedy is Remedy.SHOW_LOG:
            self.show_log()
        elif remedy is Remedy.CHOOSE_ENGINE:
            self.settingsRequested.emit()
        else:
            self.server.mend(remedy)
