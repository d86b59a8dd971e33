"""The launch settings as people and assistive technology meet them, in a panel and in the dialog."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDoubleSpinBox, QLabel, QRadioButton, QSpinBox, QVBoxLayout, QWidget

from gglib_desktop.domain.launch.options import BUILT_IN, LaunchOptions, MtpChoice, MtpDecision, MtpReason
from gglib_desktop.viewmodels.servers.launch_form import LaunchFormViewModel
from gglib_desktop.views.servers.launch_fields import LaunchFields
from tests.ui.finding import child

PANEL_WIDTH = 430


def decide(options: LaunchOptions) -> MtpDecision:
    """As for a model without MTP layers."""
    if options.mtp is MtpChoice.AUTO:
        return MtpDecision(False, MtpReason.NO_LAYERS)
    on = options.mtp is MtpChoice.ON
    return MtpDecision(on, MtpReason.CHOSEN if on else MtpReason.SWITCHED_OFF)


@pytest.fixture
def form(qapp) -> LaunchFormViewModel:
    return LaunchFormViewModel(decide, BUILT_IN)


@pytest.fixture
def fields(qtbot, form) -> LaunchFields:
    widget = LaunchFields(form)
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
        "field_port": "Server port",
        "field_mtp_auto": "MTP auto",
        "field_mtp_on": "MTP on",
        "field_mtp_off": "MTP off",
        "field_spec_draft_n_max": "Draft tokens",
        "field_spec_draft_p_min": "Minimum probability",
    }
    assert {name: child(fields, QWidget, name).accessibleName() for name in names} == names
    assert fields.findChild(QWidget, "field_context_size") is None


def test_every_box_has_a_label_that_leads_to_it(fields):
    buddies = {label.buddy().objectName() for label in fields.findChildren(QLabel) if label.buddy()}
    assert buddies == {"field_port", "field_mtp_auto", "field_spec_draft_n_max", "field_spec_draft_p_min"}


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


def test_the_radio_buttons_answer_to_the_mouse(qtbot, fields, form):
    fields.show()
    qtbot.mouseClick(radio(fields, "field_mtp_off"), Qt.MouseButton.LeftButton)
    assert form.draft.mtp is MtpChoice.OFF


def test_a_draft_from_elsewhere_is_shown(fields, form):
    form.show(BUILT_IN.replace(port=9999, mtp=MtpChoice.OFF, spec_draft_n_max=8))
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
    fields = LaunchFields(form)
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
    fields = LaunchFields(form)
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
    fields = LaunchFields(form)
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
