"""What the test of a place found, step by step."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from gglib_desktop.domain.documents.places import StepResult, TestStep
from gglib_desktop.domain.servers.states import Failed, Healthy, Stopped
from gglib_desktop.viewmodels.settings.places import PlaceTester, TestState
from gglib_desktop.views.look.icons import colored_state_icon
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.words.errors import sentence
from gglib_desktop.views.words.places import step_text

_WORDS = {StepResult.OK: Healthy.word, StepResult.FAILED: Failed.word, StepResult.SKIPPED: Stopped.word}
_LEAST_ROWS, _ROWS, _MOST_ROWS = 2, 4, 6


class TestSteps(QWidget):
    """The steps, and below them what the place said last, or why a step failed."""

    __test__ = False  # no class of tests

    def __init__(self, tester: PlaceTester, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._list = QListWidget(self)
        self._list.setObjectName("testSteps")
        self._list.setAccessibleName(self.tr("Test steps"))
        title = QLabel(self.tr("Test steps:"), self)
        title.setBuddy(self._list)
        self._said = WrapLabel(parent=self)
        self._said.setObjectName("testSaid")
        self._said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(title)
        layout.addWidget(self._list)
        layout.addWidget(self._said)
        tester.stateChanged.connect(self._render)
        self._render(tester.state)

    @Slot(object)
    def _render(self, state: TestState) -> None:
        if self._list.count() > len(state.steps):
            self._list.clear()
        for step in state.steps[self._list.count() :]:
            self._add(step)
        self._fit()
        if state.running:
            self._said.setText(self.tr("Testing…"))
        else:
            told = state.failed or next((each for each in reversed(state.steps) if each.said), None)
            self._said.setText(sentence(told.said) if told is not None else "")
        self.setVisible(state != TestState())

    def _fit(self) -> None:
        """All steps, as far as they are no more than usual."""
        row, frame = max(0, self._list.sizeHintForRow(0)), 2 * self._list.frameWidth()
        self._list.setMinimumHeight(_LEAST_ROWS * row + frame)
        self._list.setMaximumHeight(min(max(_ROWS, self._list.count()), _MOST_ROWS) * row + frame)

    def _add(self, step: TestStep) -> None:
        item = QListWidgetItem(colored_state_icon(_WORDS[step.result]), step_text(step), self._list)
        item.setToolTip(step.said)
        item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, step.said)
