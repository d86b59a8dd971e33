"""Cards have a color of their own in every theme; text has three sizes that grow with the system's font."""

import pytest
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QVBoxLayout, QWidget

from gglib_desktop.views.look.card import CORNER, GRID, Card
from gglib_desktop.views.look.theme import card_colour, hairline_colour, own_palette
from gglib_desktop.views.look.type_scale import TypeSize, set_type, type_font


@pytest.fixture
def program(qapp: QApplication):
    font = qapp.font()
    yield qapp
    qapp.setFont(font)
    qapp.setPalette(QPalette())


def shown_card(qtbot) -> tuple[QWidget, Card, QLabel]:
    window = QWidget()
    qtbot.addWidget(window)
    card, label = Card(window), QLabel("Healthy")
    layout = QVBoxLayout(card)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(label)
    card.setGeometry(20, 20, 200, 100)
    window.resize(240, 140)
    window.show()
    return window, card, label


def use_palette(qtbot, program: QApplication, window: QWidget, *, dark: bool) -> QPalette:
    """Of the program. Widgets have its colors a turn of the event loop later."""
    program.setPalette(own_palette(dark=dark))
    wanted = program.palette().color(QPalette.ColorRole.Window)
    qtbot.waitUntil(lambda: window.palette().color(QPalette.ColorRole.Window) == wanted, timeout=60_000)
    return program.palette()


@pytest.mark.parametrize("dark", [False, True])
def test_a_card_has_round_corners_one_hairline_and_its_own_color(qtbot, program, dark):
    window, card, _label = shown_card(qtbot)
    palette = use_palette(qtbot, program, window, dark=dark)
    image = window.grab().toImage()
    corner, middle = card.geometry().topLeft(), card.geometry().center()
    assert image.pixelColor(corner) == palette.color(QPalette.ColorRole.Window)
    assert image.pixelColor(middle.x(), corner.y() + CORNER + 3) == card_colour(palette)
    assert image.pixelColor(middle.x(), corner.y()) == hairline_colour(card.palette())
    assert card_colour(palette) != palette.color(QPalette.ColorRole.Window)


def test_what_lies_on_a_card_computes_its_colors_for_the_card(qtbot, program):
    window, _card, label = shown_card(qtbot)
    for dark in (True, False):
        palette = use_palette(qtbot, program, window, dark=dark)
        assert label.palette().color(QPalette.ColorRole.Window) == card_colour(palette)
        assert label.palette().color(QPalette.ColorRole.WindowText) == palette.color(QPalette.ColorRole.WindowText)


def test_a_card_keeps_its_grid_free(qtbot, program):
    _window, card, label = shown_card(qtbot)
    assert card.contentsRect().topLeft().toTuple() == (GRID, GRID)
    assert label.geometry().left() == GRID


@pytest.mark.parametrize("points", [9, 14, 18])
def test_sizes_follow_the_system_s_font(program, points):
    program.setFont(QFont(program.font().family(), points))
    sizes = [type_font(size).pointSizeF() for size in (TypeSize.SMALL, TypeSize.BODY, TypeSize.TITLE)]
    assert sizes == sorted(sizes)
    assert sizes[1] == points
    assert sizes[0] == pytest.approx(points * TypeSize.SMALL.value, abs=0.1)


def test_a_system_font_in_pixels_is_scaled_too(program):
    font = program.font()
    font.setPixelSize(20)
    program.setFont(font)
    assert type_font(TypeSize.TITLE).pixelSize() == 25


def test_digits_of_figures_are_equally_wide(program):
    metrics = QFontMetricsF(type_font(figures=True))
    assert len({metrics.horizontalAdvance(digit) for digit in "0123456789"}) == 1


def test_a_label_takes_its_size_and_weight(qtbot, program):
    label = QLabel()
    qtbot.addWidget(label)
    set_type(label, TypeSize.TITLE, strong=True)
    assert label.font().pointSizeF() > program.font().pointSizeF()
    assert label.font().weight() == QFont.Weight.DemiBold


def test_the_color_of_a_dark_card_is_lighter_than_the_window(program):
    palette = QPalette(own_palette(dark=True))
    assert card_colour(palette).lightness() > palette.color(QPalette.ColorRole.Window).lightness()
    assert card_colour(own_palette(dark=False)) == QColor("#ffffff")
