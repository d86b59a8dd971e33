"""Says, in a server's panel, what a restart would change and what it would keep."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from gglib_desktop.domain.options.engine_options import engine_option
from gglib_desktop.views.widgets.labels.wrap import WrapLabel

translate = QCoreApplication.translate


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
        translate("Differences", "Speculative decoding")
        if name == "mtp"
        else translate("Options", engine_option(name).spec.label)
        for name in names
    )
    text = translate("LaunchNote", "This server differs from the launch defaults: {choices}. Restart keeps that.")
    return text.format(choices=labels)
