"""What ssh asks is shown in front of everything, one question after the other, and answered by the user alone."""

import asyncio

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLineEdit, QPushButton
from shiboken6 import isValid

from gglib_desktop.domain.documents.ssh_questions import ChangedHostKey, HostKeyQuestion, SecretQuestion
from tests.fakes.waiting import poll
from tests.ui.finding import assert_all_named, button, child, click, text

UNKNOWN = HostKeyQuestion("gpu-box", "[10.0.0.7]:22", "ED25519", "SHA256:7NopTe1c")
SECRET = SecretQuestion("gpu-box", "Enter passphrase for key '<b>id</b>':")
CHANGED = ChangedHostKey("gpu-box", "SHA256:bzY8P0t")


class User:
    """Looks at the dialog that is shown."""

    def __init__(self, desk) -> None:
        self._desk = desk
        self.questions = desk.app.questions

    def shown(self) -> list[QDialog]:
        return [each for each in self._desk.window.findChildren(QDialog) if each.isVisible()]

    async def sees(self, title: str) -> QDialog:
        await poll(lambda: title in [each.windowTitle() for each in self.shown()])
        return next(each for each in self.shown() if each.windowTitle() == title)

    async def sees_nothing(self) -> None:
        await poll(lambda: not self.shown())


@pytest.fixture
def user(desk):
    return User(desk)


@pytest.mark.parametrize(("pressed", "trusted"), [("hostKeyTrust", True), ("hostKeyCancel", False)])
async def test_an_unknown_host_key_is_trusted_or_not(user, qtbot, pressed, trusted):
    asked = asyncio.ensure_future(user.questions.trusts(UNKNOWN))
    dialog = await user.sees("Unknown host key")
    assert text(dialog, "fingerprint") == "Fingerprint: SHA256:7NopTe1c"
    assert "[10.0.0.7]:22" in text(dialog, "hostKeyHost")
    assert "gpu-box" in text(dialog, "hostKeyText")
    assert {each.text() for each in dialog.findChildren(QPushButton)} == {"Trust", "Cancel"}
    assert_all_named(dialog)
    click(qtbot, dialog, pressed)
    assert await asked is trusted
    await user.sees_nothing()


async def test_enter_trusts_nothing(user, qtbot):
    asked = asyncio.ensure_future(user.questions.trusts(UNKNOWN))
    dialog = await user.sees("Unknown host key")
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert not await asked


async def test_a_changed_host_key_can_only_be_closed(user, qtbot):
    user.questions.tell(CHANGED)
    user.questions.tell(CHANGED)  # the next attempt
    dialog = await user.sees("Host key changed")
    assert text(dialog, "fingerprint") == "Fingerprint: SHA256:bzY8P0t"
    assert [each.text() for each in dialog.findChildren(QPushButton)] == ["Close"]
    click(qtbot, dialog, "hostKeyClose")
    await user.sees_nothing()
    await poll(lambda: user.questions.current is None)


async def test_a_changed_host_key_without_its_fingerprint(user):
    user.questions.tell(ChangedHostKey("gpu-box", ""))
    dialog = await user.sees("Host key changed")
    assert dialog.findChild(object, "fingerprint") is None
    dialog.reject()


@pytest.mark.parametrize(("pressed", "answer"), [("passphraseOk", "sesame"), ("passphraseCancel", None)])
async def test_a_passphrase_is_typed_unseen(user, qtbot, pressed, answer):
    asked = asyncio.ensure_future(user.questions.secret(SECRET))
    dialog = await user.sees("Passphrase")
    line = child(dialog, QLineEdit, "passphrase")
    assert line.echoMode() is QLineEdit.EchoMode.Password
    assert text(dialog, "passphraseText") == SECRET.text
    assert_all_named(dialog)
    qtbot.keyClicks(line, "sesame")
    click(qtbot, dialog, pressed)
    assert await asked == answer


async def test_questions_wait_for_each_other(user, qtbot):
    first = asyncio.ensure_future(user.questions.trusts(UNKNOWN))
    dialog = await user.sees("Unknown host key")
    second = asyncio.ensure_future(user.questions.secret(SECRET))
    await asyncio.sleep(0)
    user.questions.tell(CHANGED)
    assert user.shown() == [dialog]
    click(qtbot, dialog, "hostKeyTrust")
    assert await first
    passphrase = await user.sees("Passphrase")
    assert user.shown() == [passphrase]
    button(passphrase, "passphraseCancel").click()
    assert await second is None
    (await user.sees("Host key changed")).reject()
    await user.sees_nothing()


async def test_a_question_that_is_taken_back_leaves_the_screen(user):
    asked = asyncio.ensure_future(user.questions.trusts(UNKNOWN))
    waits = asyncio.ensure_future(user.questions.secret(SECRET))
    await user.sees("Unknown host key")
    waits.cancel()
    asked.cancel()
    await user.sees_nothing()
    assert user.questions.current is None


async def test_a_question_that_is_taken_back_at_once_is_never_shown(user):
    (await _shown_once(user)).reject()
    asked = asyncio.ensure_future(user.questions.trusts(UNKNOWN))
    await asyncio.sleep(0)
    asked.cancel()
    await asyncio.wait({asked})
    await user.sees_nothing()


async def _shown_once(user: User) -> QDialog:
    user.questions.tell(CHANGED)
    return await user.sees("Host key changed")


async def test_a_question_comes_in_front_of_an_open_dialog_and_goes_with_it(desk, user):
    await desk.open()
    settings = await desk.dialog("settings")
    asked = asyncio.ensure_future(user.questions.trusts(UNKNOWN))
    dialog = await user.sees("Unknown host key")
    assert dialog.parent() is settings
    settings.reject()
    assert not await asked
    await poll(lambda: not isValid(dialog))
