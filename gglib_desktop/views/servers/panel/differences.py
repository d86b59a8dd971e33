"""Says, in a server's panel, where its settings differ from the requested ones."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from gglib_desktop.domain.options.engine_options import ALL_GPU_LAYERS, engine_option
from gglib_desktop.domain.servers.effective import Cause, Difference
from gglib_desktop.domain.servers.states import Degraded
from gglib_desktop.views.widgets.labels.state_sign import StateSign
from gglib_desktop.views.widgets.labels.wrap import WrapLabel

translate = QCoreApplication.translate


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
        requested=requested,
        effective=difference.effective,
        cause=_cause_text(difference.cause),
    )


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
