"""Lines and bars show their values, leave gaps where none was observed, and can be read without seeing them."""

from PySide6.QtGui import QColor, QImage, QPalette
from PySide6.QtWidgets import QApplication

from gglib_desktop.views.charts.line import Sparkline
from gglib_desktop.views.charts.share_bar import ShareBar
from gglib_desktop.views.charts.speed_chart import SpeedChart
from gglib_desktop.views.look.theme import Figure, figure_colour

BACKGROUND = "#f2f3f5"


def painted(line: Sparkline, width: int = 120, height: int = 40) -> QImage:
    line.resize(width, height)
    palette = QPalette(line.palette())
    palette.setColor(QPalette.ColorRole.Window, QColor(BACKGROUND))
    line.setPalette(palette)
    return line.grab().toImage()


def columns_with_ink(image: QImage) -> set[int]:
    empty = QColor(BACKGROUND)
    return {x for x in range(image.width()) if any(image.pixelColor(x, y) != empty for y in range(image.height()))}


def sparkline(qtbot, values) -> Sparkline:
    line = Sparkline(12)
    qtbot.addWidget(line)
    line.show_values(values)
    return line


def test_the_newest_value_is_at_the_right_end_and_nothing_is_where_no_value_was(qtbot):
    columns = columns_with_ink(painted(sparkline(qtbot, (5.0, 5.0, 5.0))))
    assert max(columns) == 119
    assert min(columns) > 90


def test_a_gap_stays_a_gap(qtbot):
    columns = columns_with_ink(painted(sparkline(qtbot, (5.0, 5.0, *[None] * 8, 5.0, 5.0))))
    assert {0, 119} <= columns
    assert not columns & set(range(20, 100))


def test_a_single_value_can_be_seen(qtbot):
    assert columns_with_ink(painted(sparkline(qtbot, (5.0, None, None))))


def test_without_values_nothing_is_painted(qtbot):
    assert not columns_with_ink(painted(sparkline(qtbot, ())))


def test_a_longer_line_shows_its_end(qtbot):
    line = sparkline(qtbot, (100.0, *[1.0] * 12))
    assert line.top == 1.0


def test_the_chart_says_what_it_shows(qtbot):
    chart = SpeedChart()
    qtbot.addWidget(chart)
    chart.show_values((None, 10.0, 20.0, 30.0, 42.0))
    assert chart.accessibleName() == "Speed chart"
    assert chart.accessibleDescription() == "42.0 tokens per second, rising"
    assert columns_with_ink(painted(chart, 300, 90))


def test_a_share_fills_its_part_of_the_bar(qtbot, qapp: QApplication):
    bar = ShareBar(Figure.MEMORY)
    qtbot.addWidget(bar)
    bar.resize(100, 8)
    bar.show_share(0.25)
    image = bar.grab().toImage()
    filled: QColor = figure_colour(Figure.MEMORY, bar.palette())
    assert image.pixelColor(20, 4) == filled
    assert image.pixelColor(30, 4) != filled


def test_a_share_beyond_the_whole_is_the_whole(qtbot):
    bar = ShareBar(Figure.MEMORY)
    qtbot.addWidget(bar)
    bar.show_share(1.7)
    assert bar.share == 1.0
