"""The page of a model's details that says how much memory it will need."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtWidgets import QFormLayout, QLabel, QSpinBox, QWidget

from gglib_desktop.domain.gguf.forecast import CONTEXT_STEP, ByteRange, Confidence, Fit, Memory, Serving
from gglib_desktop.domain.units import size_text
from gglib_desktop.viewmodels.models.model_details import DetailsState, ModelDetailsViewModel
from gglib_desktop.views.widgets.labels.wrap import WrapLabel

_MOST_TOKENS = 16 * 1024 * 1024


class MemoryPage(QWidget):
    """The forecast for a context that the user chooses here, by part, and whether it fits."""

    def __init__(self, details: ModelDetailsViewModel) -> None:
        super().__init__()
        self._context = QSpinBox()
        self._context.setObjectName("field_forecast_context")
        self._context.setAccessibleName(self.tr("Context for the forecast"))
        self._context.setRange(CONTEXT_STEP, _MOST_TOKENS)
        self._context.setSingleStep(1024)
        self._context.setGroupSeparatorShown(True)
        self._context.setSuffix(self.tr(" tokens"))
        self._context.valueChanged.connect(details.set_context)
        self._verdict = WrapLabel()
        self._verdict.setObjectName("forecastVerdict")
        self._parts: dict[str, QLabel] = {}
        self._form = form = QFormLayout(self)
        form.setHorizontalSpacing(16)
        label = QLabel(self.tr("&Context"))
        label.setBuddy(self._context)
        form.addRow(label, self._context)
        for name, text in self._texts().items():
            self._parts[name] = QLabel()
            self._parts[name].setObjectName(f"forecast_{name}")
            self._parts[name].setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            form.addRow(text, self._parts[name])
        form.addRow(self._verdict)
        details.stateChanged.connect(self._render)
        self._render(details.state)

    def _texts(self) -> dict[str, str]:
        return {
            "weights": self.tr("Weights"),
            "cache": self.tr("Cache of the context"),
            "buffers": self.tr("Working buffers"),
            "engine": self.tr("The engine itself"),
            "copies": self.tr("Weights copied for the CPU"),
            "total": self.tr("Together"),
            "free": self.tr("Free main memory"),
            "cards": self.tr("Free graphics memory"),
        }

    @Slot(object)
    def _render(self, state: DetailsState) -> None:
        with QSignalBlocker(self._context):
            self._context.setValue(state.context)
        self._context.setEnabled(state.forecast is not None)
        found, memory = state.forecast, state.memory
        weights = found.weights_bytes if found else None
        unknown = self.tr("unknown")
        shown = {
            "weights": unknown if weights is None else size_text(weights),
            "cache": self._range(found.cache if found else None),
            "buffers": self._range(found.buffers if found else None),
            "engine": self._range(found.engine if found else None),
            "copies": self._range(found.copies if found else None),
            "total": self._range(found.total if found else None),
            "free": unknown if memory is None else self._free(memory),
            "cards": "\n".join(f"{card.name}: {self._free(card.memory)}" for card in state.cards)
            or self.tr("unknown (only NVIDIA’s driver is asked)"),
        }
        for name, text in shown.items():
            self._parts[name].setText(text)
            self._parts[name].setAccessibleName(f"{self._texts()[name]}: {text}")
        # Most models have nothing to copy, and then the line would only raise a question.
        self._form.setRowVisible(self._parts["copies"], found is not None and found.copies.high > 0)
        self._verdict.setText(self._sentences(state))

    def _free(self, memory: Memory) -> str:
        free, total = size_text(memory.free_bytes), size_text(memory.total_bytes)
        return self.tr("{free} of {total}").format(free=free, total=total)

    def _range(self, size: ByteRange | None) -> str:
        if size is None:
            return self.tr("unknown")
        low, high = size_text(size.low), size_text(size.high)
        return low if low == high else self.tr("{low} to {high}").format(low=low, high=high)

    def _sentences(self, state: DetailsState) -> str:
        found = state.forecast
        if state.loading:
            return self.tr("Reading the file’s header…")
        if found is None:
            return self.tr("Nothing can be said: the file’s header cannot be read.")
        said = [self._fit(state.fit)]
        if found.gaps:
            said.append(self.tr("The header does not tell {keys}.").format(keys=", ".join(found.gaps)))
        if found.confidence is Confidence.ROUGH:
            said.append(self.tr("This is a rough forecast."))
        if state.fitting_context:
            said.append(self._fitting(state.fitting_context))
        if state.cards:
            said.append(self._fit_on_cards(state.fit_on_cards))
            if state.fitting_context_on_cards:
                said.append(self._fitting(state.fitting_context_on_cards))
        counted = self.tr("Counted for {slots} slots that share the context, without drafting.")
        said.append(counted.format(slots=Serving().slots))
        return " ".join(said)

    def _fitting(self, context: int) -> str:
        return self.tr("Up to {context} tokens fit comfortably.").format(context=self.locale().toString(context))

    def _fit(self, fit: Fit) -> str:
        return {
            Fit.FITS: self.tr("It fits into the main memory that is free now."),
            Fit.TIGHT: self.tr("It is tight: it may fit into main memory, but little or nothing will be left."),
            Fit.DOES_NOT_FIT: self.tr("It does not fit into the main memory that is free now."),
            Fit.UNKNOWN: self.tr("Whether it fits is unknown."),
        }[fit]

    def _fit_on_cards(self, fit: Fit) -> str:
        return {
            Fit.FITS: self.tr("All of it fits into the graphics memory that is free now."),
            Fit.TIGHT: self.tr("All of it may just fit into graphics memory, or not."),
            Fit.DOES_NOT_FIT: self.tr("Not all of it fits into the graphics memory that is free now."),
            Fit.UNKNOWN: self.tr("Whether it fits into graphics memory is unknown."),
        }[fit]
