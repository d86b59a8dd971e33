"""How large windows begin."""

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from gglib_desktop.views.widgets.layout.room import resize_within_screen


@pytest.mark.parametrize(("width", "height"), [(300, 200), (300, 9000), (9000, 200), (9000, 9000)])
def test_no_window_begins_larger_than_its_screen(qtbot, width, height):
    window = QWidget()
    qtbot.addWidget(window)
    resize_within_screen(window, QSize(width, height))
    room = window.screen().availableSize()
    assert (window.width() < room.width(), window.height() < room.height()) == (True, True)
    assert (window.width() == width, window.height() == height) == (width < 9000, height < 9000)
