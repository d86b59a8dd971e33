"""What painting the rows of the model list takes, and that it is the same whatever was painted before."""

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QTableView

from tests.fakes.accessibility import Role, get
from tests.fakes.counted import calls_of
from tests.fakes.library import some_facts
from tests.ui.conftest import Desk

ROWS = 8
# Of our functions and of Qt's, a few more or less from one Python to the next. It was 234 once, and is 153 now.
MOST_CALLS_PER_ROW = 190


@pytest.fixture
async def table(desk: Desk) -> QTableView:
    await desk.open()
    for number in range(ROWS):
        await desk.add(f"Model {number}", some_facts(f"Model {number}", quantisation="Q4_K_M", mtp_layers=1))
    desk.models.search("model")
    found = get(desk.window, "Models", Role.Table)
    assert isinstance(found, QTableView)
    return found


async def test_a_row_is_painted_with_little_work(table):
    table.viewport().grab()
    calls = calls_of(table.viewport().grab)
    assert calls < MOST_CALLS_PER_ROW * ROWS


async def test_another_theme_and_another_font_are_painted_at_once(table):
    before = table.viewport().grab().toImage()
    palette = QPalette(table.palette())
    palette.setColor(QPalette.ColorRole.Text, QColor("#c00000"))
    table.setPalette(palette)
    colored = table.viewport().grab().toImage()
    assert colored != before
    font = table.font()
    font.setItalic(True)
    table.setFont(font)
    assert table.viewport().grab().toImage() != colored
