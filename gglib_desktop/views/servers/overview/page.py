"""What a server runs with, and the form of what it starts with next."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from typing_extensions import override

from gglib_desktop.domain.gguf.forecast import ByteRange
from gglib_desktop.domain.options.engine_options import DRAFT_MTP
from gglib_desktop.domain.servers.states import Stopped
from gglib_desktop.domain.units import size_text
from gglib_desktop.viewmodels.servers.server import ServerPanelState, ServerViewModel
from gglib_desktop.views.launch.option_flow import OptionFlow
from gglib_desktop.views.servers.overview.figures import FiguresCard
from gglib_desktop.views.servers.panel.page import Page
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.elided import CopyableLabel
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.words.states import stopped_text

translate = QCoreApplication.translate


class OverviewPage(Page):
    """Its parts are hidden while there is nothing to say."""

    def __init__(self, server: ServerViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._server = server
        self._figures = FiguresCard(self)
        self._facts = WrapLabel(parent=self)
        self._facts.setObjectName("facts")
        # The program's path is the least interesting part.
        self._command_line = CopyableLabel(self, Qt.TextElideMode.ElideLeft)
        self._command_line.setObjectName("commandLine")
        form = OptionFlow(server.options.form, self)
        self._apply = push_button("applyAndRestart", self.tr("Apply and restart"), self, icon_name="restart")
        self._apply.clicked.connect(self.restartRequested)
        layout = QVBoxLayout(self)
        layout.addWidget(self._figures)
        layout.addWidget(self._facts)
        layout.addWidget(self._command_line)
        layout.addWidget(form)
        layout.addWidget(self._apply, 0, Qt.AlignmentFlag.AlignRight)
        layout.addStretch()

    @override
    def show_state(self, state: ServerPanelState) -> None:
        self._facts.setText(facts_text(state))
        self._facts.setVisible(bool(self._facts.text()))
        self._command_line.setText(state.command_line)
        self._command_line.setVisible(bool(state.command_line))
        self._apply.setEnabled(state.can_apply and state.can_restart)
        self._figures.setVisible(state.handle is not None)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._server.figures.stateChanged.connect(self._figures.show_figures, Qt.ConnectionType.UniqueConnection)
        self._figures.show_figures(self._server.figures.state)

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._server.figures.stateChanged.disconnect(self._figures.show_figures)


def facts_text(state: ServerPanelState) -> str:
    """Facts one after the other; of a server that was stopped, when and by whom."""
    if isinstance(state.state, Stopped):
        return stopped_text(state.state)
    parts = []
    if state.refuses_us:
        parts.append(translate("ServerPanel", "it wants a key that is not known here, so little is known of it"))
    if state.context_size is not None:
        parts.append(translate("ServerPanel", "ctx {tokens}").format(tokens=state.context_size))
    if state.slots is not None:
        parts.append(translate("ServerPanel", "{count} slots").format(count=state.slots))
    if state.rss_bytes is not None:
        parts.append(_memory_text(state.rss_bytes, state.forecast))
    if state.handle is None and state.context_size is None:
        return ""
    parts.append(_drafting_text(state))
    if state.lacks_template:
        parts.append(translate("ServerPanel", "no chat template: the engine uses ChatML, chat answers may be poor"))
    if state.adopted:
        parts.append(translate("ServerPanel", "taken over while it ran"))
    return " · ".join(parts)


def _drafting_text(state: ServerPanelState) -> str:
    """The requested number, or the observed one if drafting is not the program's own choice."""
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


def _memory_text(rss_bytes: int, forecast: ByteRange | None) -> str:
    text = translate("ServerPanel", "RAM {size}").format(size=size_text(rss_bytes))
    if forecast is None:
        return text
    low, high = size_text(forecast.low), size_text(forecast.high)
    return translate("ServerPanel", "{measured} (forecast {low} to {high})").format(measured=text, low=low, high=high)
