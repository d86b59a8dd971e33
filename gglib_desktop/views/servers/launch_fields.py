"""The launch settings that a server's panel offers for a restart: the port, and speculative decoding."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QRadioButton,
    QSpinBox,
    QWidget,
)

from gglib_desktop.domain.launch.options import MtpChoice, MtpDecision, MtpReason
from gglib_desktop.domain.options.engine_options import EngineOption, engine_option, shown_range
from gglib_desktop.domain.servers.restart import RestartPolicy
from gglib_desktop.viewmodels.servers.launch_form import LaunchFormViewModel
from gglib_desktop.views.widgets.bindings import (
    CheckBinding,
    DoubleSpinBinding,
    OptionalSpinBinding,
    RadioBinding,
    SpinBinding,
)
from gglib_desktop.views.widgets.layout.flow_row import FlowRow
from gglib_desktop.views.widgets.wheel_safe_boxes import WheelSafeDoubleSpinBox, WheelSafeSpinBox
from gglib_desktop.views.words.errors import mtp_reason_text
from gglib_desktop.views.words.options import translated

_COLUMN_GAP = 18


class LaunchFields(FlowRow):
    """Edits a launch form. The fields flow into short rows."""

    def __init__(self, form: LaunchFormViewModel, *, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent, column_gap=_COLUMN_GAP)
        self._form = form
        self.setObjectName("launchFields")
        self._port = self._port_box()
        self._mtp = _MtpChoices(form, self)
        self._draft_tokens = self._draft_tokens_box()
        self._min_probability = self._min_probability_box()
        self._restart = self._restart_box()
        self._reason = QLabel()
        self._reason.setObjectName("mtpReason")
        self._lay_out()
        self._order_tabs()
        form.decisionChanged.connect(self._show_decision)
        self._show_decision(form.decision)

    # -- the boxes

    def _name(self, box: QSpinBox | QDoubleSpinBox, option: EngineOption) -> None:
        """The words and the range of the option's definition."""
        box.setObjectName(f"field_{option.name}")
        box.setAccessibleName(translated(option.spec.label))
        box.setToolTip(translated(option.spec.help))
        lowest, highest = shown_range(option)
        if isinstance(box, QSpinBox):
            box.setRange(int(lowest), int(highest))
        else:
            box.setRange(lowest, highest)
            box.setSingleStep(option.spec.step)
            box.setDecimals(option.spec.decimals)

    def _port_box(self) -> WheelSafeSpinBox:
        box = WheelSafeSpinBox(self)
        self._name(box, engine_option("port"))
        box.setMinimum(box.minimum() - 1)
        box.setSpecialValueText(self.tr("Auto"))
        OptionalSpinBinding(box, self._form, "port")
        return box

    def _draft_tokens_box(self) -> WheelSafeSpinBox:
        box = WheelSafeSpinBox(self)
        self._name(box, engine_option("spec_draft_n_max"))
        SpinBinding(box, self._form, "spec_draft_n_max")
        return box

    def _min_probability_box(self) -> WheelSafeDoubleSpinBox:
        box = WheelSafeDoubleSpinBox(self)
        self._name(box, engine_option("spec_draft_p_min"))
        DoubleSpinBinding(box, self._form, "spec_draft_p_min")
        return box

    def _restart_box(self) -> QCheckBox:
        box = QCheckBox(self.tr("Start again after a crash"), self)
        box.setObjectName("field_restart")
        box.setAccessibleName(box.text())
        box.setToolTip(self.tr("After 2, 10 and 30 seconds, and only if the cause may pass by itself"))
        CheckBinding(box, self._form, "restart", on=RestartPolicy.ON_CRASH, off=RestartPolicy.NEVER)
        return box

    # -- places

    def _label(self, text: str, buddy: QWidget) -> QLabel:
        """The colon also tells the label from its field for those who find both by name."""
        label = QLabel(f"{text}:")
        label.setBuddy(buddy)
        return label

    def _labelled(self, box: QWidget) -> QWidget:
        return _side_by_side(self._label(box.accessibleName(), box), box)

    def _lay_out(self) -> None:
        flow = self.flow
        flow.addWidget(self._labelled(self._port))
        flow.addWidget(_side_by_side(self._label(self._mtp.accessibleName(), self._mtp.first), self._mtp))
        draft_tokens, min_probability = self._labelled(self._draft_tokens), self._labelled(self._min_probability)
        flow.addWidget(_side_by_side(draft_tokens, min_probability, gap=_COLUMN_GAP))
        flow.addWidget(self._reason)
        flow.addWidget(self._restart)
        # The widest reason, so that the row does not break differently when the reason changes.
        self._reason.setMinimumWidth(self._widest_reason())

    def _order_tabs(self) -> None:
        drafting = (*self._mtp.buttons, self._draft_tokens, self._min_probability)
        fields: list[QWidget] = [self._port, *drafting, self._restart]
        for before, after in pairwise(fields):
            QWidget.setTabOrder(before, after)

    def _widest_reason(self) -> int:
        metrics = self._reason.fontMetrics()
        return max(metrics.horizontalAdvance(mtp_reason_text(reason)) for reason in MtpReason)

    # -- news

    def _show_decision(self, decision: MtpDecision) -> None:
        text = mtp_reason_text(decision.reason)
        self._reason.setText(text)
        for box in (self._draft_tokens, self._min_probability):
            tip = (
                translated(engine_option(box.objectName().removeprefix("field_")).spec.help)
                if decision.enabled
                else text
            )
            box.setEnabled(decision.enabled)
            box.setToolTip(tip)
            box.setAccessibleDescription(tip)


class _MtpChoices(QWidget):
    """Auto, On and Off as radio buttons."""

    def __init__(self, form: LaunchFormViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("field_mtp")
        self.setAccessibleName(self.tr("Speculative decoding (MTP)"))
        auto = self._button("field_mtp_auto", self.tr("Auto"), self.tr("MTP auto"))
        on = self._button("field_mtp_on", self.tr("On"), self.tr("MTP on"))
        off = self._button("field_mtp_off", self.tr("Off"), self.tr("MTP off"))
        auto.setToolTip(self.tr("On if this model has MTP layers and the engine can use them"))
        self.buttons = (auto, on, off)
        self.first = auto
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        for button in self.buttons:
            row.addWidget(button)
        row.addStretch()
        RadioBinding({MtpChoice.AUTO: auto, MtpChoice.ON: on, MtpChoice.OFF: off}, form, "mtp")

    def _button(self, object_name: str, text: str, accessible_name: str) -> QRadioButton:
        button = QRadioButton(text, self)
        button.setObjectName(object_name)
        button.setAccessibleName(accessible_name)
        return button


def _side_by_side(first: QWidget, second: QWidget, *, gap: int = 6) -> QWidget:
    pair = QWidget()
    row = QHBoxLayout(pair)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(gap)
    row.addWidget(first)
    row.addWidget(second)
    return pair
