"""A widget and its field of the draft stay equal, whichever changes, for as long as the widget lives."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PySide6.QtCore import QObject, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QTextCursor, QWheelEvent
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QWidget,
)
from shiboken6 import delete

from gglib_desktop.domain.documents.settings import AppSettings, OnQuit
from gglib_desktop.domain.launch.options import BUILT_IN
from gglib_desktop.views.widgets.bindings import (
    ComboBinding,
    DoubleSpinBinding,
    PlainTextBinding,
    SpinBinding,
    TextBinding,
)
from gglib_desktop.views.widgets.wheel_safe_boxes import WheelSafeComboBox, WheelSafeDoubleSpinBox, WheelSafeSpinBox


class Form(QObject):
    """A form of any frozen draft; ``edits`` are the changes that widgets made."""

    draftChanged = Signal(object)  # noqa: N815  # Qt's way to write signals

    def __init__(self, draft: Any) -> None:
        super().__init__()
        self.draft = draft
        self.edits: list[dict[str, Any]] = []

    def edit(self, **changes: Any) -> None:
        self.edits.append(changes)
        self.show(self.draft.replace(**changes))

    def show(self, draft: Any) -> None:
        if draft != self.draft:
            self.draft = draft
            self.draftChanged.emit(draft)


@pytest.fixture
def launch() -> Form:
    return Form(BUILT_IN)


@pytest.fixture
def settings() -> Form:
    return Form(AppSettings())


def spin(maximum: int = 16) -> QSpinBox:
    box = QSpinBox()
    box.setRange(1, maximum)
    return box


def port_box() -> WheelSafeSpinBox:
    box = WheelSafeSpinBox()
    box.setRange(1023, 65535)
    box.setSpecialValueText("Auto")
    return box


def path_binding(edit: QLineEdit, form: Form) -> TextBinding:
    return TextBinding(
        edit,
        form,
        lambda draft: str(draft.engine_path or ""),
        lambda text: form.edit(engine_path=Path(text.strip()) if text.strip() else None),
    )


# -- from the draft to the widget, and back


def test_a_spin_box_shows_the_draft_and_edits_it(qtbot, launch):
    box = spin()
    qtbot.addWidget(box)
    SpinBinding(box, launch, "spec_draft_n_max")
    assert box.value() == 2
    launch.show(launch.draft.replace(spec_draft_n_max=5))
    assert box.value() == 5
    assert launch.edits == [], "showing a draft is no edit"
    box.setValue(7)
    assert launch.draft.spec_draft_n_max == 7
    assert launch.edits == [{"spec_draft_n_max": 7}]


def test_a_number_with_decimals_keeps_no_dust(qtbot, launch):
    box = QDoubleSpinBox()
    qtbot.addWidget(box)
    box.setRange(0, 1)
    box.setSingleStep(0.05)
    DoubleSpinBinding(box, launch, "spec_draft_p_min")
    assert box.value() == 0.75
    box.setValue(0)
    for _ in range(15):
        box.stepUp()
    assert launch.draft.spec_draft_p_min == 0.75
    launch.show(launch.draft.replace(spec_draft_p_min=0.1))
    assert box.value() == 0.1


def test_a_combo_box_shows_and_chooses_its_items_data(qtbot, settings):
    combo = QComboBox()
    qtbot.addWidget(combo)
    for choice in OnQuit:
        combo.addItem(choice.value.title(), choice)
    ComboBinding(combo, settings, "on_quit")
    assert combo.currentText() == "Ask"
    settings.show(settings.draft.replace(on_quit=OnQuit.LEAVE_RUNNING))
    assert combo.currentText() == "Leave Running"
    assert settings.edits == []
    combo.setCurrentIndex(1)
    assert settings.draft.on_quit is OnQuit.STOP_ALL


def test_a_text_is_shown_and_written(qtbot, settings):
    edit = QLineEdit()
    qtbot.addWidget(edit)
    path_binding(edit, settings)
    assert edit.text() == ""
    qtbot.keyClicks(edit, "/opt/engine")
    assert settings.draft.engine_path == Path("/opt/engine")
    settings.show(settings.draft.replace(engine_path=Path("/usr/bin/engine")))
    assert edit.text() == "/usr/bin/engine"
    edit.clear()
    assert settings.draft.engine_path is None


def test_what_somebody_types_is_not_corrected_under_their_hands(qtbot, settings):
    edit = QLineEdit()
    qtbot.addWidget(edit)
    path_binding(edit, settings)
    qtbot.keyClicks(edit, "/opt/x")
    qtbot.keyClick(edit, Qt.Key.Key_Backspace)
    assert edit.text() == "/opt/"
    assert settings.draft.engine_path == Path("/opt")


def test_another_field_s_change_keeps_the_cursor(qtbot, settings):
    edit = QLineEdit()
    qtbot.addWidget(edit)
    path_binding(edit, settings)
    qtbot.keyClicks(edit, "/opt/engine")
    edit.setCursorPosition(3)
    settings.edit(base_port=9500)
    assert edit.cursorPosition() == 3


class Notes(NamedTuple):
    notes: str = ""

    def replace(self, **changes: Any) -> "Notes":
        return self._replace(**changes)


def test_a_text_of_many_lines_is_shown_and_written_and_keeps_the_cursor(qtbot):
    edit, form = QPlainTextEdit(), Form(Notes("one"))
    qtbot.addWidget(edit)
    PlainTextBinding(edit, form, "notes")
    assert edit.toPlainText() == "one"
    edit.moveCursor(QTextCursor.MoveOperation.Start)
    qtbot.keyClicks(edit, "no ")
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert form.draft.notes == "no \none"
    assert edit.textCursor().position() == 4
    form.show(Notes("two"))
    assert edit.toPlainText() == "two"
    assert len(form.edits) == 4


# -- the end of a widget

BINDINGS: list[Callable[[Form], tuple[QWidget, QObject]]] = [
    lambda form: (box := spin(), SpinBinding(box, form, "spec_draft_n_max")),
    lambda form: (box := QDoubleSpinBox(), DoubleSpinBinding(box, form, "spec_draft_p_min")),
]


@pytest.mark.parametrize("bind", BINDINGS)
def test_a_binding_ends_with_its_widget(qapp, launch, bind):
    widget, _binding = bind(launch)
    delete(widget)
    launch.show(BUILT_IN.replace(port=9300, spec_draft_n_max=9, spec_draft_p_min=0.3))


# -- scrolling past a box

BOXES = [WheelSafeSpinBox, WheelSafeDoubleSpinBox, WheelSafeComboBox]


def wheel_down(widget: QWidget) -> QWheelEvent:
    event = QWheelEvent(
        QPointF(5, 5),
        QPointF(widget.mapToGlobal(QPoint(5, 5))),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
    return event


def step_of(box: WheelSafeSpinBox | WheelSafeDoubleSpinBox | WheelSafeComboBox) -> float:
    return box.currentIndex() if isinstance(box, QComboBox) else -box.value()


@pytest.mark.parametrize("kind", BOXES)
def test_the_wheel_turns_a_box_only_while_it_has_the_focus(qtbot, kind):
    window = QWidget()
    qtbot.addWidget(window)
    box, other = kind(window), QLineEdit(window)
    if isinstance(box, QComboBox):
        box.addItems(["one", "two", "three"])
    else:
        box.setValue(5)
    window.show()
    qtbot.waitUntil(window.isActiveWindow, timeout=60_000)
    other.setFocus()
    before = step_of(box)
    event = wheel_down(box)
    assert step_of(box) == before
    assert not event.isAccepted(), "the page behind scrolls"
    box.setFocus()
    wheel_down(box)
    assert step_of(box) == before + 1


def test_an_emptied_box_shows_its_special_value_again(qtbot):
    box = port_box()
    qtbot.addWidget(box)
    box.setValue(9100)
    box.selectAll()
    qtbot.keyClick(box, Qt.Key.Key_Delete)
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert box.value() == 1023
    assert box.text() == "Auto"


def test_digits_replace_the_special_value_after_a_click(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    box = port_box()
    box.setParent(window)
    window.show()
    qtbot.mouseClick(box.lineEdit(), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: box.lineEdit().selectedText() == "Auto", timeout=60_000)
    qtbot.keyClicks(box, "9100")
    assert box.value() == 9100
