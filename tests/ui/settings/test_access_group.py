"""The settings' page about the key."""

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from shiboken6 import delete
from typing_extensions import override

from gglib_desktop.adapters.keys.key_store import KeptKey
from gglib_desktop.domain.servers.access import KeyPlace
from gglib_desktop.viewmodels.settings.settings_form import AccessViewModel
from gglib_desktop.views.settings.access_group import AccessGroup
from tests.fakes.waiting import poll, tasks_done
from tests.ui.finding import child


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "api-key"


@pytest.fixture
async def group(qtbot, scope, file) -> AccessGroup:
    group = AccessGroup(AccessViewModel(KeptKey(file), scope))
    qtbot.addWidget(group)
    group.show()
    await poll(lambda: str(file) in said(group, "keyPlace"))
    return group


def said(group: AccessGroup, name: str) -> str:
    return child(group, QLabel, name).text()


def press(qtbot, group: AccessGroup, name: str) -> None:
    qtbot.mouseClick(child(group, QPushButton, name), Qt.MouseButton.LeftButton)


async def test_it_says_where_the_key_is_and_copies_it(group, file, qtbot):
    assert "only you can read" in said(group, "keyPlace")
    assert not file.exists(), "looking makes no key"
    press(qtbot, group, "copyAccessKey")
    await poll(lambda: said(group, "keyNews") == "Copied.")
    assert QApplication.clipboard().text() == file.read_text().strip()


async def test_a_new_key_is_made_after_a_question(group, file, qtbot):
    file.write_text("old-key\n")
    press(qtbot, group, "newKey")
    press(qtbot, group, "newKeyCancel")
    assert file.read_text() == "old-key\n"
    await poll(lambda: group.findChild(QPushButton, "newKeyMake") is None)
    press(qtbot, group, "newKey")
    press(qtbot, group, "newKeyMake")
    await poll(lambda: "until they are restarted" in said(group, "keyNews"))
    assert file.read_text() != "old-key\n"


async def test_trouble_is_told_where_it_happened(group, file, qtbot):
    file.write_text("two words\n")
    press(qtbot, group, "copyAccessKey")
    await poll(lambda: "holds no key that can be used" in said(group, "keyNews"))


class SlowKeys(KeptKey):
    """A keyring that waits for its password."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self.unlocked = asyncio.Event()

    @override
    async def where(self) -> KeyPlace:
        await self.unlocked.wait()
        return await super().where()


async def test_the_settings_may_be_closed_while_the_keyring_is_locked(qapp, scope, file):
    keys = SlowKeys(file)
    group = AccessGroup(AccessViewModel(keys, scope))
    await asyncio.sleep(0)
    delete(group)
    keys.unlocked.set()
    await tasks_done("look where")
