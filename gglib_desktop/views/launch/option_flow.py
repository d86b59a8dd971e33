"""The launch options that people change most, and speculative decoding."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from gglib_desktop.domain.launch.form import FormState
from gglib_desktop.domain.launch.options import MtpReason
from gglib_desktop.domain.options.engine_options import engine_option
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel
from gglib_desktop.views.launch.option_extras import MtpField, RestartBox
from gglib_desktop.views.launch.option_widgets import make_widget
from gglib_desktop.views.widgets.layout.flow_row import FlowRow
from gglib_desktop.views.words.errors import field_name, mtp_reason_text, sentence
from gglib_desktop.views.words.options import changed_text, disabled_text, translated

_USUAL = ("context_size", "gpu_layers", "parallel", "port")
_DRAFTING = ("spec_draft_n_max", "spec_draft_p_min")
_COLUMN_GAP = 18
_MARK = " ●"


class OptionFlow(FlowRow):
    """Edits the form of all that a server runs with. The fields flow into short rows."""

    def __init__(self, form: OptionFormViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent, column_gap=_COLUMN_GAP)
        self.setObjectName("launchFields")
        self._boxes = {name: make_widget(engine_option(name), form, self) for name in _USUAL + _DRAFTING}
        self._mtp = MtpField(form, self)
        self._mtp.setAccessibleName(field_name("mtp"))
        self._mtp.buttons[0].setToolTip(self.tr("On if this model has MTP layers and the engine can use them"))
        self._restart = RestartBox(form, self)
        self._reason = QLabel()
        self._reason.setObjectName("mtpReason")
        # The widest reason, so that the row does not break differently when the reason changes.
        metrics = self._reason.fontMetrics()
        self._reason.setMinimumWidth(max(metrics.horizontalAdvance(mtp_reason_text(reason)) for reason in MtpReason))
        self._labels: dict[str, QLabel] = {}
        self._lay_out()
        form.stateChanged.connect(self._render)
        self._render(form.state)

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that it has."""
        return (*_USUAL, "mtp", *_DRAFTING, "restart")

    def show_drafting(self, shown: bool) -> None:
        for part in self._drafting:
            part.setVisible(shown)

    def _lay_out(self) -> None:
        for name in _USUAL:
            self.flow.addWidget(self._labelled(name, self._boxes[name], self._boxes[name]))
        numbers = [self._labelled(name, self._boxes[name], self._boxes[name]) for name in _DRAFTING]
        mtp = self._labelled("mtp", self._mtp, self._mtp.buttons[0])
        self._drafting = (mtp, _side_by_side(*numbers, gap=_COLUMN_GAP), self._reason)
        for part in (*self._drafting, self._restart):
            self.flow.addWidget(part)
        boxes = [self._boxes[name] for name in _DRAFTING]
        usual = [self._boxes[name] for name in _USUAL]
        for before, after in pairwise((*usual, *self._mtp.buttons, *boxes, self._restart)):
            QWidget.setTabOrder(before, after)

    @Slot(object)
    def _render(self, state: FormState) -> None:
        self._reason.setText(mtp_reason_text(state.decision.reason))
        self._mtp.show_field(state.fields["mtp"])
        self._restart.show_field(state.fields["restart"])
        for name, box in self._boxes.items():
            field = state.fields[name]
            box.show_field(field)
            box.setEnabled(field.disabled is None)
            why_not = disabled_text(field.disabled) if field.disabled is not None else ""
            box.setToolTip(why_not or translated(engine_option(name).spec.help))
        self._describe(state)
        for name, label in self._labels.items():
            _mark(label, state.is_marked(name))

    def _describe(self, state: FormState) -> None:
        """A changed field says first what it was, and one with a problem what that is."""
        described = [
            *self._boxes.items(),
            *(("mtp", button) for button in self._mtp.buttons),
            ("restart", self._restart),
        ]
        for name, box in described:
            field = state.fields[name]
            problem = sentence(field.problem) if field.problem else ""
            parts = (changed_text(name, field), problem, box.toolTip())
            box.setAccessibleDescription(" ".join(part for part in parts if part))

    def _labelled(self, name: str, field: QWidget, buddy: QWidget) -> QWidget:
        # The colon also distinguishes the label from its field when both are found by name.
        label = self._labels[name] = QLabel(f"{field.accessibleName()}:")
        label.setBuddy(buddy)
        # As wide as it is when marked, so that nothing moves.
        _mark(label, True)
        label.setMinimumWidth(label.sizeHint().width())
        _mark(label, False)
        return _side_by_side(label, field)


def _mark(label: QLabel, marked: bool) -> None:
    text = label.text().removesuffix(_MARK)
    label.setText(text + _MARK if marked else text)
    font = label.font()
    font.setBold(marked)
    label.setFont(font)


def _side_by_side(*widgets: QWidget, gap: int = 6) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(gap)
    for widget in widgets:
        layout.addWidget(widget)
    return row
