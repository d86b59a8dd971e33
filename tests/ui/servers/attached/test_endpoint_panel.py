"""The panel of an endpoint, as a user and a screen reader find it."""

from dataclasses import dataclass

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QTabWidget, QWidget

from gglib_desktop.domain.documents.settings import EndpointSettings
from gglib_desktop.domain.endpoints.look import EndpointLook, Trouble
from gglib_desktop.domain.traffic.chat import AnswerText
from gglib_desktop.services.endpoints.endpoints import Endpoints
from gglib_desktop.views.servers.attached.panel import EndpointPanel
from tests.fakes.accessibility import seen_in
from tests.fakes.chats import ScriptedChats
from tests.fakes.endpoints import FakeClient, FakeEngine, FakeKeys
from tests.fakes.waiting import poll
from tests.ui.conftest import Desk

MAC = EndpointSettings(url="http://mac:8000/v1", name="Mac")


@dataclass
class Room:
    """The window with one endpoint."""

    desk: Desk
    client: FakeClient
    keys: FakeKeys
    endpoints: Endpoints

    def becomes(self, look: EndpointLook) -> None:
        """And is looked at now."""
        self.client.answer = look
        self.endpoints.look(1)

    @property
    def panel(self) -> EndpointPanel:
        (panel,) = self.desk.window.findChildren(EndpointPanel)
        return panel

    def shown(self) -> set[str]:
        return {node.name for node in seen_in(self.panel) if node.shown and node.name}

    async def says(self, text: str) -> None:
        await poll(lambda: text in self.shown())

    def action(self, name: str) -> QAction:
        action = self.desk.window.findChild(QAction, name)
        assert action is not None
        return action


@pytest.fixture
async def room(desk: Desk) -> Room:
    client, keys = FakeClient(engine=FakeEngine()), FakeKeys({"mac": "sk-1"})
    await desk.settings.change(endpoints={"mac": MAC})
    endpoints = Endpoints(desk.settings, keys, client, desk.scope)
    desk.app.servers.attached.watch(endpoints)
    room = Room(desk, client, keys, endpoints)
    await room.says("Health: Healthy")
    return room


def button(top: QWidget, name: str) -> QPushButton:
    found = top.findChild(QPushButton, name)
    assert found is not None
    return found


async def test_it_has_detach_and_nothing_that_starts_or_stops(room):
    await room.says("Activity: 0 of 2 slots")
    shown = room.shown()
    assert {"Port: 8000", "Endpoint: http://mac:8000/v1", "Copy endpoint", "Copy key", "Detach"} <= shown
    assert {"Context: 4096 tokens", "Slots: 2", "First token: this endpoint does not tell"} <= shown
    assert not shown & {"Stop", "Start", "Restart", "Dismiss", "Kill now", "RAM: not known"}
    tabs = room.panel.findChild(QTabWidget, "pages")
    assert [tabs.tabText(index) for index in range(tabs.count())] == ["Overview", "Chat"]
    assert room.desk.app.servers.totals.running == 0, "it is no process of ours"
    for name in ("stop", "restart", "apply", "show_log", "stop_all", "copy_command_line"):
        assert not room.action(name).isEnabled(), name


async def test_one_of_no_known_kind_does_not_tell(room):
    room.client.engine = None
    room.becomes(EndpointLook(models=("other",)))
    await room.says("Generation: this endpoint does not tell")
    assert {"Context: this endpoint does not tell", "Slots: this endpoint does not tell"} <= room.shown()
    assert {"Activity: unknown", "Speed: not known"} <= room.shown()


@pytest.mark.parametrize(
    ("look", "word", "sentence"),
    [
        (EndpointLook(Trouble.REFUSED), "Unreachable", "It cannot be reached: nothing listens at its address."),
        (EndpointLook(Trouble.KEY_REFUSED, "401"), "Not authorized", "This program is not authorized: "),
        (
            EndpointLook(Trouble.HTML),
            "Answers nonsense",
            "It answers nonsense: a web page instead of a list of models.",
        ),
        (
            EndpointLook(Trouble.REDIRECT, "https://b/v1"),
            "Answers nonsense",
            "It answers with a redirect to https://b/v1, which is not followed.",
        ),
        (
            EndpointLook(Trouble.CERTIFICATE, "self-signed certificate"),
            "Unreachable",
            "It is not used, because its certificate is not trusted: self-signed certificate. Nothing was sent to it.",
        ),
    ],
)
async def test_what_was_observed(room, look, word, sentence):
    room.becomes(look)
    await room.says(f"Health: {word}")
    await room.says("Generation: not known")
    trouble = room.panel.findChild(QLabel, "trouble")
    assert sentence in trouble.text()
    badge = room.panel.findChild(QLabel, "health")
    assert sentence in badge.accessibleDescription()


async def test_one_of_several_models_is_chosen_for_chats_and_programs(room):
    combo = room.panel.findChild(QComboBox, "endpointModel")
    await poll(lambda: combo.count() == 2)
    assert [combo.currentText(), combo.isEnabled()] == ["big", True]
    combo.setCurrentText("small")
    await poll(lambda: room.desk.app.servers.attached.panels[-1].state.client_name == "small")
    room.action("copy_for_curl").trigger()
    copied = QGuiApplication.clipboard().text()
    assert "http://mac:8000/v1/chat/completions" in copied
    assert '"model": "small"' in copied
    assert "sk-1" not in copied


async def test_a_chat(room):
    room.client.engine = None
    room.becomes(EndpointLook(models=("other",)))
    room.client.pieces = [AnswerText("Good morning.")]
    await room.says("Generation: this endpoint does not tell")
    chat = room.desk.app.servers.attached.panels[-1].chat
    chat.send("Hello")
    await poll(lambda: chat.state.has_answer and not chat.state.is_answering)
    assert chat.conversation.last_answer == "Good morning."
    ((address, request),) = room.client.chats
    assert (address.key, request.model) == ("sk-1", "other")


async def test_detach_removes_it_with_its_key(room, qtbot):
    qtbot.mouseClick(button(room.panel, "detach"), Qt.MouseButton.LeftButton)
    await poll(lambda: not room.desk.app.servers.attached.panels)
    assert room.desk.settings.current.endpoints == {}
    assert room.keys.kept == {}
    qtbot.mouseClick(button(room.desk.window, "undo"), Qt.MouseButton.LeftButton)
    await poll(lambda: -2 in room.desk.app.servers.attached.panels)
    assert room.desk.settings.current.endpoints == {"mac": MAC}
    assert room.keys.kept == {"mac": "sk-1"}


async def test_detach_ends_an_answer(room):
    chats = ScriptedChats(pieces=[AnswerText("Good")], holds=True)
    room.client.engine.chat = lambda _server, request: chats(request)
    chat = room.desk.app.servers.attached.panels[-1].chat
    chat.send("Hello")
    await poll(lambda: chats.asked)
    room.action("dismiss").trigger()
    await poll(lambda: chats.closed)


async def test_the_menu_detaches_too(room):
    assert room.action("dismiss").text().replace("&", "") == "Detach"
    room.action("dismiss").trigger()
    await poll(lambda: not room.desk.app.servers.attached.panels)
    assert room.action("dismiss").text().replace("&", "") == "Dismiss"


async def test_servers_of_our_own_stand_above_it(room):
    model = await room.desk.add()
    server_id = room.desk.start(model)
    await room.desk.healthy(server_id)
    own = await poll(lambda: room.desk.panel("Tiny"))
    assert own.y() < room.panel.y()
    room.action("next_server").trigger()
    assert room.desk.app.servers.current.id in {server_id, -1}
