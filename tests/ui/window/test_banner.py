"""The line across the window."""

from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton

from gglib_desktop.domain.documents.settings_document import SettingsNews, UnknownKey
from gglib_desktop.domain.errors import InvalidSettings, LibraryError, SettingProblem, SettingsEffect
from gglib_desktop.views.window.banner import Banner
from tests.ui.finding import child

ERROR = InvalidSettings(
    Path("/home/me/settings.toml"),
    [
        SettingProblem("theme", "must be one of system, light, dark", "purple", 3),
        *(SettingProblem(f"key{number}", "must be text", line=number) for number in range(10, 13)),
    ],
    SettingsEffect.LAST_GOOD,
)


def text(banner: Banner) -> str:
    return child(banner, QLabel, "bannerText").text()


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


def test_a_notice_stands_below_an_error_for_a_while(qtbot):
    banner, timer = shown(qtbot)
    banner.show_text("The disk is full.")
    banner.show_notice("Two servers are back.")
    assert text(banner) == "The disk is full.\nTwo servers are back."
    timer.timeout.emit()
    assert text(banner) == "The disk is full."
    banner.show_notice("Two servers are back.")
    child(banner, QToolButton, "closeBanner").click()
    assert not banner.isVisible()
    banner.show_notice("Three.")
    assert text(banner) == "Three."


def test_what_is_wrong_with_the_settings_file_stands_until_it_is_mended(qtbot):
    banner, _timer = shown(qtbot)
    banner.show_settings_news(SettingsNews(error=ERROR))
    assert text(banner) == (
        "The settings file has an error. The last good settings stay in force. "
        "Line 3: theme must be one of system, light, dark, not “purple”; line 10: key10 must be text; "
        "line 11: key11 must be text and 1 more (/home/me/settings.toml)"
    )
    banner.show_settings_news(SettingsNews(mended=True, changed={("theme",): "dark", ("engine_path",): None}))
    assert text(banner) == (
        "The settings file is in order again. "
        'In force now, from the settings file: theme = "dark", engine_path taken back.'
    )
    banner.show_text("The disk is full.")
    banner.show_settings_news(SettingsNews(mended=True))
    assert text(banner) == "The disk is full.\nThe settings file is in order again."


def test_an_unknown_key_stands_with_the_one_that_was_perhaps_meant(qtbot):
    banner, timer = shown(qtbot)
    banner.show_settings_news(SettingsNews(unknown=(UnknownKey("them", "theme", 2), UnknownKey("plugin"))))
    assert text(banner) == (
        "The settings file has keys that this version does not know and keeps: line 2: them (is theme meant?); plugin."
    )
    assert not timer.isActive()


def test_what_can_be_taken_back_is_taken_back_once_and_only_that(qtbot):
    banner, timer = shown(qtbot)
    undo, done = child(banner, QPushButton, "undo"), []
    banner.show_notice("Two servers are back.")
    assert not undo.isVisibleTo(banner)
    banner.show_notice("Tiny was removed.", undo=lambda: done.append("tiny"))
    usual = timer.interval()
    undo.click()
    assert done == ["tiny"]
    assert text(banner) == ""
    assert not undo.isVisibleTo(banner)
    banner.show_notice("Tiny was removed.", undo=lambda: done.append("tiny again"))
    banner.show_notice("Two servers are back.")
    assert not undo.isVisibleTo(banner)
    assert timer.interval() < usual, "there is time to reach a button"
    banner.show_notice("Tiny was removed.", undo=lambda: done.append("never"))
    timer.timeout.emit()
    assert not undo.isVisibleTo(banner)
    assert done == ["tiny"]
