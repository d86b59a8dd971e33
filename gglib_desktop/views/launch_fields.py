"""The launch settings as form rows, shared by a server's panel and the dialog "Start with…"."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from gglib_desktop.domain.launch import MtpChoice, MtpDecision, MtpReason
from gglib_desktop.domain.options import MAX_DRAFT_TOKENS
from gglib_desktop.domain.restart import RestartPolicy
from gglib_desktop.viewmodels.launch_form import LaunchFormViewModel
from gglib_desktop.views.bindings import CheckBinding, DoubleSpinBinding, OptionalSpinBinding, RadioBinding, SpinBinding
from gglib_desktop.views.widgets.calm_boxes import CalmDoubleSpinBox, CalmSpinBox
from gglib_desktop.views.widgets.flow_layout import FlowLayout
from gglib_desktop.views.wording import mtp_reason_text

_AUTO_PORT = 1023
_LAST_PORT = 65535
_MOST_CONTEXT = 2**31 - 1
_CONTEXT_STEP = 1024


class LaunchFields(QWidget):
    """Edits a launch form. The fields flow into short rows, as a panel needs it.

    ``with_context`` adds the context size and makes one row of each field, as a dialog has room for.
    """

    def __init__(self, form: LaunchFormViewModel, *, with_context: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._flow: FlowLayout | None = None
        self.setObjectName("launchFields")
        self._port = self._port_box()
        self._context = self._context_box() if with_context else None
        self._mtp = _MtpChoices(form, self)
        self._draft_tokens = self._draft_tokens_box()
        self._min_probability = self._min_probability_box()
        self._restart = self._restart_box()
        self._reason = QLabel()
        self._reason.setObjectName("mtpReason")
        if with_context:
            self._lay_out_as_rows()
        else:
            self._lay_out_as_flow()
        self._order_tabs()
        form.decisionChanged.connect(self._show_decision)
        self._show_decision(form.decision)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._flow is not None:
            # Tabs and scroll areas do not ask their content which height its width needs.
            self.setFixedHeight(self._flow.heightForWidth(self.width()))

    # -- the boxes

    def _port_box(self) -> CalmSpinBox:
        box = CalmSpinBox(self)
        box.setObjectName("field_port")
        box.setAccessibleName(self.tr("Server port"))
        box.setToolTip(self.tr("The port that the server listens on. Auto takes a free one; so does an emptied field."))
        box.setRange(_AUTO_PORT, _LAST_PORT)
        box.setSpecialValueText(self.tr("Auto"))
        OptionalSpinBinding(box, self._form, "port")
        return box

    def _context_box(self) -> CalmSpinBox:
        box = CalmSpinBox(self)
        box.setObjectName("field_context_size")
        box.setAccessibleName(self.tr("Context size"))
        box.setToolTip(
            self.tr("In tokens. If the engine decides, it takes the model's own size, or less where memory is short.")
        )
        box.setRange(0, _MOST_CONTEXT)
        box.setSingleStep(_CONTEXT_STEP)
        box.setGroupSeparatorShown(True)
        box.setSpecialValueText(self.tr("Engine decides"))
        OptionalSpinBinding(box, self._form, "context_size")
        return box

    def _draft_tokens_box(self) -> CalmSpinBox:
        box = CalmSpinBox(self)
        box.setObjectName("field_spec_draft_n_max")
        box.setAccessibleName(self.tr("Draft tokens"))
        box.setRange(1, MAX_DRAFT_TOKENS)
        SpinBinding(box, self._form, "spec_draft_n_max")
        return box

    def _min_probability_box(self) -> CalmDoubleSpinBox:
        box = CalmDoubleSpinBox(self)
        box.setObjectName("field_spec_draft_p_min")
        box.setAccessibleName(self.tr("Minimum probability"))
        box.setRange(0.0, 1.0)
        box.setSingleStep(0.05)
        box.setDecimals(2)
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
        if self._context is None:
            # There may be many panels, but only one use of each mnemonic: that is the dialog's.
            text = text.replace("&", "")
        label = QLabel(f"{text}:")
        label.setBuddy(buddy)
        return label

    def _port_label(self) -> QLabel:
        return self._label(self.tr("Server &port"), self._port)

    def _mtp_label(self) -> QLabel:
        return self._label(self.tr("Speculative &decoding (MTP)"), self._mtp.first)

    def _draft_tokens_label(self) -> QLabel:
        return self._label(self.tr("Draft &tokens"), self._draft_tokens)

    def _min_probability_label(self) -> QLabel:
        return self._label(self.tr("&Minimum probability"), self._min_probability)

    def _lay_out_as_flow(self) -> None:
        flow = FlowLayout()
        flow.addWidget(_side_by_side(self._port_label(), self._port))
        flow.addWidget(_side_by_side(self._mtp_label(), self._mtp))
        draft_tokens = _side_by_side(self._draft_tokens_label(), self._draft_tokens)
        min_probability = _side_by_side(self._min_probability_label(), self._min_probability)
        flow.addWidget(_side_by_side(draft_tokens, min_probability, gap=flow.column_gap))
        flow.addWidget(self._reason)
        flow.addWidget(self._restart)
        # The widest reason, so that the row does not break differently when the reason changes.
        self._reason.setMinimumWidth(self._widest_reason())
        self._flow = flow
        self.setLayout(flow)

    def _lay_out_as_rows(self) -> None:
        rows = QFormLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setHorizontalSpacing(16)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.FieldsStayAtSizeHint)
        rows.addRow(self._port_label(), self._port)
        if self._context is not None:
            rows.addRow(self._label(self.tr("&Context size"), self._context), self._context)
        self._mtp.setMinimumHeight(self._port.sizeHint().height())
        speculation = QVBoxLayout()
        speculation.setSpacing(0)
        speculation.addWidget(self._mtp)
        speculation.addWidget(self._reason)
        rows.addRow(self._mtp_label(), speculation)
        rows.addRow(self._draft_tokens_label(), self._draft_tokens)
        rows.addRow(self._min_probability_label(), self._min_probability)
        rows.addRow("", self._restart)
        self._reason.setMinimumWidth(self._widest_reason())
        boxes: list[QAbstractSpinBox] = [self._port, self._draft_tokens, self._min_probability]
        boxes += [self._context] if self._context is not None else []
        width = max(box.sizeHint().width() for box in boxes)
        for box in boxes:
            box.setMinimumWidth(width)

    def _order_tabs(self) -> None:
        drafting = (*self._mtp.buttons, self._draft_tokens, self._min_probability)
        fields: list[QWidget] = [self._port, *drafting, self._restart]
        if self._context is not None:
            fields.insert(1, self._context)
        for before, after in pairwise(fields):
            QWidget.setTabOrder(before, after)

    def _widest_reason(self) -> int:
        metrics = self._reason.fontMetrics()
        return max(metrics.horizontalAdvance(mtp_reason_text(reason)) for reason in MtpReason)

    # -- news

    def _show_decision(self, decision: MtpDecision) -> None:
        text = mtp_reason_text(decision.reason)
        self._reason.setText(text)
        tips = {
            self._draft_tokens: self.tr("How many tokens are drafted at most before the model checks them."),
            self._min_probability: self.tr("Drafting stops at a token that is less probable than this."),
        }
        for box, tip in tips.items():
            box.setEnabled(decision.enabled)
            box.setToolTip(tip if decision.enabled else text)
            box.setAccessibleDescription(tip if decision.enabled else text)


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
