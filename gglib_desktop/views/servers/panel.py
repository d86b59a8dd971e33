"""The panel of one server."""

from __future__ import annotations

import math
import time

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from gglib_desktop.domain.servers.remedies import Remedy
from gglib_desktop.domain.servers.restart import Retry
from gglib_desktop.domain.servers.states import Crashed, Failed, Loading, Starting, Stopping, Unresponsive
from gglib_desktop.domain.units import duration_stays_s, duration_text
from gglib_desktop.viewmodels.servers.server import ServerPanelState, ServerViewModel
from gglib_desktop.views.launch.option_flow import OptionFlow
from gglib_desktop.views.look.icons import icon
from gglib_desktop.views.servers.access_line import AccessLine
from gglib_desktop.views.servers.differences import DifferencesRow
from gglib_desktop.views.servers.facts_line import facts_text
from gglib_desktop.views.servers.failure_card import FailureCard
from gglib_desktop.views.servers.launch_note import LaunchNote
from gglib_desktop.views.servers.log.view import LogView
from gglib_desktop.views.servers.state_badge import StateBadge
from gglib_desktop.views.widgets.labels.elided import CopyableLabel, ElidedLabel
from gglib_desktop.views.widgets.labels.fixed_width import FixedWidthLabel
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.widgets.wheel_safe_boxes import WheelSafeTabWidget

_TICK_S = 1.0
_NAME_CHARACTERS = 6


class _Header(QWidget):
    """What stays when the panel is folded: name, health, port, time and the buttons that end the server."""

    def __init__(self, server: ServerViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.fold = QToolButton(self)
        self.fold.setObjectName("fold")
        self.fold.setAutoRaise(True)
        # What tells models of one name apart stands at its end.
        self.name = ElidedLabel(self, Qt.TextElideMode.ElideMiddle)
        self.name.setObjectName("serverName")
        font = self.name.font()
        font.setBold(True)
        font.setPointSizeF(font.pointSizeF() * 1.1)
        self.name.setFont(font)
        self.badge = StateBadge(server.state.state, self)
        self.port = QLabel(self)
        self.port.setObjectName("port")
        self.time = FixedWidthLabel(self.tr("up {time}").format(time="59 min"), self)
        self.time.setObjectName("time")
        self.stop = QPushButton(icon("stop"), self.tr("Stop"), self)
        self.stop.setObjectName("stop")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.fold)
        layout.addWidget(self.name, 1)
        for widget in (self.badge, self.port, self.time, self.stop):
            layout.addWidget(widget)
        # Texts of changing length must not push their neighbours about.
        metrics = self.port.fontMetrics()
        self.port.setMinimumWidth(metrics.horizontalAdvance(self.tr("Port {port}").format(port=65535)) + 4)
        self.name.setMinimumWidth(metrics.averageCharWidth() * _NAME_CHARACTERS)


class ServerPanel(QFrame):
    """Shows a ServerViewModel and passes on what people do."""

    settingsRequested = Signal()
    revealed = Signal(QWidget)  # a part of the panel to bring into view
    foldedChanged = Signal()

    def __init__(self, server: ServerViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.server = server
        self._folded = False
        self.setObjectName(f"server{server.id}")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._header = _Header(server, self)
        self._endpoint = CopyableLabel(self, Qt.TextElideMode.ElideMiddle)
        self._endpoint.setObjectName("endpoint")
        self._activity = QLabel(self)
        self._activity.setObjectName("activity")
        self._activity.setContentsMargins(0, 0, 0, 6)
        self._kill = self._button("kill", self.tr("Kill now"), "warning")
        self._copy = self._button("copyEndpoint", self.tr("Copy endpoint"), "copy")
        self._copy_key = self._button("copyKey", self.tr("Copy key"), "copy")
        self._access = AccessLine(self._copy_key, self)
        self._restart = self._button("restart", self.tr("Restart"), "restart")
        self._dismiss = self._button("dismiss", self.tr("Dismiss"), "dismiss")
        self._card = FailureCard(self)
        self._differences = DifferencesRow(self)
        self._note = LaunchNote(self)
        # Before what stands on its pages: Tab goes through widgets as they were made.
        self._tabs = WheelSafeTabWidget(self)
        self._facts = WrapLabel(parent=self)
        self._facts.setObjectName("facts")
        # The program's path says the least of it.
        self._command_line = CopyableLabel(self, Qt.TextElideMode.ElideLeft)
        self._command_line.setObjectName("commandLine")
        self._fields = OptionFlow(server.options.form, self)
        self._apply = self._button("applyAndRestart", self.tr("Apply and restart"), "restart")
        self._fill_tabs()
        self._body = self._make_body()
        layout = QVBoxLayout(self)
        layout.addWidget(self._header)
        layout.addWidget(self._access)
        layout.addWidget(self._body, 1)
        # Precise: any other may come before the text is another one.
        self._ticker = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._ticker.timeout.connect(self._render_time)
        self._connect()
        self._fit_to_page(0)
        self.set_folded(False)
        self._render(server.state)

    @property
    def is_folded(self) -> bool:
        return self._folded

    def set_folded(self, folded: bool) -> None:
        """Leaves only the header line, or shows all."""
        self._folded = folded
        self._body.setVisible(not folded)
        self._access.set_folded(folded)
        self._take_room()
        self._header.fold.setIcon(icon("fold-closed" if folded else "fold-open"))
        name = self.tr("Unfold") if folded else self.tr("Fold")
        self._header.fold.setAccessibleName(name)
        self._header.fold.setToolTip(name)
        self.foldedChanged.emit()

    @Slot()
    def copy_endpoint(self) -> None:
        QGuiApplication.clipboard().setText(self.server.state.endpoint)
        self._copy.setText(self.tr("Copied"))
        QTimer.singleShot(1500, self._copy, self._say_copy_again)

    @Slot()
    def copy_key(self) -> None:
        key = self.server.api_key
        if key is not None:
            QGuiApplication.clipboard().setText(key)
            self._copy_key.setText(self.tr("Copied"))
            QTimer.singleShot(1500, self._copy_key, self._say_copy_again)

    @Slot()
    def show_log(self) -> None:
        self.set_folded(False)
        log = self._pages[1]
        self._tabs.setCurrentWidget(log)
        log.setFocus()
        self.revealed.emit(self._tabs)

    # -- assembling

    def _button(self, name: str, text: str, icon_name: str) -> QPushButton:
        button = QPushButton(icon(icon_name), text, self)
        button.setObjectName(name)
        button.setAccessibleName(text)
        # The text changes for a moment; the width does not.
        button.setMinimumWidth(button.sizeHint().width())
        return button

    def _make_body(self) -> QWidget:
        body = QWidget(self)
        row = QHBoxLayout()
        row.addWidget(self._endpoint, 1)
        for widget in (self._kill, self._copy, self._restart, self._dismiss):
            row.addWidget(widget)
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self._card)
        layout.addWidget(self._differences)
        layout.addWidget(self._note)
        layout.addWidget(self._tabs, 1)
        return body

    def _fill_tabs(self) -> None:
        overview = QWidget(self)
        layout = QVBoxLayout(overview)
        layout.addWidget(self._facts)
        layout.addWidget(self._command_line)
        layout.addWidget(self._fields)
        layout.addWidget(self._apply, 0, Qt.AlignmentFlag.AlignRight)
        layout.addStretch()
        tabs = self._tabs
        tabs.setObjectName("pages")
        tabs.setDocumentMode(True)
        self._pages = (overview, LogView(self.server.log, self))
        for page, title in zip(self._pages, (self.tr("Overview"), self.tr("Log")), strict=True):
            tabs.addTab(page, title)
        tabs.setCornerWidget(self._activity)
        tabs.currentChanged.connect(self._fit_to_page)

    def _connect(self) -> None:
        server = self.server
        server.stateChanged.connect(self._render)
        self._header.fold.clicked.connect(self._on_fold)
        self._header.stop.clicked.connect(server.stop.trigger)
        self._kill.clicked.connect(server.kill.trigger)
        self._copy.clicked.connect(self.copy_endpoint)
        self._copy_key.clicked.connect(self.copy_key)
        self._restart.clicked.connect(server.options.restart.trigger)
        self._dismiss.clicked.connect(server.dismiss)
        self._apply.clicked.connect(server.options.restart.trigger)
        self._note.restartRequested.connect(server.options.restart.trigger)
        self._note.savedRequested.connect(server.options.use_saved.trigger)
        self._card.chosen.connect(self._on_remedy)
        self._card.stopTrying.connect(server.stop_trying)
        self._card.closed.connect(server.close_rejected)

    # -- showing

    @Slot(object)
    def _render(self, state: ServerPanelState) -> None:
        header = self._header
        self.setAccessibleName(f"Server: {state.title}")
        header.name.setText(state.title)
        header.badge.show_state(state.state)
        port = "—" if state.port is None else str(state.port)
        header.port.setText(self.tr("Port {port}").format(port=port))
        header.port.setAccessibleName(f"Port: {port}")
        header.stop.setEnabled(state.is_live and not isinstance(state.state, Stopping))
        self._kill.setVisible(isinstance(state.state, Stopping) and state.handle is not None)
        self._endpoint.setText(state.endpoint)
        self._endpoint.setAccessibleName(f"Endpoint: {state.endpoint or 'none'}")
        self._copy.setEnabled(state.can_answer)
        self._access.show_state(state)
        self._dismiss.setEnabled(not state.is_live)
        self._restart.setEnabled(not isinstance(state.state, Stopping))
        self._activity.setText(self._activity_text(state))
        self._activity.setAccessibleName(self._activity.text())
        self._facts.setText(facts_text(state))
        self._facts.setVisible(bool(self._facts.text()))
        self._command_line.setText(state.command_line)
        self._command_line.setVisible(bool(state.command_line))
        self._render_failure(state)
        self._differences.show_differences(state.differences)
        self._note.show_state(
            saved_changed=state.saved_changed,
            other_engine=state.other_engine,
            unlisted_flags=state.unlisted_flags,
            own_choices=state.own_choices,
            enabled=not isinstance(state.state, Stopping),
        )
        self._apply.setEnabled(state.can_apply and not isinstance(state.state, Stopping))
        self._render_time()

    def _render_failure(self, state: ServerPanelState) -> None:
        failed = state.state if isinstance(state.state, Failed | Crashed | Unresponsive) else None
        if failed is not None:
            retry = failed.retry if isinstance(failed, Crashed) else None
            self._card.show_failure(failed.failure, failed.word, state.remedies, retry=retry)
        elif state.rejected is not None:
            runs = not isinstance(state.state, Starting | Loading)
            self._card.show_rejected(state.rejected, state.remedies, runs=runs, untouched=state.untouched)
        self._card.show_offending_flag(state.offending_flag)
        self._card.setVisible(failed is not None or state.rejected is not None)

    def _activity_text(self, state: ServerPanelState) -> str:
        if state.handle is None or isinstance(state.state, Loading):
            return self.tr("Activity: none")
        if state.slots is None or state.busy_slots is None or isinstance(state.state, Unresponsive):
            return self.tr("Activity: unknown")
        return self.tr("Activity: {busy} of {all} slots").format(busy=state.busy_slots, all=state.slots)

    @Slot()
    def _render_time(self) -> None:
        """Shows how long it has been like this, and comes back when that text will be another one."""
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
                self._card.show_countdown(retry)
                text, lasts_s = self.tr("waits"), _TICK_S
            case _ if state.running_since is not None:
                text = self.tr("up {time}").format(time=duration_text(now - state.running_since))
                lasts_s = duration_stays_s(now - state.running_since)
        if text != self._header.time.text():
            self._header.time.setText(text)
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

    @Slot(int)
    def _fit_to_page(self, current: int) -> None:
        """Gives the panel the height of the page that is shown, not that of the tallest one."""
        for index, page in enumerate(self._pages):
            policy = QSizePolicy.Policy.Preferred if index == current else QSizePolicy.Policy.Ignored
            page.setSizePolicy(policy, policy)
        self._take_room()

    def _take_room(self) -> None:
        """A log that is on screen takes what the other panels leave of the window."""
        grows = not self._folded and self._tabs.currentIndex() == 1
        policy = QSizePolicy(
            QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding if grows else QSizePolicy.Policy.Maximum
        )
        policy.setVerticalStretch(1 if grows else 0)
        self.setSizePolicy(policy)

    @Slot()
    def _on_fold(self) -> None:
        self.set_folded(not self._folded)

    @Slot(object)
    def _on_remedy(self, remedy: Remedy) -> None:
        if remedy is Remedy.SHOW_LOG:
            self.show_log()
        elif remedy is Remedy.CHOOSE_ENGINE:
            self.settingsRequested.emit()
        else:
            self.server.mend(remedy)

    @Slot()
    def _say_copy_again(self) -> None:
        self._copy.setText(self.tr("Copy endpoint"))
        self._copy_key.setText(self.tr("Copy key"))
