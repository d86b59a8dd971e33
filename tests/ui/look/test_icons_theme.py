"""Icons follow the palette and are sharp; themes give readable colours; states differ by colour and by shape."""

import gc

import pytest
from PySide6.QtCore import QRect, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QImage, QPainter, QPalette, QPixmap
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QApplication, QPushButton

from gglib_desktop.domain.documents.settings import Theme
from gglib_desktop.domain.servers.states import Ended, Running, Starting, Stopping, Unreachable
from gglib_desktop.views.look.icons import app_icon, colored_state_icon, icon, paint_icon
from gglib_desktop.views.look.resources import resource
from gglib_desktop.views.look.style import LookStyle
from gglib_desktop.views.look.theme import is_dark, mended, own_palette, quiet_colour, state_colour, state_icon
from gglib_desktop.views.look.theming import apply_theme
from tests.ui.look.palettes import contrast, system_palette

STATE_WORDS = [state.word for state in (Starting, Stopping, Unreachable, *Running.__args__, *Ended.__args__)]
Role, Group = QPalette.ColorRole, QPalette.ColorGroup


@pytest.fixture(autouse=True)
def palette_put_back(qapp: QApplication):
    yield
    qapp.setPalette(QPalette())


def colours_of(pixmap: QPixmap) -> set[str]:
    """The colours of its opaque pixels."""
    image = pixmap.toImage()
    pixels = (image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height()))
    return {pixel.name() for pixel in pixels if pixel.alpha() == 255}


def painted(palette: QPalette) -> QPalette:
    QApplication.setPalette(palette)
    return palette


# -- icons


def test_a_missing_resource_says_so():
    with pytest.raises(FileNotFoundError):
        resource("icons/no such icon.svg")


@pytest.mark.parametrize("dark", [False, True])
def test_an_icon_has_the_colour_of_button_text_in_the_palette_of_the_moment(qapp, dark):
    stop = icon("stop")
    palette = painted(own_palette(dark=dark))
    assert colours_of(stop.pixmap(16, 16)) == {palette.color(Role.ButtonText).name()}
    assert colours_of(stop.pixmap(QSize(16, 16), 1.0, QIcon.Mode.Disabled)) == {
        palette.color(Group.Disabled, Role.ButtonText).name()
    }
    assert colours_of(stop.pixmap(QSize(16, 16), 1.0, QIcon.Mode.Selected)) == {
        palette.color(Role.HighlightedText).name()
    }


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0, 3.0])
def test_an_icon_is_drawn_in_device_pixels(qapp, ratio):
    pixmap = icon("start").pixmap(QSize(16, 16), ratio)
    assert pixmap.size() == QSize(16, 16) * ratio
    assert pixmap.devicePixelRatio() == ratio


def test_an_icon_painted_at_twice_the_scale_is_not_blown_up(qapp):
    def shades(scale: float) -> int:
        image = QImage(64, 64, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.white)
        image.setDevicePixelRatio(scale)
        painter = QPainter(image)
        paint_icon(painter, QRect(0, 0, round(64 / scale), round(64 / scale)), "restart", QColor("black"))
        painter.end()
        return sum(image.pixelColor(x, y).name() not in {"#000000", "#ffffff"} for x in range(64) for y in range(64))

    assert shades(2.0) == shades(1.0)


def test_an_icon_in_a_flat_rectangle_stays_square_and_in_its_middle(qapp):
    image = QImage(60, 20, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    paint_icon(painter, QRect(0, 0, 60, 20), "state-healthy", QColor("#123456"))
    paint_icon(painter, QRect(0, 0, 0, 0), "state-healthy", QColor("#123456"))
    painter.end()
    opaque = [(x, y) for x in range(60) for y in range(20) if image.pixelColor(x, y).alpha()]
    assert min(x for x, _ in opaque) >= 20
    assert max(x for x, _ in opaque) < 40
    assert image.pixelColor(30, 10).name() == "#123456"


def test_the_same_name_gives_the_same_icon():
    assert icon("start") is icon("start")


def test_the_icon_of_a_state_has_its_color_and_can_be_read_where_it_is_selected(qapp):
    painted = colored_state_icon("Healthy")
    palette = QGuiApplication.palette()
    for mode, expected in (
        (QIcon.Mode.Normal, state_colour("Healthy", palette)),
        (QIcon.Mode.Selected, palette.color(QPalette.ColorRole.HighlightedText)),
    ):
        image = painted.pixmap(QSize(32, 32), mode).toImage()
        assert expected in [image.pixelColor(x, y) for x in range(32) for y in range(32)]


def test_icons_outlive_the_variables_that_held_them(qtbot):
    button = QPushButton("Stop")
    qtbot.addWidget(button)
    button.setIcon(icon("stop"))
    copy = QIcon(icon("stop"))
    copy.addPixmap(QPixmap(4, 4))  # detaches: the engine is cloned
    gc.collect()
    assert not button.grab().isNull()
    assert not copy.pixmap(16, 16).isNull()


def test_the_program_s_icon_is_colourful(qapp):
    assert len(colours_of(app_icon().pixmap(64, 64))) > 50


def test_each_state_has_a_shape_of_its_own(qapp):
    drawings = {bytes(icon(state_icon(word)).pixmap(24, 24).toImage().constBits()) for word in STATE_WORDS}
    assert len(drawings) == len(STATE_WORDS) == 11


# -- colours


@pytest.mark.parametrize("dark", [False, True])
def test_our_palettes_are_strong_where_most_is_read(qapp, dark):
    palette = own_palette(dark=dark)
    assert is_dark(palette) is dark
    for text, background in (
        (Role.WindowText, Role.Window),
        (Role.Text, Role.Base),
        (Role.Text, Role.AlternateBase),
        (Role.ButtonText, Role.Button),
        (Role.ToolTipText, Role.ToolTipBase),
    ):
        assert contrast(palette.color(text), palette.color(background)) >= 7, (text, background)


# -- themes. The offscreen platform does not heed setColorScheme: what is seen here is our own correction.


@pytest.mark.parametrize(("theme", "dark"), [(Theme.DARK, True), (Theme.LIGHT, False)])
def test_a_theme_is_in_force_after_one_turn_of_the_event_loop(qtbot, qapp, theme, dark):
    qapp.setPalette(own_palette(dark=not dark))
    apply_theme(qapp, theme)
    qtbot.waitUntil(lambda: is_dark(qapp.palette()) is dark, timeout=60_000)
    assert isinstance(qapp.style(), LookStyle)


def test_the_last_of_two_quick_choices_wins(qtbot, qapp):
    apply_theme(qapp, Theme.DARK)
    apply_theme(qapp, Theme.LIGHT)
    apply_theme(qapp, Theme.DARK)
    qtbot.waitUntil(lambda: is_dark(qapp.palette()), timeout=60_000)


def test_a_platform_without_colours_of_its_own_gets_ours(qtbot, qapp):
    apply_theme(qapp, Theme.DARK)
    qtbot.waitUntil(lambda: is_dark(qapp.palette()), timeout=60_000)
    apply_theme(qapp, Theme.SYSTEM)
    qtbot.waitUntil(lambda: not is_dark(qapp.palette()), timeout=60_000)
    assert qapp.palette() == own_palette(dark=False)


def test_colours_of_a_platform_are_kept_as_far_as_they_can_be_read(qtbot, qapp):
    system = system_palette("GNOME dark")
    qapp.setPalette(system)
    apply_theme(qapp, Theme.DARK)
    qtbot.waitUntil(lambda: qapp.palette() != system, timeout=60_000)
    assert qapp.palette() == mended(system)


def test_a_palette_that_fits_the_theme_and_can_be_read_is_left_alone(qtbot, qapp):
    own = own_palette(dark=True)
    own.setColor(Role.Window, QColor("#101418"))
    qapp.setPalette(own)
    changed = QSignalSpy(qapp.paletteChanged)
    apply_theme(qapp, Theme.DARK)
    later: list[bool] = []
    QTimer.singleShot(0, lambda: later.append(True))  # after the turn in which a theme is put in force
    qtbot.waitUntil(lambda: bool(later), timeout=60_000)
    assert changed.count() == 0
    assert qapp.palette().color(Role.Window).name() == "#101418"


@pytest.mark.parametrize("palette", [own_palette(dark=False), own_palette(dark=True), QPalette(QColor("#333"))])
def test_quiet_text_can_be_read_and_is_not_as_strong_as_text(qapp, palette):
    base = palette.color(Role.Base)
    assert 4.5 <= contrast(quiet_colour(palette), base) < contrast(palette.color(Role.Text), base)


def test_a_palette_without_contrast_to_spare_keeps_its_text_colour(qapp):
    palette = QPalette()
    palette.setColor(Role.Base, QColor("#ffffff"))
    palette.setColor(Role.Text, QColor("#707070"))
    assert quiet_colour(palette) == QColor("#707070")
