"""The chat page: what is shown of a conversation, and what its controls do."""

import asyncio
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication, QTextCursor
from PySide6.QtWidgets import QCheckBox, QLabel, QPlainTextEdit, QProgressBar, QPushButton, QWidget

from gglib_desktop.domain.errors import AnswerCut, PictureUnusable, PromptTooLong
from gglib_desktop.domain.servers.states import Stopped
from gglib_desktop.domain.traffic.chat import AnswerEnd, AnswerFigures, AnswerText, Picture, PromptRead
from gglib_desktop.views.servers.chat.link_dialog import LinkDialog
from tests.fakes.accessibility import Role, names, seen_in
from tests.fakes.waiting import poll
from tests.ui.finding import child
from tests.ui.servers.chat.bench import Bench

DONE = AnswerEnd.COMPLETE
HTML = '<b>bold</b> <img src="http://evil.example/x.png"> <a href="http://evil.example/">x</a> &amp; <script>1</script>'


@pytest.fixture
async def bench(qtbot, scope) -> Bench:
    top = QWidget()
    qtbot.addWidget(top)
    return Bench(scope, top)


class Browser(QObject):
    """Stands in for the browser."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.opened.append(url.toString())


@pytest.fixture
def browser() -> Iterator[Browser]:
    browser = Browser()
    for scheme in ("http", "https"):
        QDesktopServices.setUrlHandler(scheme, browser, "open")  # type: ignore[arg-type]  # bytes, it claims
    yield browser
    for scheme in ("http", "https"):
        QDesktopServices.unsetUrlHandler(scheme)


def click(qtbot, widget: QWidget) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def links(bench: Bench) -> dict[str, str]:
    """The addresses in the conversation, by their texts."""
    found: dict[str, str] = {}
    cursor = QTextCursor(bench.conversation.document())
    while not cursor.atEnd():
        cursor.movePosition(QTextCursor.MoveOperation.NextCharacter, QTextCursor.MoveMode.KeepAnchor)
        looks, letter = cursor.charFormat(), cursor.selectedText()
        if looks.isAnchor():
            found[looks.anchorHref()] = found.get(looks.anchorHref(), "") + letter
        cursor.clearSelection()
    return {text: address for address, text in found.items()}


# -- names


async def test_controls_are_called_as_agreed(bench):
    bench.show_state(engine_page="http://127.0.0.1:9000/")
    assert {
        "Send",
        "Stop answer",
        "Attach image…",
        "Regenerate",
        "Copy answer",
        "Clear chat",
        "Open engine page",
    } <= set(names(bench.page, Role.Button))
    seen = {node.name for node in seen_in(bench.page)}
    assert {"Message", "System prompt", "Conversation", "Show reasoning"} <= seen


async def test_figures_are_said_as_agreed(bench):
    await bench.said(0.01, AnswerText("Hi"), AnswerFigures(5, 41.83, 4, 3), DONE)
    figures = child(bench.page, QLabel, "chatFigures")
    assert figures.accessibleName().startswith("Answer: 41.8 tokens per second, first token 0.")
    assert figures.accessibleDescription() == "75 % of the drafts accepted"
    assert figures.isVisible()


async def test_what_was_not_observed_is_not_known(bench):
    await bench.said(AnswerText("H"), AnswerFigures(1), DONE)
    name = child(bench.page, QLabel, "chatFigures").accessibleName()
    assert name.startswith("Answer: speed not known, first token 0.")


# -- the conversation


async def test_a_question_and_its_answer_are_text(bench):
    text = await bench.said(AnswerText(HTML), DONE, question="<i>Hello?</i>")
    assert text.startswith(f"You\n<i>Hello?</i>\nAnswer\n{HTML}\n")
    assert "http://evil.example/x.png" in links(bench)


async def test_code_is_shown_as_such_and_can_be_copied(bench, qtbot):
    await bench.said(AnswerText("Do:\n```py\nprint(1)\n\nprint(2)\n"), AnswerText("```\nDone"), DONE)
    assert "Do:\npy   Copy code\nprint(1)\n\nprint(2)\nDone" in bench.conversation.toPlainText()
    block = bench.conversation.document().find("print(1)").block()
    assert block.begin().fragment().charFormat().font().families()
    assert block.blockFormat().background().style() != Qt.BrushStyle.NoBrush
    bench.conversation.anchorClicked.emit(QUrl(links(bench)["Copy code"]))
    assert QGuiApplication.clipboard().text() == "print(1)\n\nprint(2)\n"


async def test_right_to_left_text_is_right(bench):
    await bench.said(AnswerText("Hello\nمرحبا بالعالم"), DONE)
    document = bench.conversation.document()
    right, left = document.find("مرحبا").block(), document.find("Hello").block()
    assert (right.textDirection(), left.textDirection()) == (
        Qt.LayoutDirection.RightToLeft,
        Qt.LayoutDirection.LeftToRight,
    )
    line = right.layout().lineAt(0)
    assert line.naturalTextRect().right() > bench.conversation.viewport().width() * 0.9


async def test_reasoning_is_folded_until_it_is_asked_for(bench, qtbot):
    text = await bench.said(AnswerText("", "Let me think."), AnswerText("Yes"), DONE)
    assert "Let me think." not in text
    assert "The reasoning is folded." in text
    toggle = child(bench.page, QCheckBox, "showReasoning")
    click(qtbot, toggle)
    assert "Answer\nLet me think.\nYes\n" in await bench.written()
    await bench.said(AnswerText("", "Again"), AnswerText("No"), DONE)
    assert "Answer\nAgain\nNo\n" in await bench.written()


async def test_a_long_answer_is_written_once_and_a_little_at_a_time(bench):
    line = "the weather there is rather wet, so the others gather in the theatre.\n"
    lengths: list[int] = []
    bench.conversation.document().contentsChange.connect(lambda _at, removed, added: lengths.extend((removed, added)))
    text = await bench.said(*(AnswerText(line * 20) for _ in range(75)), DONE)
    assert text.count(line.strip()) == 1500
    assert max(lengths) < 5000
    assert sum(lengths) < 2 * len(text)


async def test_paragraphs_without_an_end_are_divided(bench):
    words = "word " * 2000
    await bench.said(*(AnswerText(words[at : at + 50]) for at in range(0, len(words), 50)), DONE)
    block = bench.conversation.document().find("word").block()
    assert 1000 < len(block.text()) < 5000
    assert bench.chat.conversation.last_answer == words


async def test_the_end_is_followed_unless_the_reader_is_elsewhere(bench):
    bar = bench.conversation.verticalScrollBar()
    await bench.said(AnswerText("line\n" * 200), DONE)
    assert bar.value() == bar.maximum() > 0
    bar.setValue(10)
    await bench.said(AnswerText("line\n" * 200), DONE)
    assert bar.value() == 10
    bar.setValue(bar.maximum())
    await bench.said(AnswerText("line\n" * 200), DONE)
    assert bar.value() == bar.maximum()


async def test_regenerate_takes_the_answer_away(bench, qtbot):
    await bench.said(AnswerText("First"), DONE)
    before = bench.conversation.toPlainText()
    bench.server.pieces = [AnswerText("Second"), DONE]
    click(qtbot, bench.button("regenerate"))
    await poll(lambda: not bench.chat.state.is_answering)
    assert (await bench.written()).replace("Second", "First")[:30] == before[:30]
    assert "First" not in bench.conversation.toPlainText()


async def test_a_page_that_is_made_later_shows_all(bench):
    await bench.said(AnswerText("", "Hm"), AnswerText("Hi"), AnswerFigures(2, 5.0), DONE)
    bench.message.setPlainText("And")
    before = bench.conversation.toPlainText()
    bench.page.hide()
    bench.page = bench.new_page()
    assert await bench.written() == before
    assert bench.message.toPlainText() == "And"


# -- asking


async def test_enter_sends_and_shift_enter_begins_a_line(bench, qtbot):
    bench.server.pieces = [AnswerText("Hi"), DONE]
    qtbot.keyClicks(bench.message, "one")
    qtbot.keyClick(bench.message, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(bench.message, "two")
    height = bench.message.height()
    qtbot.keyClick(bench.message, Qt.Key.Key_Return)
    assert bench.server.asked == []
    await poll(lambda: not bench.chat.state.is_answering)
    assert bench.server.asked[0].messages[0].text == "one\ntwo"
    assert bench.message.toPlainText() == ""
    assert bench.message.height() < height


async def test_the_system_prompt_is_sent(bench):
    child(bench.page, QPlainTextEdit, "chatSystem").setPlainText("Be brief.")
    await bench.said(AnswerText("Hi"), DONE)
    assert bench.server.asked[0].system == "Be brief."


async def test_stop_answer_stops(bench, qtbot):
    bench.server.pieces, bench.server.holds = [AnswerText("Hi")], True
    bench.chat.send("Hello?")
    await poll(lambda: "Hi" in bench.conversation.toPlainText())
    assert not bench.button("chatSend").isEnabled()
    click(qtbot, bench.button("chatStop"))
    await poll(lambda: not bench.chat.state.is_answering)
    assert "stopped" in await bench.written()
    assert bench.server.closed == 1


async def test_what_was_typed_is_kept_when_sending_fails(bench):
    bench.server.error = PromptTooLong("too long", 5019, 1024)
    bench.message.setPlainText("Hello?")
    bench.chat.send(bench.chat.draft)
    await poll(lambda: not bench.chat.state.is_answering)
    assert bench.message.toPlainText() == "Hello?"
    assert await bench.written() == ""
    notice = child(bench.page, QLabel, "chatNotice")
    assert "5019 tokens, and the context has 1024" in notice.text()
    assert notice.isVisible()


async def test_a_server_that_ends_in_mid_answer_is_told(bench):
    bench.server.error = AnswerCut("ended")
    text = await bench.said(AnswerText("Hal"))
    assert "Hal\n" in text
    assert "broken off" in text
    assert "broke off" in child(bench.page, QLabel, "chatNotice").text()


async def test_progress_is_shown_while_the_prompt_is_read(bench):
    bar = child(bench.page, QProgressBar, "chatProgress")
    assert not bar.isVisible()
    bench.server.pieces, bench.server.holds = [PromptRead(512, 2048)], True
    bench.chat.send("Hello?")
    await poll(lambda: bar.maximum() == 2048)
    assert (bar.accessibleName(), bar.value(), bar.isVisible()) == ("Reading prompt", 512, True)
    bench.chat.stop()
    await poll(lambda: not bar.isVisible())


async def test_copy_and_clear(bench, qtbot):
    assert not bench.button("copyAnswer").isEnabled()
    await bench.said(AnswerText("Hi *there*"), DONE)
    click(qtbot, bench.button("copyAnswer"))
    assert QGuiApplication.clipboard().text() == "Hi *there*"
    click(qtbot, bench.button("clearChat"))
    assert bench.conversation.toPlainText() == ""
    assert not bench.button("clearChat").isEnabled()


async def test_a_stopped_server_is_told_and_cannot_be_asked(bench):
    bench.message.setPlainText("Hello?")
    assert bench.button("chatSend").isEnabled()
    bench.show_state(state=Stopped(0.0))
    assert not bench.button("chatSend").isEnabled()
    assert "not running" in child(bench.page, QLabel, "chatNotice").text()


async def test_a_model_without_a_template_is_said_to_be_one(bench):
    note = child(bench.page, QLabel, "chatTemplate")
    assert not note.isVisible()
    bench.show_state(lacks_template=True)
    assert note.isVisible()
    assert "no chat template" in note.text()


# -- links and images


async def test_a_link_opens_after_its_address_was_shown(bench, qtbot, browser):
    await bench.said(AnswerText("See https://bücher.example/a?b=c&d."), DONE)
    (address,) = links(bench).values()
    for answer, opened in (("cancelLink", []), ("openLink", ["https://xn--bcher-kva.example/a?b=c&d"])):
        bench.conversation.anchorClicked.emit(QUrl(address))
        await poll(lambda: bench.page.findChildren(LinkDialog))
        (dialog,) = bench.page.findChildren(LinkDialog)
        assert child(dialog, QLabel, "linkAddress").text() == "https://xn--bcher-kva.example/a?b=c&d"
        click(qtbot, child(dialog, QPushButton, answer))
        await poll(lambda: not bench.page.findChildren(LinkDialog))
        await asyncio.sleep(0)
        assert browser.opened == opened


async def test_the_engines_page_opens_in_the_browser(bench, qtbot, browser):
    assert not bench.button("openEnginePage").isVisible()
    bench.show_state(engine_page="http://127.0.0.1:9000/")
    click(qtbot, bench.button("openEnginePage"))
    assert browser.opened == ["http://127.0.0.1:9000/"]


async def test_images_wait_beside_the_message_and_can_be_taken_away(bench, qtbot):
    bench.chat.attach("cat.png", lambda: Picture(b"", "image/png"))
    await poll(lambda: bench.chat.state.attached)
    assert bench.button("chatSend").isEnabled()
    (remove,) = [each for each in bench.page.findChildren(QPushButton) if each.objectName() == "removeImage1"]
    assert remove.accessibleName() == "Remove image cat.png"
    click(qtbot, remove)
    assert bench.chat.state.attached == ()


async def test_images_of_a_question_are_named(bench):
    bench.chat.attach("cat.png", lambda: Picture(b"", "image/png"))
    await poll(lambda: bench.chat.state.attached)
    assert "Images: cat.png" in await bench.said(AnswerText("A cat"), DONE)


async def test_a_model_without_eyes_takes_no_images(bench):
    bench.show_state(takes_images=False)
    attach = bench.button("attachImage")
    assert not attach.isEnabled()
    assert attach.accessibleDescription() == "This model takes no images."


def refuse() -> Picture:
    raise PictureUnusable("cat.txt", "it is no image")


async def test_a_file_that_is_no_image_is_told(bench):
    bench.chat.attach("cat.txt", refuse)
    await poll(lambda: bench.chat.state.problem)
    assert child(bench.page, QLabel, "chatNotice").text() == "cat.txt cannot be sent as an image. It is no image."


async def test_tab_goes_through_links_and_on(bench, qtbot):
    await bench.said(AnswerText("See https://a.example/ and https://b.example/ there"), DONE)
    system = child(bench.page, QPlainTextEdit, "chatSystem")
    bench.top.activateWindow()
    system.setFocus()
    qtbot.keyClick(system, Qt.Key.Key_Tab)
    assert bench.conversation.hasFocus()
    for address in ("https://a.example/", "https://b.example/"):
        qtbot.keyClick(bench.conversation, Qt.Key.Key_Tab)
        assert bench.conversation.textCursor().selectedText() == address
    chosen: list[str] = []
    bench.conversation.anchorClicked.disconnect()
    bench.conversation.anchorClicked.connect(lambda url: chosen.append(url.toString()))
    qtbot.keyClick(bench.conversation, Qt.Key.Key_Return)
    assert chosen == ["https://b.example/"]
    qtbot.keyClick(bench.conversation, Qt.Key.Key_Tab)
    assert bench.message.hasFocus()
    qtbot.keyClick(bench.message, Qt.Key.Key_Tab)
    assert bench.page.focusWidget() is not bench.message, "Tab is no letter there"


async def test_text_can_be_selected_by_keyboard(bench):
    await bench.said(AnswerText("Hi"), DONE)
    assert bench.conversation.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByKeyboard
    bench.conversation.moveCursor(QTextCursor.MoveOperation.End)
    assert bench.conversation.textCursor().position() > 0
