"""The line across the window."""

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel

from gglib_desktop.domain.errors import LibraryError
from gglib_desktop.views.banner import Banner
from tests.ui.finding import child


def shown(qtbot) -> tuple[Banner, QTimer]:
    banner = Banner()
    qtbot.addWidget(banner)
    timer = banner.findChild(QTimer)
    assert timer is not None
    return banner, timer


def test_a_notice_goes_by_itself(qtbot):
    banner, timer = shown(qtbot)
    banner.show_notice("Two servers are back.")
    assert child(banner, QLabel, "bannerText").text() == "Two servers are back."
    assert timer.isActive()
    assert timer.isSingleShot()
    timer.timeout.emit()
    assert not banner.isVisible()


def test_an_error_after_a_notice_stays(qtbot):
    banner, timer = shown(qtbot)
    banner.show_notice("Two servers are back.")
    banner.show_error(LibraryError("the disk is full"))
    assert not timer.isActive()
    assert banner.isVisible()
