"""The memory that a form's options would need, and the contexts that it suggests."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from gglib_desktop.domain.gguf.forecast import ByteRange, Confidence, Fit
from gglib_desktop.domain.units import size_text
from gglib_desktop.viewmodels.launch.option_form import MemoryOutlook, OptionForecastViewModel, OptionFormViewModel
from gglib_desktop.views.look.theme import state_icon
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.state_sign import StateSign
from gglib_desktop.views.widgets.layout.flow_row import FlowRow

_LINES = 2
# The states whose icon and color mean the same for a server.
_STATES = {Fit.FITS: "Healthy", Fit.TIGHT: "Degraded", Fit.DOES_NOT_FIT: "Failed", Fit.UNKNOWN: "Stopped"}


class MemoryLine(QWidget):
    """Whether a start would fit. It warns but forbids nothing."""

    def __init__(self, forecast: OptionForecastViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("memoryOutlook")
        self._picture = StateSign(state_icon(_STATES[Fit.UNKNOWN]), _STATES[Fit.UNKNOWN], self)
        self._text = QLabel()
        self._text.setObjectName("memoryOutlookText")
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        self._text.setMinimumHeight(self._text.fontMetrics().lineSpacing() * _LINES)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._picture)
        row.addWidget(self._text, 1)
        forecast.stateChanged.connect(self._render)
        self._render(forecast.state)

    @Slot(object)
    def _render(self, state: MemoryOutlook) -> None:
        word = _STATES[state.fit]
        self._picture.show_sign(state_icon(word), word)
        self._text.setText(self._sentences(state))

    def _sentences(self, state: MemoryOutlook) -> str:
        if state.loading:
            return self.tr("Memory: reading the file’s header…")
        if state.is_foreign:
            return self.tr("Memory: unknown. It is not known how much this engine takes.")
        if state.forecast is None or state.forecast.total is None:
            gaps = ", ".join(state.forecast.gaps) if state.forecast else ""
            if gaps:
                return self.tr("Memory: unknown. The header does not tell {keys}.").format(keys=gaps)
            return self.tr("Memory: unknown. The file cannot be read as a whole.")
        said = [self._verdict(state.fit), self._need(state, state.forecast.total)]
        if state.forecast.confidence is Confidence.ROUGH:
            said.append(self.tr("This is a rough forecast."))
        if state.fitting_context:
            tokens = self.locale().toString(state.fitting_context)
            said.append(self.tr("Up to {tokens} tokens fit comfortably.").format(tokens=tokens))
        elif state.fitting_context == 0:
            said.append(self.tr("No context fits comfortably."))
        return " ".join(said)

    def _verdict(self, fit: Fit) -> str:
        return {
            Fit.FITS: self.tr("Memory: fits."),
            Fit.TIGHT: self.tr("Memory: tight."),
            Fit.DOES_NOT_FIT: self.tr("Memory: does not fit."),
            Fit.UNKNOWN: self.tr("Memory: unknown."),
        }[fit]

    def _need(self, state: MemoryOutlook, total: ByteRange) -> str:
        low, high = size_text(total.low), size_text(total.high)
        need = low if low == high else self.tr("{low} to {high}").format(low=low, high=high)
        if state.memory is None:
            return self.tr("It needs {need}; what is free is unknown.").format(need=need)
        free = size_text(state.memory.free_bytes)
        return self.tr("It needs {need}; {free} of main memory are free.").format(need=need, free=free)


class ContextHelpers(QWidget):
    """Buttons that choose a context: the model's longest, and the longest that fits."""

    def __init__(
        self, form: OptionFormViewModel, forecast: OptionForecastViewModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._form, self._forecast = form, forecast
        self._longest = push_button("contextMaximum", self.tr("Model maximum"), self)
        self._fitting = push_button("contextFit", self.tr("Fit my memory"), self)
        self._longest.clicked.connect(self._on_longest)
        self._fitting.clicked.connect(self._on_fitting)
        row = QVBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(FlowRow([self._longest, self._fitting]))
        forecast.stateChanged.connect(self._render)
        self._render(forecast.state)

    @Slot(object)
    def _render(self, state: MemoryOutlook) -> None:
        for button, tokens in ((self._longest, state.longest_context), (self._fitting, state.fitting_context)):
            text = button.accessibleName()
            if tokens:
                said, why = self.locale().toString(tokens), ""
            elif tokens == 0:
                said, why = self.tr("none"), self.tr("No context fits comfortably into the free memory.")
            elif state.loading:
                said, why = self.tr("reading…"), self.tr("The file's header is being read.")
            else:
                said, why = self.tr("unknown"), self.tr("The file's header or the free memory does not tell it.")
                if state.is_foreign:
                    why = self.tr("It is not known how much memory this engine takes.")
            button.setText(self.tr("{action} ({tokens})").format(action=text, tokens=said))
            button.setToolTip(why)
            button.setEnabled(bool(tokens))

    @Slot()
    def _on_longest(self) -> None:
        self._form.edit(context_size=self._forecast.state.longest_context)

    @Slot()
    def _on_fitting(self) -> None:
        self._form.edit(context_size=self._forecast.state.fitting_context)
