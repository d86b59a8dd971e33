"""Notices above the pages of a server's panel: a failure, other settings than requested, and what a restart changes."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QLocale, Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from gglib_desktop.domain.options.engine_options import ALL_GPU_LAYERS, engine_option
from gglib_desktop.domain.servers.effective import Cause, Difference
from gglib_desktop.domain.servers.states import Crashed, Degraded, Failed, Loading, Starting, Unresponsive
from gglib_desktop.viewmodels.servers.server import ServerPanelState, ServerViewModel
from gglib_desktop.views.servers.panel.failure_card import FailureCard
from gglib_desktop.views.servers.panel.orders import Orders
from gglib_desktop.views.widgets.labels.state_sign import StateSign
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.widgets.layout.shrinking_area import ShrinkingArea
from gglib_desktop.views.words.errors import field_name

translate = QCoreApplication.translate


class Notices(ShrinkingArea):
    """A failure, differences from the requested settings, and what a restart changes. Hidden while it is empty."""

    def __init__(self, server: ServerViewModel, orders: Orders, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("notices")
        content = QWidget(self)
        self.card = FailureCard(content)
        self._differences = DifferencesRow(content)
        self._note = LaunchNote(content)
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.card, self._differences, self._note):
            layout.addWidget(widget)
        self.setWidget(content)
        self.card.stopTrying.connect(server.stop_trying)
        self.card.closed.connect(server.close_rejected)
        self._note.restartRequested.connect(orders.restart)
        self._note.savedRequested.connect(orders.use_saved)

    @property
    def is_empty(self) -> bool:
        return self.card.isHidden() and self._differences.isHidden() and self._note.isHidden()

    def show_state(self, state: ServerPanelState) -> None:
        self._show_failure(state)
        self._differences.show_differences(state.differences)
        self._note.show_state(
            saved_changed=state.saved_changed,
            other_engine=state.other_engine,
            unlisted_flags=state.unlisted_flags,
            own_choices=state.own_choices,
            enabled=state.can_restart,
        )

    def _show_failure(self, state: ServerPanelState) -> None:
        failed = state.state if isinstance(state.state, Failed | Crashed | Unresponsive) else None
        if failed is not None:
            retry = failed.retry if isinstance(failed, Crashed) else None
            self.card.show_failure(failed.failure, failed.word, state.remedies, retry=retry)
        elif state.rejected is not None:
            runs = not isinstance(state.state, Starting | Loading)
            self.card.show_rejected(state.rejected, state.remedies, runs=runs, untouched=state.untouched)
        self.card.show_offending_flag(state.offending_flag)
        self.card.setVisible(failed is not None or state.rejected is not None)


class DifferencesRow(QFrame):
    """One line for each difference, with the likely cause; hidden while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("differencesRow")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setBackgroundRole(QPalette.ColorRole.AlternateBase)
        self.setAutoFillBackground(True)
        self._text = WrapLabel(parent=self)
        self._text.setObjectName("differences")
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = QHBoxLayout(self)
        layout.addWidget(StateSign("warning", Degraded.word, self), 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._text, 1)
        self.hide()

    def show_differences(self, found: Sequence[Difference]) -> None:
        text = "\n".join(map(difference_text, found))
        if text != self._text.text():
            self._text.setText(text)
            self._text.setAccessibleName(text)
        self.setVisible(bool(found))


def difference_text(difference: Difference) -> str:
    """One sentence: the option, the requested value, the real one, and why."""
    if difference.option == "chat_template":
        return _template_text(difference)
    if difference.effective is None:
        text = translate("Differences", "{option}: asked {requested}, not running: {cause}.")
    else:
        text = translate("Differences", "{option}: asked {requested}, running with {effective}: {cause}.")
    requested = difference.requested
    if difference.option == "gpu_layers" and isinstance(requested, int) and requested >= ALL_GPU_LAYERS:
        requested = translate("Differences", "all")
    return text.format(
        option=_option_text(difference.option),
        requested=_value_text(difference.option, requested),
        effective=_value_text(difference.option, difference.effective),
        cause=_cause_text(difference.cause),
    )


def _value_text(option: str, value: object) -> str:
    """Numbers as fields write them."""
    if isinstance(value, int) and engine_option(option).spec.unit:
        return QLocale().toString(value)
    return str(value)


def _template_text(difference: Difference) -> str:
    if difference.requested == difference.effective:
        text = translate(
            "Differences", "Chat template: the engine knows none that is called “{name}”, and takes this word for all."
        )
        return text.format(name=difference.requested)
    text = translate("Differences", "Chat template: another one is in use than was asked for: {cause}.")
    return text.format(cause=_cause_text(difference.cause))


def _option_text(name: str) -> str:
    if name == "spec_draft_n_max":
        return translate("Differences", "Speculative decoding")
    return translate("Options", engine_option(name).spec.label)


def _cause_text(cause: Cause) -> str:
    return {
        Cause.MODEL_LIMIT: translate("Differences", "the model allows no more"),
        Cause.AUTO_FIT: translate("Differences", "the engine made it fit the memory"),
        Cause.NO_GPU: translate("Differences", "the engine found no GPU"),
        Cause.UNSUPPORTED: translate("Differences", "this engine did not take it up"),
        Cause.NAME_TAKEN: translate("Differences", "another running server has the name"),
        Cause.OVERRIDDEN: translate("Differences", "another setting or extra argument overrides it"),
    }[cause]


class LaunchNote(QFrame):
    """One line for what a restart changes, one for the server's own choices; each with its button, shown if needed."""

    restartRequested = Signal()
    savedRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("launchNote")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setBackgroundRole(QPalette.ColorRole.AlternateBase)
        self.setAutoFillBackground(True)
        self._changed = _Line("savedChanged", "restartNow", self.tr("Restart now"), self)
        self._own = _Line("ownChoices", "useSaved", self.tr("Use launch defaults"), self)
        layout = QVBoxLayout(self)
        layout.addWidget(self._changed)
        layout.addWidget(self._own)
        self._changed.button.clicked.connect(self.restartRequested)
        self._own.button.clicked.connect(self.savedRequested)
        self.hide()

    def show_state(
        self,
        *,
        saved_changed: bool,
        other_engine: bool,
        unlisted_flags: Sequence[str],
        own_choices: Sequence[str],
        enabled: bool,
    ) -> None:
        """As in the panel's state. ``enabled``: a restart is possible."""
        changes, keeps = saved_changed or other_engine, bool(own_choices)
        if changes:
            self._changed.say(self._change_text(saved_changed, other_engine, unlisted_flags))
        if keeps:
            self._own.say(own_choices_text(own_choices))
        for line, shown in ((self._changed, changes), (self._own, keeps)):
            line.setVisible(shown)
            line.button.setEnabled(enabled)
        self.setVisible(changes or keeps)

    def _change_text(self, saved_changed: bool, other_engine: bool, unlisted_flags: Sequence[str]) -> str:
        if not other_engine:
            text = self.tr("Launch defaults changed. Restart to use them.")
        elif not saved_changed:
            text = self.tr("This server runs on another engine than the one in use now. Restart to use that one.")
        else:
            text = self.tr("Launch defaults and the engine changed. Restart to use them.")
        if unlisted_flags:
            warning = self.tr("The engine's help does not list {flags}. It will probably refuse to start.")
            text = f"{text} {warning.format(flags=', '.join(unlisted_flags))}"
        return text


class _Line(QWidget):
    def __init__(self, name: str, button_name: str, button_text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._text = WrapLabel(parent=self)
        self._text.setObjectName(name)
        self.button = QPushButton(button_text, self)
        self.button.setObjectName(button_name)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._text, 1)
        row.addWidget(self.button)

    def say(self, text: str) -> None:
        if text != self._text.text():
            self._text.setText(text)
            self._text.setAccessibleName(text)


def own_choices_text(names: Sequence[str]) -> str:
    """One sentence that names the choices."""
    labels = ", ".join(
        translate("Differences", "Speculative decoding") if name == "mtp" else field_name(name) for name in names
    )
    text = translate("LaunchNote", "This server differs from the launch defaults: {choices}. Restart keeps that.")
    return text.format(choices=labels)
