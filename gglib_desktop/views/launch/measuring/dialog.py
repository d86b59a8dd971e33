"""The dialog that measures what drafting brings to a model."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QLabel,
    QProgressBar,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from gglib_desktop.domain.advisor.plan import Depth
from gglib_desktop.domain.advisor.progress import Arm
from gglib_desktop.viewmodels.launch.measuring import MeasuringState, MeasuringViewModel, Stage
from gglib_desktop.views.launch.measuring.arms import ArmTableView
from gglib_desktop.views.launch.measuring.words import (
    gain_text,
    plan_text,
    progress_text,
    shortage_text,
    stop_text,
    verdict_details,
    verdict_text,
)
from gglib_desktop.views.launch.presets.dialog import PresetNameDialog
from gglib_desktop.views.look.type_scale import TypeSize, set_type
from gglib_desktop.views.widgets.ask import ask
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.problem_box import ProblemBox
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.widgets.layout.flow_row import FlowRow
from gglib_desktop.views.widgets.layout.room import resize_within_screen
from gglib_desktop.views.widgets.layout.shrinking_area import ShrinkingArea

_SIZE = QSize(760, 620)
_STEPS = 1000


class MeasureDialog(QDialog):
    """Shows the plan before anything starts. Closing it ends what goes on."""

    def __init__(self, measuring: MeasuringViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._measuring = measuring
        self.setObjectName("measureDialog")
        title = self.tr("Measure drafting: {model}").format(model=measuring.model.name)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self._plan = _PlanPart(measuring, self)
        self._progress = _ProgressPart(self)
        self._arms = ArmTableView(self)
        self._result = _ResultPart(measuring.fills_form, self)
        self._problem = ProblemBox("measure", self, lines=1)
        policy = self._problem.sizePolicy()
        policy.setRetainSizeWhenHidden(False)
        self._problem.setSizePolicy(policy)
        self._start = push_button("startMeasuring", self.tr("Start measuring"), self)
        self._cancel = push_button("cancelMeasuring", self.tr("Cancel"), self)
        self._use = push_button("useAdvice", self.tr("Use these settings"), self)
        self._keep = push_button("keepAdvice", self.tr("Keep as preset…"), self)
        self._close = push_button("closeMeasuring", self.tr("Close"), self)
        self._lay_out()
        self._connect()
        self._render(measuring.state)
        resize_within_screen(self, _SIZE)

    def _lay_out(self) -> None:
        upper = QWidget(self)
        column = QVBoxLayout(upper)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self._result, self._plan, self._progress):
            column.addWidget(part)
        self._area = area = ShrinkingArea(self)
        area.setObjectName("measureScroll")
        area.setWidget(upper)
        buttons = FlowRow([self._start, self._cancel, self._use, self._keep, self._close], parent=self)
        layout = QVBoxLayout(self)
        layout.addWidget(area)
        layout.addWidget(self._arms, 1)
        layout.addWidget(self._problem)
        layout.addWidget(buttons)
        self._start.setDefault(True)

    def _connect(self) -> None:
        measuring = self._measuring
        measuring.stateChanged.connect(self._render)
        measuring.failed.connect(self._problem.show_error)
        self._start.clicked.connect(self._on_start)
        self._cancel.clicked.connect(measuring.cancel)
        self._use.clicked.connect(measuring.use.trigger)
        self._keep.clicked.connect(self._on_keep)
        self._close.clicked.connect(self.reject)
        self.finished.connect(self._on_finished)

    @Slot(object)
    def _render(self, state: MeasuringState) -> None:
        self._plan.show_state(state)
        self._progress.show_state(state)
        self._result.show_state(state)
        self._arms.show_arms(_arms(state))
        if state.stage is Stage.DONE:
            self._area.verticalScrollBar().setValue(0)
        self._start.setEnabled(state.can_start)
        self._cancel.setEnabled(state.stage is Stage.MEASURING)
        self._use.setEnabled(bool(state.choices) and not state.is_used)
        self._keep.setEnabled(bool(state.choices))

    @Slot()
    def _on_start(self) -> None:
        self._problem.clear()
        self._measuring.start.trigger()

    @Slot()
    def _on_keep(self) -> None:
        measuring = self._measuring
        dialog = PresetNameDialog(self.tr("Keep as preset"), measuring.keep, measuring.run, self, model=measuring.model)
        measuring.run(ask(dialog), "keep measured settings")

    @Slot(int)
    def _on_finished(self, _result: int) -> None:
        self._measuring.close()


def _arms(state: MeasuringState) -> tuple[Arm, ...]:
    """Before it begins, those that are tried first."""
    if state.progress is not None and state.progress.arms:
        return state.progress.arms
    return () if state.plan is None else tuple(map(Arm, state.plan.settings))


class _PlanPart(QWidget):
    """How much is measured, and what that takes."""

    def __init__(self, measuring: MeasuringViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._about = WrapLabel(
            self.tr(
                "Starts the model by itself, again and again, with and without drafting, and compares the speeds. "
                "Running servers go on, but slow it down."
            ),
            self,
        )
        self._quick = self._radio(
            "measureQuick", self.tr("Quick"), self.tr("One client, short prompts, code and prose")
        )
        self._thorough = self._radio(
            "measureThorough", self.tr("Thorough"), self.tr("Also long prompts and 4 clients at once")
        )
        self._group = QButtonGroup(self)
        for number, button in enumerate((self._quick, self._thorough)):
            self._group.addButton(button, number)
        self._plan = WrapLabel(parent=self)
        self._plan.setObjectName("advicePlan")
        self._shortage = WrapLabel(parent=self)
        self._shortage.setObjectName("adviceShortage")
        self._stop = QCheckBox(self)
        self._stop.setObjectName("adviceStopServers")
        self._stop.setMinimumWidth(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (
            self._about,
            FlowRow([self._quick, self._thorough], parent=self),
            self._plan,
            self._shortage,
            self._stop,
        ):
            layout.addWidget(part)
        self._group.idToggled.connect(self._on_depth)
        self._stop.toggled.connect(measuring.stop_servers)
        self._measuring = measuring

    def show_state(self, state: MeasuringState) -> None:
        self._about.setVisible(state.stage in {Stage.PLANNING, Stage.READY, Stage.REFUSED})
        with QSignalBlocker(self._group):
            (self._quick if state.depth is Depth.QUICK else self._thorough).setChecked(True)
        for button in (self._quick, self._thorough):
            button.setEnabled(not state.is_busy)
        self._tell(self._plan, self.tr("Plan: being made") if state.stage is Stage.PLANNING else plan_text(state.plan))
        is_short = state.plan is not None and not state.plan.fits
        self._shortage.setVisible(is_short)
        self._stop.setVisible(is_short and bool(state.in_the_way))
        self._stop.setEnabled(not state.is_busy)
        if is_short and state.plan is not None:
            self._tell(self._shortage, shortage_text(state.plan))
            text = stop_text(state.in_the_way)
            self._stop.setText(text.replace("&", "&&"))
            self._stop.setAccessibleName(text)
            self._stop.setToolTip(text)

    def _radio(self, name: str, text: str, help_text: str) -> QRadioButton:
        button = QRadioButton(text, self)
        button.setObjectName(name)
        button.setAccessibleName(text)
        button.setAccessibleDescription(help_text)
        button.setToolTip(help_text)
        return button

    def _tell(self, label: QLabel, text: str) -> None:
        if text != label.text():
            label.setText(text)
            label.setAccessibleName(text)

    @Slot(int, bool)
    def _on_depth(self, number: int, checked: bool) -> None:
        if checked:
            self._measuring.choose((Depth.QUICK, Depth.THOROUGH)[number])


class _ProgressPart(QWidget):
    """How far it is; only while it goes on, or after it was canceled."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._bar = QProgressBar(self)
        self._bar.setObjectName("adviceProgress")
        self._bar.setAccessibleName(self.tr("Measuring"))
        self._bar.setRange(0, _STEPS)
        self._text = WrapLabel(parent=self)
        self._text.setObjectName("adviceStatus")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._bar)
        layout.addWidget(self._text)

    def show_state(self, state: MeasuringState) -> None:
        self._bar.setVisible(state.is_busy)
        if state.progress is not None:
            self._bar.setValue(round(state.progress.share * _STEPS))
        text = self._status(state)
        self.setVisible(state.is_busy or bool(text))
        if text != self._text.text():
            self._text.setText(text)
            self._text.setAccessibleName(text)

    def _status(self, state: MeasuringState) -> str:
        if state.stage is Stage.ENDING:
            return self.tr("Ending the measurement")
        if state.stage is Stage.CANCELED:
            return self.tr("Canceled. What was measured is kept: starting again within an hour continues from here.")
        if state.stage is Stage.MEASURING and state.progress is not None:
            return progress_text(state.progress)
        return ""


class _ResultPart(QWidget):
    """What came out."""

    def __init__(self, fills_form: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self._verdict = WrapLabel(parent=self)
        self._verdict.setObjectName("adviceVerdict")
        set_type(self._verdict, TypeSize.TITLE, strong=True)
        self._gain = WrapLabel(parent=self)
        self._gain.setObjectName("adviceGain")
        set_type(self._gain, strong=True, figures=True)
        self._details = WrapLabel(parent=self)
        self._details.setObjectName("adviceDetails")
        self._details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        saved, filled = self.tr("Saved. Used from the next start on."), self.tr("The form has these settings now.")
        self._used = WrapLabel(filled if fills_form else saved, self)
        self._used.setObjectName("adviceUsed")
        self._used.setAccessibleName(self._used.text())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self._verdict, self._gain, self._details, self._used):
            layout.addWidget(part)

    def show_state(self, state: MeasuringState) -> None:
        self.setVisible(state.advice is not None)
        self._used.setVisible(state.is_used)
        if state.advice is None:
            return
        verdict = state.advice.verdict
        texts = (
            (self._verdict, verdict_text(verdict)),
            (self._gain, gain_text(verdict)),
            (self._details, "\n".join(verdict_details(state.advice))),
        )
        for label, text in texts:
            if text != label.text():
                label.setText(text)
                label.setAccessibleName(text)
