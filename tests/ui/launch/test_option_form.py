"""The form of launch options as people and assistive technology meet it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QRegularExpression, Qt
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QRadioButton,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QToolButton,
    QWidget,
)
from shiboken6 import delete

from gglib_desktop.domain.documents.settings import AppSettings, PlaceSettings
from gglib_desktop.domain.engine.capabilities import EngineCapabilities, EngineDevice
from gglib_desktop.domain.launch.options import MtpChoice, Source
from gglib_desktop.domain.options.engine_options import EngineOption, engine_options
from gglib_desktop.domain.servers.restart import RestartPolicy
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel
from gglib_desktop.views.launch.option_form import OptionForm
from tests.fakes.forms import MODEL, option_form
from tests.fakes.settings import FOUND
from tests.ui.finding import child

# Its field is shown where there are several: see test_engine_choice.py.
OPTIONS = {option.name: option for option in engine_options() if option.name != "engine"}
SMALL = (760, 420)


@pytest.fixture
def shown(qtbot):
    """Shows the form of a layer. Keep both: the widget and what it edits."""

    def shown(layer: Source = Source.LAUNCH, **more: Any) -> tuple[OptionForm, OptionFormViewModel]:
        form = option_form(layer, **more)
        widget = OptionForm(form)
        qtbot.addWidget(widget)
        widget.resize(*SMALL)
        widget.show()
        qtbot.waitUntil(widget.isActiveWindow, timeout=60_000)
        return widget, form

    return shown


def unfold_all(widget: QWidget) -> None:
    for header in widget.findChildren(QToolButton):
        if header.objectName().startswith("fold_") and header.accessibleName().startswith("Unfold"):
            header.click()


def note(widget: QWidget, name: str) -> str:
    return child(widget, QLabel, f"note_{name}").text()


def reset(widget: QWidget, name: str) -> QToolButton:
    return child(widget, QToolButton, f"reset_{name}")


def sample(option: EngineOption) -> Any:
    """Some value that is not the usual one."""
    if option.kind is bool:
        return True
    if option.choices:
        return option.choices[-1]
    if option.name in {"host", "spec_type"}:
        return {"host": "0.0.0.0", "spec_type": "draft-mtp"}[option.name]
    return {int: 9, float: 0.35, str: "some text", Path: Path("/t/x.jinja"), tuple: ("--alias", "a b")}[option.kind]


def choose(widget: QWidget, option: EngineOption, value: Any) -> None:
    """As assistive technology does: by value, by text, or by entry."""
    field = child(widget, QWidget, f"field_{option.name}")
    match field:
        case QSpinBox() | QDoubleSpinBox():
            field.setValue(value)
        case QComboBox():
            field.setCurrentIndex(field.findText("On" if value is True else value))
        case QLineEdit():
            field.setText("--alias 'a b'" if option.kind is tuple else str(value))
        case _:
            raise AssertionError(field)


@pytest.fixture(scope="class")
def unfolded(qapp):
    """One form for the tests of a class, each of which leaves it as it was."""
    form = option_form(Source.LAUNCH)
    form.edit(mtp=MtpChoice.ON)
    widget = OptionForm(form)
    widget.resize(*SMALL)
    widget.show()
    unfold_all(widget)
    yield widget, form
    delete(widget)


class TestEveryOption:
    @pytest.mark.parametrize("name", OPTIONS)
    def test_can_be_chosen_and_reset(self, unfolded, name):
        widget, form = unfolded
        before = form.draft
        option = OPTIONS[name]
        value = 9123 if name == "port" else sample(option)
        field = child(widget, QWidget, f"field_{name}")
        assert isinstance(field, QComboBox) or field.accessibleName() == option.spec.label
        assert field.toolTip().startswith(option.spec.help)
        assert all(flag in field.toolTip() for flag in option.spec.flags)
        assert not reset(widget, name).isVisibleTo(widget)
        choose(widget, option, value)
        assert form.draft == before.with_values(**{name: value})
        assert form.state.command_line
        button = reset(widget, name)
        assert button.accessibleName() == f"Reset {option.spec.label}"
        assert button.isVisibleTo(widget)
        button.click()
        assert form.draft == before
        assert not button.isVisibleTo(widget)


def test_every_field_has_a_label_that_leads_to_it(shown):
    widget, _form = shown()
    buddies = {label.buddy().objectName() for label in widget.findChildren(QLabel) if label.buddy()}
    assert buddies == {f"field_{name}" for name in OPTIONS} | {"field_mtp_inherited"}


def test_an_empty_field_says_what_is_in_force_and_why(shown):
    widget, _form = shown(model_options={"context_size": 32768, "flash_attn": "on", "top_k": 5, "device": "CUDA0"})
    assert child(widget, QSpinBox, "field_context_size").text().replace(",", "") == "32768 (this model)"
    assert child(widget, QSpinBox, "field_gpu_layers").text() == "auto (engine)"
    assert child(widget, QSpinBox, "field_spec_draft_n_max").text() == "2 (default)"
    assert child(widget, QDoubleSpinBox, "field_temperature").text() == "0.8 (engine)"
    assert child(widget, QComboBox, "field_flash_attn").currentText() == "Inherited: on (this model)"
    assert child(widget, QComboBox, "field_jinja").currentText() == "Inherited: on (engine)"
    assert child(widget, QLineEdit, "field_device").placeholderText() == "CUDA0 (this model)"
    assert child(widget, QLineEdit, "field_extra_args").placeholderText() == "none"
    assert child(widget, QSpinBox, "field_port").text() == "Auto"
    assert child(widget, QRadioButton, "field_mtp_inherited").text() == "Inherited: Auto (default)"


def test_the_form_says_in_which_order_values_count(shown):
    widget, _form = shown(Source.MODEL)
    said = child(widget, QLabel, "optionOrder").text()
    assert said.endswith(
        "this start › <b>this model</b> › all models › measured › this program's default › the engine's own default"
    )


def test_what_is_in_force_fits_into_the_field(shown):
    widget, _form = shown()
    unfold_all(widget)
    for box in widget.findChildren(QComboBox, QRegularExpression("^field_")):
        option = QStyleOptionComboBox()
        box.initStyleOption(option)
        style, part = box.style(), QStyle.SubControl.SC_ComboBoxEditField
        room = style.subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, box).width()
        assert box.fontMetrics().horizontalAdvance(box.currentText()) <= room, box.currentText()
    for box in widget.findChildren(QAbstractSpinBox):
        assert box.fontMetrics().horizontalAdvance(box.text()) <= box.lineEdit().width(), box.text()


def test_a_set_field_says_what_it_stands_in_place_of(shown):
    widget, form = shown(model_options={"threads": 3})
    form.edit(threads=8)
    assert note(widget, "threads") == "Instead of 3 (this model)"
    form.edit(threads=None)
    assert note(widget, "threads") == OPTIONS["threads"].spec.help


def test_what_is_typed_is_in_the_draft_and_emptied_fields_inherit_again(qtbot, shown):
    widget, form = shown()
    context = child(widget, QSpinBox, "field_context_size")
    context.setFocus()
    qtbot.keyClicks(context, "4096")
    assert form.draft.context_size == 4096
    context.selectAll()
    qtbot.keyClick(context, Qt.Key.Key_Delete)
    qtbot.keyClick(context, Qt.Key.Key_Tab)
    assert form.draft.context_size is None
    assert context.text() == "the model's own (engine)"


def test_numbers_with_names_take_both(qtbot, shown):
    widget, form = shown()
    layers = child(widget, QSpinBox, "field_gpu_layers")
    for typed, value, text in (("all", 999, "all"), ("auto", -1, "auto"), ("12", 12, "12")):
        layers.setFocus()
        layers.selectAll()
        qtbot.keyClicks(layers, typed)
        qtbot.keyClick(layers, Qt.Key.Key_Tab)
        assert (form.draft.gpu_layers, layers.text()) == (value, text)


@pytest.mark.parametrize(
    ("name", "steps", "expected"),
    [
        ("context_size", 1, 33792),
        ("context_size", -1, 31744),
        ("batch_size", 1, 2304),
        ("max_tokens", 1, 256),
        ("threads", 1, -1),
        ("threads", -1, None),
        ("temperature", -1, 0.75),
        ("top_p", 1, 0.55),
        ("spec_draft_p_min", 1, 0.8),
        ("spec_draft_n_max", -1, 1),
    ],
)
def test_steps_begin_at_what_is_inherited(shown, name, steps, expected):
    widget, form = shown(model_options={"context_size": 32768, "top_p": 0.5})
    field = child(widget, QWidget, f"field_{name}")
    assert isinstance(field, QSpinBox | QDoubleSpinBox)
    field.stepBy(steps)
    assert form.draft.get(name) == expected


def test_steps_down_stop_at_the_least_value_before_nothing(shown):
    widget, form = shown(draft={"batch_size": 300, "temperature": 0.03})
    seen = []
    for name in ("batch_size", "temperature"):
        field = child(widget, QWidget, f"field_{name}")
        assert isinstance(field, QSpinBox | QDoubleSpinBox)
        for _ in range(4):
            field.stepBy(-1)
            seen.append(form.draft.get(name))
    assert seen[:3] == [44, 1, None]
    assert seen[4:6] == [0.0, None]


@pytest.mark.parametrize("value", [0.123456, 0.05, 1.0, 0.0])
def test_numbers_are_shown_as_they_are(shown, value):
    widget, form = shown(draft={"top_p": value})
    field = child(widget, QDoubleSpinBox, "field_top_p")
    assert float(field.text()) == value
    assert "000" not in field.text()
    form.edit(threads=2)
    assert form.draft.get("top_p") == value


@pytest.mark.parametrize(
    ("name", "value"), [("top_k", 2000), ("threads", 3000), ("spec_draft_n_max", 0), ("repeat_penalty", 0.01)]
)
def test_numbers_from_elsewhere_beyond_what_is_offered_are_shown_as_they_are(shown, name, value):
    widget, form = shown(draft={"mtp": "on"})
    form.load(form.draft.with_values(**{name: value}))
    field = child(widget, QWidget, f"field_{name}")
    assert isinstance(field, QSpinBox | QDoubleSpinBox)
    assert field.text() == str(value)
    form.edit(parallel=2)
    assert form.draft.get(name) == value
    reset(widget, name).click()
    assert form.draft.get(name) is None
    assert field.text().endswith(")")


def test_a_choice_can_be_made_against_what_is_inherited(shown):
    widget, form = shown(model_options={"mlock": True})
    mlock = child(widget, QComboBox, "field_mlock")
    assert mlock.currentText() == "Inherited: on (this model)"
    mlock.setCurrentIndex(2)
    assert form.draft.mlock is False
    assert "--mlock" not in form.state.command_line


def test_what_cannot_be_read_stays_with_its_problem_beside_it(qtbot, shown):
    widget, form = shown()
    unfold_all(widget)
    extra = child(widget, QLineEdit, "field_extra_args")
    extra.setFocus()
    qtbot.keyClicks(extra, "--alias 'a")
    form.edit(threads=2)
    assert extra.text() == "--alias 'a"
    assert note(widget, "extra_args") == "A quotation mark is not closed."
    assert extra.accessibleDescription().startswith("A quotation mark is not closed.")
    qtbot.keyClicks(extra, " b'")
    assert note(widget, "extra_args") == OPTIONS["extra_args"].spec.help
    assert form.draft.extra_args == ("--alias", "a b")


def test_what_somebody_types_is_not_corrected_under_their_hands(qtbot, shown):
    widget, form = shown()
    unfold_all(widget)
    extra = child(widget, QLineEdit, "field_extra_args")
    extra.setFocus()
    qtbot.keyClicks(extra, '--alias "a"  ')
    assert extra.text() == '--alias "a"  '
    assert form.draft.extra_args == ("--alias", "a")


def test_a_text_keeps_its_lines(shown):
    template = "{% for m in messages %}\n{{ m.content }}\n{% endfor %}"
    widget, form = shown(draft={"chat_template": template})
    form.edit(threads=2)
    assert child(widget, QLineEdit, "field_chat_template").text() == template
    assert form.draft.chat_template == template


def test_a_problem_moves_nothing(shown):
    widget, form = shown()
    unfold_all(widget)

    def places() -> list[object]:
        return [found.geometry() for found in widget.findChildren(QWidget) if found.objectName().startswith("field")]

    form.edit(threads=2, extra_args=("--verbose",))
    before = places()
    form.edit(threads=None, extra_args=("--port", "1"))
    assert note(widget, "extra_args").startswith("--port is decided by the field Server port")
    assert places() == before


def test_draft_numbers_are_off_with_the_reason(shown):
    widget, form = shown()
    boxes = [child(widget, QWidget, f"field_{name}") for name in ("spec_draft_n_max", "spec_draft_p_min")]
    assert all(box.isEnabled() for box in boxes)
    assert note(widget, "mtp") == "On: this model has MTP layers"
    child(widget, QRadioButton, "field_mtp_off").setChecked(True)
    assert form.draft.mtp is MtpChoice.OFF
    assert not any(box.isEnabled() for box in boxes)
    assert note(widget, "spec_draft_n_max") == note(widget, "mtp") == "Off: you switched it off"
    reset(widget, "mtp").click()
    assert child(widget, QRadioButton, "field_mtp_inherited").isChecked()
    assert all(box.isEnabled() for box in boxes)


def test_what_the_engine_cannot_do_is_off_and_can_still_be_reset(shown):
    widget, form = shown(draft={"mlock": True})
    engines = form._launcher.engines
    engines.current = replace(FOUND, capabilities=EngineCapabilities())
    engines._events.emit(None)
    assert not child(widget, QComboBox, "field_mlock").isEnabled()
    assert (
        note(widget, "mlock") == note(widget, "mmap").replace("--mmap", "--mlock") == "This engine has no flag --mlock."
    )
    reset(widget, "mlock").click()
    assert form.draft.mlock is None


# -- finding one's way


def test_basics_come_first_and_the_rest_is_one_fold_away(qtbot, shown):
    widget, form = shown()
    visible = {name for name in OPTIONS if child(widget, QWidget, f"field_{name}").isVisibleTo(widget)}
    assert visible == {
        name for name, option in OPTIONS.items() if option.spec.group in {"Basics", "Speculative decoding (MTP)"}
    }
    header = child(widget, QToolButton, "fold_sampling")
    assert header.accessibleName() == "Unfold Sampling"
    header.setFocus()
    qtbot.keyClick(header, Qt.Key.Key_Space)
    assert child(widget, QWidget, "field_top_k").isVisibleTo(widget)
    qtbot.keyClick(header, Qt.Key.Key_Space)
    form.edit(top_k=5)
    assert header.text() == "Sampling (1 set)"


def test_what_has_a_problem_is_never_folded_away(shown):
    widget, form = shown()
    form.type_text("extra_args", "'")
    assert child(widget, QLineEdit, "field_extra_args").isVisibleTo(widget)


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ("cache value", {"cache_type_v"}),
        ("--ctx-size", {"context_size"}),
        ("min_p", {"min_p"}),
        ("LLAMA_ARG_MLOCK", {"mlock"}),
        ("swaps", {"mlock"}),
        ("penalty presence", {"presence_penalty"}),
        ("nothing of that sort", set()),
    ],
)
def test_a_search_looks_through_all_groups(shown, sought, found):
    widget, _form = shown()
    child(widget, QLineEdit, "optionSearch").setText(sought)
    visible = {name for name in OPTIONS if child(widget, QWidget, f"field_{name}").isVisibleTo(widget)}
    assert visible == found
    assert child(widget, QLabel, "optionNothing").isVisibleTo(widget) == (not found)
    child(widget, QLineEdit, "optionSearch").clear()
    assert child(widget, QWidget, "field_port").isVisibleTo(widget)
    assert not child(widget, QWidget, "field_mlock").isVisibleTo(widget)


def test_a_field_can_be_brought_into_view(qtbot, shown):
    widget, _form = shown()
    child(widget, QLineEdit, "optionSearch").setText("port")
    widget.reveal("repeat_last_n")
    field = child(widget, QSpinBox, "field_repeat_last_n")
    assert field.hasFocus()
    assert widget.rect().contains(field.mapTo(widget, field.rect().bottomRight()))


def test_tab_goes_through_the_fields_in_reading_order(qtbot, shown):
    widget, form = shown()
    form.edit(context_size=1024)
    child(widget, QLineEdit, "optionSearch").setFocus()
    visited = []
    for _ in range(6):
        qtbot.keyClick(widget.focusWidget(), Qt.Key.Key_Tab)
        visited.append(widget.focusWidget().objectName())
    assert visited == [
        "field_port",
        "field_context_size",
        "reset_context_size",
        "field_gpu_layers",
        "field_parallel",
        "field_mtp_inherited",
    ]


# -- layers


def test_what_happens_after_a_crash_is_no_matter_of_one_launch(shown):
    widget, _form = shown()
    assert widget.findChild(QWidget, "field_restart") is None
    widget, form = shown(Source.MODEL)
    restart = child(widget, QComboBox, "field_restart")
    assert restart.currentText() == "Inherited: No (default)"
    restart.setCurrentIndex(1)
    assert form.draft.restart is RestartPolicy.ON_CRASH
    reset(widget, "restart").click()
    assert form.draft.restart is None


def test_the_form_of_all_models_speaks_of_no_model(shown):
    widget, _form = shown(Source.APP, model=None)
    assert note(widget, "mtp") == "On: where a model has MTP layers"
    assert child(widget, QWidget, "field_spec_draft_n_max").isEnabled()


# -- devices


def test_devices_of_the_engine_are_chosen_by_a_click(qtbot, shown):
    widget, form = shown()
    unfold_all(widget)
    form.devicesFound.emit([EngineDevice("CUDA0", "A card", 8 * 2**30), EngineDevice("CUDA1", "Another", 8 * 2**30)])
    first, second = (child(widget, QCheckBox, f"device_CUDA{number}") for number in range(2))
    assert first.text() == first.accessibleName() == "CUDA0: A card, 8.0 GiB"
    second.setChecked(True)
    first.setChecked(True)
    field = child(widget, QLineEdit, "field_device")
    assert (form.draft.device, field.text()) == ("CUDA1,CUDA0", "CUDA1,CUDA0")
    field.setText("CUDA0,elsewhere")
    assert (first.isChecked(), second.isChecked()) == (True, False)
    first.setChecked(False)
    assert form.draft.device == "elsewhere"
    reset(widget, "device").click()
    qtbot.waitUntil(first.isVisible, timeout=60_000)
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_Tab)
    assert widget.focusWidget() is first


def test_an_engine_without_devices_says_so(shown):
    widget, form = shown()
    form.devicesFound.emit(())
    assert "computes on the CPU" in child(widget, QLabel, "deviceNone").text()


def test_what_is_said_of_an_option_can_be_read_whole(shown):
    widget, form = shown()
    unfold_all(widget)
    form.type_text("extra_args", "--port 3 --draft-max 4 --ctx-size 5 --n-gpu-layers 6 --model elsewhere.gguf")
    notes = [child(widget, QLabel, f"note_{name}") for name in OPTIONS]
    QApplication.processEvents()
    for label in notes:
        needed = label.fontMetrics().boundingRect(0, 0, label.width(), 9999, Qt.TextFlag.TextWordWrap, label.text())
        assert label.isVisible()
        assert (label.height() >= needed.height(), label.width() >= needed.width()) == (True, True), label.text()


def test_what_is_said_stands_in_one_column(qtbot):
    form = option_form()
    widget = OptionForm(form, helpers={"context_size": QLabel("a helper that is wider than the field above it")})
    qtbot.addWidget(widget)
    widget.resize(*SMALL)
    widget.show()
    unfold_all(widget)
    QApplication.processEvents()
    notes = [child(widget, QLabel, f"note_{name}") for name in ("port", "context_size", "gpu_layers", "top_k")]
    assert len({label.mapTo(widget, label.rect().topLeft()).x() for label in notes}) == 1


BOX = AppSettings(places={"box": PlaceSettings(url="podman:llama", name="Box"), "ssh": PlaceSettings(url="ssh://far")})


async def test_a_place_is_offered_only_where_there_are_several(shown):
    widget, _form = shown()
    assert widget.findChild(QComboBox, "field_place") is None


async def test_the_place_of_a_start_is_chosen_by_its_name(shown):
    widget, form = shown(settings=BOX)
    combo = child(widget, QComboBox, "field_place")
    shown_words = [combo.itemText(row) for row in range(combo.count())]
    assert shown_words == ["Inherited: This computer (engine)", "This computer", "Box"]
    combo.setCurrentIndex(2)
    assert form.draft.place == "box"
    assert form.state.config is not None
    assert form.state.config.place == "box"
    form.edit(place="gone")
    assert combo.currentText() == "gone"
    reset(widget, "place").click()
    assert form.draft.place is None


async def test_a_model_elsewhere_starts_there(shown):
    widget, form = shown(settings=BOX, model=replace(MODEL, place="ssh"))
    assert widget.findChild(QComboBox, "field_place") is None
    assert form.state.config is not None
    assert form.state.config.place == "ssh"
