"""The launch options of a server's panel as people and assistive technology meet them."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QLabel, QRadioButton, QSpinBox, QVBoxLayout, QWidget

from gglib_desktop.domain.launch.options import BUILT_IN, MtpChoice
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.servers.restart import RestartPolicy
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel
from gglib_desktop.views.launch.option_flow import OptionFlow
from tests.fakes.forms import form_launcher
from tests.fakes.library import some_facts
from tests.fakes.settings import FOUND
from tests.ui.finding import child

PANEL_WIDTH = 430


@pytest.fixture
def form(qapp) -> OptionFormViewModel:
    """What a server of a model without MTP layers runs with."""
    model = Model(1, Path("/m/plain.gguf"), some_facts("Plain"), None, 0.0, "Plain")
    return OptionFormViewModel(form_launcher(), None, model, draft=BUILT_IN)


@pytest.fixture
def fields(qtbot, form) -> OptionFlow:
    widget = OptionFlow(form)
    qtbot.addWidget(widget)
    return widget


def spin(fields: QWidget, name: str) -> QSpinBox:
    return child(fields, QSpinBox, name)


def radio(fields: QWidget, name: str) -> QRadioButton:
    return child(fields, QRadioButton, name)


def reason(fields: QWidget) -> str:
    return child(fields, QLabel, "mtpReason").text()


def test_every_field_has_the_name_that_assistive_technology_sees(fields):
    names = {
        "field_context_size": "Context size",
        "field_gpu_layers": "GPU layers",
        "field_parallel": "Parallel slots",
        "field_port": "Server port",
        "field_mtp_auto": "MTP auto",
        "field_mtp_on": "MTP on",
        "field_mtp_off": "MTP off",
        "field_spec_draft_n_max": "Draft tokens",
        "field_spec_draft_p_min": "Minimum probability",
    }
    assert {name: child(fields, QWidget, name).accessibleName() for name in names} == names
    assert {f"field_{name}" for name in fields.names} >= names.keys() - {f"field_mtp_{c}" for c in MtpChoice}


def test_every_box_has_a_label_that_leads_to_it(fields):
    buddies = {label.buddy().objectName() for label in fields.findChildren(QLabel) if label.buddy()}
    assert buddies == {
        "field_context_size", "field_gpu_layers", "field_parallel", "field_port", "field_mtp_auto",
        "field_spec_draft_n_max", "field_spec_draft_p_min",
    }  # fmt: skip


def test_what_was_changed_is_marked_and_says_what_it_was(fields, form):
    label = next(each for each in fields.findChildren(QLabel) if each.text().startswith("Context size:"))
    places = [each.geometry() for each in fields.findChildren(QWidget)]
    form.load(BUILT_IN, in_force=BUILT_IN.replace(context_size=8192))
    assert spin(fields, "field_context_size").accessibleDescription().startswith("Changed, was 8192. ")
    assert label.text() == "Context size: ●"
    assert places == [each.geometry() for each in fields.findChildren(QWidget)], "nothing moves"
    form.load(BUILT_IN.replace(context_size=8192), in_force=BUILT_IN.replace(context_size=8192))
    assert not spin(fields, "field_context_size").accessibleDescription().startswith("Changed")
    assert label.text() == "Context size:"


def test_drafting_can_be_left_out(fields):
    fields.show()
    fields.show_drafting(False)
    assert not child(fields, QWidget, "field_mtp").isVisible()
    assert spin(fields, "field_port").isVisible()


def test_what_is_typed_and_chosen_is_in_the_draft(qtbot, fields, form):
    fields.show()
    port = spin(fields, "field_port")
    port.selectAll()
    qtbot.keyClicks(port, "9123")
    radio(fields, "field_mtp_on").setChecked(True)
    spin(fields, "field_spec_draft_n_max").setValue(4)
    probability = child(fields, QDoubleSpinBox, "field_spec_draft_p_min")
    probability.stepUp()
    assert form.draft == BUILT_IN.replace(port=9123, mtp=MtpChoice.ON, spec_draft_n_max=4, spec_draft_p_min=0.8)


def test_a_port_is_left_to_the_program_at_the_end_of_its_range(qtbot, fields, form):
    port = spin(fields, "field_port")
    assert port.text() == "Auto"
    form.load(BUILT_IN.replace(port=9200))
    assert port.text() == "9200"
    port.setValue(1023)
    assert (form.draft.port, port.text()) == (None, "Auto")


def test_typing_a_port_says_nothing_before_it_is_one(qtbot, fields, form):
    port = spin(fields, "field_port")
    port.selectAll()
    qtbot.keyClicks(port, "91")
    assert form.draft == BUILT_IN


def test_numbers_that_a_server_must_have_go_through_their_range_and_no_further(fields, form):
    form.edit(mtp=MtpChoice.ON)
    tokens, probability = (
        spin(fields, "field_spec_draft_n_max"),
        child(fields, QDoubleSpinBox, "field_spec_draft_p_min"),
    )
    assert (tokens.text(), probability.text()) == ("2", "0.75")
    seen = []
    for steps in (-1, -1, 1, 1):
        tokens.stepBy(steps)
        seen.append((form.draft.spec_draft_n_max, tokens.text()))
    assert seen == [(1, "1"), (1, "1"), (2, "2"), (3, "3")]
    probability.setValue(0)
    assert (form.draft.spec_draft_p_min, probability.text()) == (0, "0.00")
    probability.stepBy(-1)
    assert form.draft.spec_draft_p_min == 0
    for _ in range(16):
        probability.stepUp()
    assert (form.draft.spec_draft_p_min, probability.text()) == (0.8, "0.80")


def test_a_number_from_elsewhere_beyond_what_is_offered_is_shown_as_it_is(fields, form):
    form.load(BUILT_IN.replace(mtp=MtpChoice.ON, spec_draft_n_max=0))
    tokens = spin(fields, "field_spec_draft_n_max")
    assert tokens.text() == "0"
    tokens.stepUp()
    assert form.draft.spec_draft_n_max == 1


def test_what_the_engine_cannot_take_is_off_with_the_reason(fields, form):
    form.edit(mtp=MtpChoice.ON)
    spellings = {flag: same for flag, same in FOUND.capabilities.spellings.items() if "p-min" not in flag}
    form._launcher.engines.current = replace(FOUND, capabilities=replace(FOUND.capabilities, spellings=spellings))
    form.load(form.draft)
    assert spin(fields, "field_spec_draft_n_max").isEnabled()
    probability = child(fields, QDoubleSpinBox, "field_spec_draft_p_min")
    assert not probability.isEnabled()
    assert probability.toolTip() == "This engine has no flag --spec-draft-p-min."


def test_starting_again_after_a_crash_is_a_box_to_check(fields, form):
    box = child(fields, QCheckBox, "field_restart")
    assert box.accessibleName() == box.text() == "Start again after a crash"
    assert not box.isChecked()
    box.setChecked(True)
    assert form.draft == BUILT_IN.replace(restart=RestartPolicy.ON_CRASH)
    form.load(BUILT_IN)
    assert not box.isChecked()
    assert form.draft == BUILT_IN, "what is shown is no edit"


def test_the_radio_buttons_answer_to_assistive_technology_as_one_edit(fields, form):
    edits: list[object] = []
    form.edited.connect(edits.append)
    radio(fields, "field_mtp_on").setChecked(True)
    assert form.draft == BUILT_IN.replace(mtp=MtpChoice.ON)
    assert edits == [{"mtp"}]


def test_the_radio_buttons_answer_to_the_mouse(qtbot, fields, form):
    fields.show()
    qtbot.mouseClick(radio(fields, "field_mtp_off"), Qt.MouseButton.LeftButton)
    assert form.draft.mtp is MtpChoice.OFF


def test_a_draft_from_elsewhere_is_shown(fields, form):
    form.load(BUILT_IN.replace(port=9999, mtp=MtpChoice.OFF, spec_draft_n_max=8))
    assert spin(fields, "field_port").text() == "9999"
    assert radio(fields, "field_mtp_off").isChecked()
    assert spin(fields, "field_spec_draft_n_max").value() == 8


def test_drafting_fields_are_off_with_the_reason_while_nothing_would_be_drafted(fields, form):
    boxes = [child(fields, QWidget, name) for name in ("field_spec_draft_n_max", "field_spec_draft_p_min")]
    assert not any(box.isEnabled() for box in boxes)
    assert reason(fields) == "Off: this model has no MTP layers"
    assert {box.accessibleDescription() for box in boxes} == {box.toolTip() for box in boxes} == {reason(fields)}
    form.edit(mtp=MtpChoice.ON)
    assert all(box.isEnabled() for box in boxes)
    assert reason(fields) == "On: you switched it on"
    assert reason(fields) not in {box.toolTip() for box in boxes}
    form.edit(mtp=MtpChoice.OFF)
    assert not any(box.isEnabled() for box in boxes)
    assert reason(fields) == "Off: you switched it off"


def test_a_reason_does_not_move_anything(qtbot, form):
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    fields = OptionFlow(form)
    layout.addWidget(fields)
    window.resize(PANEL_WIDTH, 300)
    window.show()

    def places() -> list[object]:
        return [found.geometry() for found in fields.findChildren(QWidget) if found.objectName()]

    before = places()
    for choice in MtpChoice:
        form.edit(mtp=choice)
        layout.activate()
        assert places() == before


@pytest.mark.parametrize("width", [PANEL_WIDTH, 700, 1200])
def test_in_a_panel_the_fields_wrap_and_nothing_is_cut_off(qtbot, form, width):
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    fields = OptionFlow(form)
    layout.addWidget(fields)
    layout.addStretch()
    window.resize(width, 300)
    window.show()
    assert window.width() == width
    for leaf in (found for found in fields.findChildren(QWidget) if not found.findChildren(QWidget)):
        corner = leaf.mapTo(fields, leaf.rect().bottomRight())
        assert fields.rect().contains(corner), leaf.objectName()
        if isinstance(leaf, QLabel | QRadioButton):
            assert leaf.width() >= leaf.sizeHint().width(), leaf.text()
    assert fields.height() == fields.heightForWidth(fields.width())


def test_wider_panels_need_fewer_rows(fields):
    heights = [fields.heightForWidth(width) for width in (PANEL_WIDTH, 700, 1200)]
    assert heights[0] > heights[1] > heights[2]


def test_tab_visits_the_fields_in_reading_order(qtbot, form):
    form.edit(mtp=MtpChoice.ON)  # Qt gives Tab the first of a group's buttons
    fields = OptionFlow(form)
    qtbot.addWidget(fields)
    fields.show()
    qtbot.waitUntil(fields.isActiveWindow, timeout=60_000)
    spin(fields, "field_port").setFocus()
    visited = []
    for _ in range(4):
        visited.append(fields.focusWidget().objectName())
        qtbot.keyClick(fields.focusWidget(), Qt.Key.Key_Tab)
    expected = ["field_port", "field_mtp_auto", "field_spec_draft_n_max", "field_spec_draft_p_min"]
    assert visited == expected
