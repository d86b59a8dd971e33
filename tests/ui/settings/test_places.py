"""The settings' page about places: what is typed is tested, added, renamed and removed."""

from collections.abc import AsyncIterator

import pytest
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QRadioButton, QWidget

from gglib_desktop.domain.documents.places import KindName, PlaceDraft, PlaceField
from gglib_desktop.domain.documents.settings import AppSettings, PlaceSettings
from gglib_desktop.domain.errors import KeyStoreError
from gglib_desktop.services.settings.places import PlacesKeeper
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from gglib_desktop.tasks import LogReporter, TaskScope
from gglib_desktop.viewmodels.settings.places import PlacesViewModel
from gglib_desktop.views.settings.places.page import PlacesPage
from tests.fakes.accessibility import Role, names
from tests.fakes.place_kinds import FakeKind
from tests.fakes.settings import FakeSettingsStore
from tests.fakes.waiting import poll
from tests.ui.finding import assert_all_named, button, child, text

KEPT = {"lab": PlaceSettings(url="there:lab", name="Lab"), "old": PlaceSettings(url="moon:a")}
WEB = {"web": PlaceSettings(url="web:lab", name="Web")}


class Bench:
    """The page over two kinds of places."""

    def __init__(self, qtbot, scope: TaskScope) -> None:
        self.store = FakeSettingsStore(AppSettings(places=KEPT))
        self.engines = FakeKind(fields=frozenset({PlaceField.ENGINE}))
        self.endpoints = FakeKind(KindName.ENDPOINT, "web", frozenset({PlaceField.KEY}))
        self.used: set[str] = set()
        kinds = [self.engines, self.endpoints]
        self.keeper = SettingsKeeper(self.store)
        self.places = PlacesViewModel(PlacesKeeper(self.keeper, kinds, self.used.__contains__), scope)
        self.page = PlacesPage(self.places)
        qtbot.addWidget(self.page)
        self.page.show()
        self.list = child(self.page, QListWidget, "placeList")

    @property
    def lines(self) -> list[str]:
        return rows(self.list)

    async def dialog(self, opener: str) -> QDialog:
        button(self.page, opener).click()
        await poll(lambda: any(each.isVisible() for each in self.page.findChildren(QDialog)))
        return next(each for each in self.page.findChildren(QDialog) if each.isVisible())


def rows(shown: QListWidget) -> list[str]:
    return [shown.item(row).text() for row in range(shown.count())]


def steps(parent: QWidget) -> list[str]:
    return rows(child(parent, QListWidget, "testSteps"))


def is_focus(line: QLineEdit) -> bool:
    window = line.window()
    return window.focusWidget() is line


@pytest.fixture
async def scope() -> AsyncIterator[TaskScope]:
    async with TaskScope(LogReporter()) as scope:
        yield scope


@pytest.fixture
async def bench(qtbot, scope: TaskScope) -> AsyncIterator[Bench]:
    bench = Bench(qtbot, scope)
    yield bench
    bench.places.close()


async def test_the_list_begins_with_this_computer(bench):
    assert bench.lines == [
        "This computer",
        "Lab (Container engine), there:lab",
        "old (unknown to this version), moon:a",
    ]
    assert_all_named(bench.page)
    enabled = {name: button(bench.page, name).isEnabled() for name in ("testPlace", "renamePlace", "removePlace")}
    assert enabled == {"testPlace": False, "renamePlace": False, "removePlace": False}
    bench.list.setCurrentRow(2)
    assert button(bench.page, "removePlace").isEnabled()
    assert not button(bench.page, "testPlace").isEnabled()


async def test_a_place_is_tested_then_added(bench):
    dialog = await bench.dialog("addPlace")
    assert_all_named(dialog)
    assert names(dialog, Role.RadioButton) == ["Container engine", "Endpoint"]
    assert child(dialog, QLineEdit, "placeEngine").isVisible()
    assert not child(dialog, QLineEdit, "placeKey").isVisible()
    assert "root on that machine" in text(dialog, "placeNote")
    child(dialog, QLineEdit, "placeAddress").setText(" there:box ")
    child(dialog, QLineEdit, "placeName").setText("Box")
    bench.engines.gate.clear()
    button(dialog, "placeTest").click()
    await poll(lambda: steps(dialog) == ["Connection: ok"])
    assert text(dialog, "testSaid") == "Testing…"
    bench.engines.gate.set()
    await poll(lambda: steps(dialog) == ["Connection: ok", "Engine: failed"])
    await poll(lambda: text(dialog, "testSaid") == "No such file.")
    button(dialog, "placeAdd").click()
    await poll(lambda: bench.lines[-1] == "Box (Container engine), there:box")
    assert bench.store.settings.places["box"] == PlaceSettings(url="there:box", name="Box")
    await poll(lambda: not bench.page.findChildren(QDialog))


async def test_a_kind_takes_its_own_fields_alone(bench):
    dialog = await bench.dialog("addPlace")
    child(dialog, QLineEdit, "placeEngine").setText("/bin/serve")
    child(dialog, QRadioButton, "placeKind_endpoint").setChecked(True)
    assert child(dialog, QLineEdit, "placeKey").isVisible()
    assert not child(dialog, QLineEdit, "placeEngine").isVisible()
    child(dialog, QLineEdit, "placeAddress").setText("web:lab")
    child(dialog, QLineEdit, "placeKey").setText("secret")
    button(dialog, "placeTest").click()
    await poll(lambda: bench.endpoints.tested == [(PlaceDraft("web:lab", key="secret"), None)])


async def test_what_cannot_be_used_is_said_at_its_field_and_stays(bench):
    dialog = await bench.dialog("addPlace")
    address = child(dialog, QLineEdit, "placeAddress")
    address.setText("elsewhere")
    child(dialog, QLineEdit, "placeName").setFocus()
    for opener in ("placeTest", "placeAdd"):
        button(dialog, opener).click()
        await poll(lambda: child(dialog, QWidget, "addPlaceProblem").isVisible())
        assert "Must begin with there:" in text(dialog, "addPlaceProblemText")
        assert is_focus(address)
        address.setText(address.text() + "!")
        assert not child(dialog, QWidget, "addPlaceProblem").isVisible()
    bench.engines.problem = KeyStoreError("locked")
    address.setText("there:box")
    await poll(button(dialog, "placeAdd").isEnabled)
    button(dialog, "placeAdd").click()
    await poll(lambda: "Locked" in text(dialog, "addPlaceProblemText"))
    assert dialog.isVisible()
    assert bench.store.settings.places == KEPT


async def test_the_key_of_an_endpoint_is_changed(bench):
    bench.list.setCurrentRow(1)
    assert not button(bench.page, "changePlaceKey").isEnabled()
    await bench.keeper.change(places=KEPT | WEB)
    bench.list.setCurrentRow(3)
    dialog = await bench.dialog("changePlaceKey")
    assert_all_named(dialog)
    line = child(dialog, QLineEdit, "placeNewKey")
    assert line.echoMode() is QLineEdit.EchoMode.Password
    bench.endpoints.problem = KeyStoreError("locked")
    line.setText("sk-2")
    button(dialog, "changeKeySave").click()
    await poll(lambda: "Locked" in text(dialog, "changeKeyProblem"))
    bench.endpoints.problem = None
    button(dialog, "changeKeySave").click()
    await poll(lambda: not any(each.isVisible() for each in bench.page.findChildren(QDialog)))
    assert bench.endpoints.keys == {"web": "sk-2"}
    dialog = await bench.dialog("changePlaceKey")
    button(dialog, "changeKeySave").click()
    await poll(lambda: bench.endpoints.keys == {})


async def test_closing_the_dialog_ends_its_test(bench):
    dialog = await bench.dialog("addPlace")
    child(dialog, QLineEdit, "placeAddress").setText("there:box")
    bench.engines.gate.clear()
    button(dialog, "placeTest").click()
    await poll(lambda: steps(dialog) == ["Connection: ok"])
    button(dialog, "placeCancel").click()
    await poll(lambda: bench.engines.ended == 1)


async def test_a_kept_place_is_tested_and_renamed(bench):
    bench.list.setCurrentRow(1)
    button(bench.page, "testPlace").click()
    await poll(lambda: steps(bench.page) == ["Connection: ok", "Engine: failed"])
    assert bench.engines.tested == [(PlaceDraft("there:lab", "Lab"), "lab")]
    bench.list.setCurrentRow(2)
    assert steps(bench.page) == []
    bench.list.setCurrentRow(1)
    dialog = await bench.dialog("renamePlace")
    child(dialog, QLineEdit, "placeNewName").setText("Laboratory")
    button(dialog, "renamePlaceSave").click()
    await poll(lambda: bench.lines[1] == "Laboratory (Container engine), there:lab")
    assert bench.list.currentRow() == 1
    assert list(bench.store.settings.places) == ["lab", "old"]


async def test_after_a_removal_nothing_more_is_removed(bench):
    bench.endpoints.keys["web"] = "sk"
    await bench.keeper.change(places=KEPT | WEB)
    bench.list.setCurrentRow(bench.lines.index("Web (Endpoint), web:lab"))
    button(bench.page, "removePlace").click()
    await poll(lambda: list(bench.store.settings.places) == ["lab", "old"])
    assert bench.list.currentRow() == 0
    assert not button(bench.page, "removePlace").isEnabled()


async def test_the_chosen_place_stays_chosen_while_the_file_is_edited(bench):
    bench.list.setCurrentRow(1)
    await bench.keeper.change(places=WEB | KEPT)
    assert bench.list.currentItem().text() == "Lab (Container engine), there:lab"


async def test_a_place_where_servers_run_is_not_removed(bench):
    bench.engines.keys["lab"] = ""
    bench.used.add("lab")
    bench.list.setCurrentRow(1)
    button(bench.page, "removePlace").click()
    await poll(lambda: text(bench.page, "placesProblem").startswith("Lab cannot be removed while servers run there."))
    bench.used.clear()
    button(bench.page, "removePlace").click()
    await poll(lambda: bench.lines == ["This computer", "old (unknown to this version), moon:a"])
    assert text(bench.page, "placesProblem") == ""
