"""The launch options that a server's panel offers for a restart: the port, and speculative decoding."""

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
from gglib_desktop.views.words.errors import field_name, mtp_reason_text
from gglib_desktop.views.words.options import disabled_text, translated

_OPTIONS = ("port", "spec_draft_n_max", "spec_draft_p_min")
_COLUMN_GAP = 18


class OptionFlow(FlowRow):
    """Edits the form of all that a server runs with. The fields flow into short rows."""

    def __init__(self, form: OptionFormViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent, column_gap=_COLUMN_GAP)
        self.setObjectName("launchFields")
        self._boxes = {name: make_widget(engine_option(name), form, self) for name in _OPTIONS}
        self._mtp = MtpField(form, self)
        self._mtp.setAccessibleName(field_name("mtp"))
        self._mtp.buttons[0].setToolTip(self.tr("On if this model has MTP layers and the engine can use them"))
        self._restart = RestartBox(form, self)
        self._reason = QLabel()
        self._reason.setObjectName("mtpReason")
        # The widest reason, so that the row does not break differently when the reason changes.
        metrics = self._reason.fontMetrics()
        self._reason.setMinimumWidth(max(metrics.horizontalAdvance(mtp_reason_text(reason)) for reason in MtpReason))
        self._lay_out()
        form.stateChanged.connect(self._render)
        self._render(form.state)

    def _lay_out(self) -> None:
        port, *numbers = self._boxes.values()
        self.flow.addWidget(_labelled(port, port))
        self.flow.addWidget(_labelled(self._mtp, self._mtp.buttons[0]))
        self.flow.addWidget(_side_by_side(*(_labelled(box, box) for box in numbers), gap=_COLUMN_GAP))
        self.flow.addWidget(self._reason)
        self.flow.addWidget(self._restart)
        for before, after in pairwise((port, *self._mtp.buttons, *numbers, self._restart)):
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
            box.setAccessibleDescription(box.toolTip())


def _labelled(field: QWidget, buddy: QWidget) -> QWidget:
    # The colon also distinguishes the label from its field when both are found by name.
    label = QLabel(f"{field.accessibleName()}:")
    label.setBuddy(buddy)
    return _side_by_side(label, field)


def _side_by_side(*widgets: QWidget, gap: int = 6) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(gap)
    for widget in widgets:
        layout.addWidget(widget)
    return row
