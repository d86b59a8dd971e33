"""Alt and a letter means one thing in each menu and on each page of a dialog."""

from collections import Counter
from collections.abc import Iterable

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QAbstractButton, QDialog, QLabel, QMenu, QTabWidget


def _twice(texts: Iterable[str]) -> set[str]:
    keys = Counter(QKeySequence.mnemonic(text).toString() for text in texts)
    return {key for key, count in keys.items() if key and count > 1}


def _texts(dialog: QDialog) -> list[str]:
    tabs = [bar.tabText(index) for bar in dialog.findChildren(QTabWidget) for index in range(bar.count())]
    buttons = [button.text() for button in dialog.findChildren(QAbstractButton) if button.isVisible()]
    labels = [label.text() for label in dialog.findChildren(QLabel) if label.isVisible() and label.buddy() is not None]
    return tabs + buttons + labels


async def test_in_each_menu(desk):
    await desk.open()
    menus = [desk.window.menuBar(), *desk.window.findChildren(QMenu)]
    assert len(menus) > 5
    for menu in menus:
        assert not _twice(entry.text() for entry in menu.actions()), menu.actions()[0].text()


@pytest.mark.parametrize("name", ["settings", "start_with", "details", "paste_command"])
async def test_in_each_dialog(desk, name):
    await desk.open()
    await desk.add()
    dialog = await desk.dialog(name)
    pages = dialog.findChild(QTabWidget)
    for page in range(pages.count() if pages else 1):
        if pages:
            pages.setCurrentIndex(page)
        assert not _twice(_texts(dialog)), page
    dialog.reject()
