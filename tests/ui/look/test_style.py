"""Controls as they are painted: their borders and marks stand out in every palette."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QImage, QPalette
from PySide6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QStyle,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

import gglib_desktop
from gglib_desktop.views.look.style import LookStyle
from gglib_desktop.views.look.theme import card_colour, focus_colour
from gglib_desktop.views.widgets.wheel_safe_boxes import WheelSafeTabWidget
from tests.fakes.counted import calls_of
from tests.ui.look.palettes import NAMES, contrast, shown_palette

CONTROLS: dict[str, Callable[[], QWidget]] = {
    "button": lambda: QPushButton("Start"),
    "tool button": QToolButton,
    "field": QLineEdit,
    "number": QSpinBox,
    "decimal number": QDoubleSpinBox,
    "choice": QComboBox,
    "check box": QCheckBox,
    "radio button": QRadioButton,
    "long text": QPlainTextEdit,
}


# Longer than the widgets of a test, which use it to their end.
@pytest.fixture(scope="module")
def style(qapp) -> QStyle:
    return LookStyle()


def shown(qtbot, style: QStyle, palette: QPalette, *controls: QWidget) -> QWidget:
    """A window in these colors, with the controls in it."""
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    layout.setContentsMargins(20, 20, 20, 20)
    for widget in (window, *controls):
        widget.setPalette(palette)
        widget.setStyle(style)
    for control in controls:
        layout.addWidget(control)
    window.show()
    return window


def colours_in(image: QImage, area: QRect) -> set[str]:
    points = (QPoint(x, y) for y in range(area.top(), area.bottom()) for x in range(area.left(), area.right()))
    return {image.pixelColor(point).name() for point in points}


def first_row_with(image: QImage, area: QRect, colour: QColor) -> int:
    """The first row in which there is something in this color."""
    rows = range(area.top(), area.bottom())
    return next(y for y in rows if colour.name() in colours_in(image, QRect(area.left(), y, area.width(), 2)))


def best_contrast(image: QImage, area: QRect, background: QColor) -> float:
    return max(contrast(QColor(name), background) for name in colours_in(image, area))


@pytest.mark.parametrize("name", NAMES)
def test_empty_controls_are_seen_by_their_borders(qtbot, style, name):
    palette = shown_palette(name)
    for background in (palette.color(QPalette.ColorRole.Window), card_colour(palette)):
        behind = QPalette(palette)
        behind.setColor(QPalette.ColorRole.Window, background)
        controls = {kind: make() for kind, make in CONTROLS.items()}
        window = shown(qtbot, style, behind, *controls.values())
        image = window.grab().toImage()
        for kind, control in controls.items():
            # The left edge alone: no text, no arrow.
            edge = QRect(control.geometry().topLeft(), control.size()).intersected(QRect(0, 0, 26, 10_000))
            assert best_contrast(image, edge, background) >= 3, (kind, background.name())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["check box", "radio button"])
def test_what_is_chosen_is_told_by_a_mark_too(qtbot, style, name, kind):
    palette = shown_palette(name)
    button = CONTROLS[kind]()
    assert isinstance(button, QAbstractButton)
    window = shown(qtbot, style, palette, button)
    button.setChecked(True)
    accent = palette.color(QPalette.ColorRole.Highlight)
    box = QRect(button.geometry().topLeft(), button.size()).intersected(QRect(20, 0, 14, 10_000))
    found = colours_in(window.grab().toImage(), box)
    assert accent.name() in found
    assert max(contrast(QColor(colour), accent) for colour in found) >= 3


@pytest.mark.parametrize("kind", ["button", "tool button", "field", "number", "check box", "radio button", "choice"])
def test_what_has_the_keyboard_has_a_frame(qtbot, style, kind):
    palette = shown_palette("ours light")
    control, other = CONTROLS[kind](), QLineEdit()
    window = shown(qtbot, style, palette, other, control)
    control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    with qtbot.waitActive(window, timeout=60_000):
        window.activateWindow()
    frame = focus_colour(palette).name()
    other.setFocus(Qt.FocusReason.TabFocusReason)
    assert frame not in colours_in(window.grab().toImage(), control.geometry())
    control.setFocus(Qt.FocusReason.TabFocusReason)
    window.setAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)  # as the key itself does
    assert frame in colours_in(window.grab().toImage(), control.geometry())


def test_the_shown_tab_is_told_by_a_line(qtbot, style):
    palette = shown_palette("ours dark")
    pages = WheelSafeTabWidget()
    for title in ("Left", "Log"):
        pages.addTab(QWidget(), title)
    window = shown(qtbot, style, palette, pages)
    image, tabs = window.grab().toImage(), pages.tabBar()
    shown_tab, other_tab = (tabs.tabRect(at).translated(tabs.mapTo(window, QPoint())) for at in (0, 1))
    assert focus_colour(palette).name() in colours_in(image, shown_tab)
    assert focus_colour(palette).name() not in colours_in(image, other_tab)
    # Both texts stand on one line.
    heights = [
        first_row_with(image, each, palette.color(QPalette.ColorRole.WindowText)) for each in (shown_tab, other_tab)
    ]
    assert heights[0] == heights[1]


def test_nothing_of_ours_moves():
    """So nothing lasts longer than 150 ms, or goes on where the system asks for no motion."""
    sources = [path.read_text(encoding="utf-8") for path in Path(gglib_desktop.__file__).parent.rglob("*.py")]
    assert len(sources) > 100
    assert [name for name in ("Animation", "QTimeLine", "setAnimated") if any(name in text for text in sources)] == []


def test_painting_a_control_takes_little_work(qtbot, style):
    controls = [make() for make in CONTROLS.values()]
    window = shown(qtbot, style, shown_palette("ours light"), *controls)
    window.grab()
    assert calls_of(window.grab) < 140 * len(controls)
