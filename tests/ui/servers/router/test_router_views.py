"""The page with the models of a router, and the dialog that starts one."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QListWidget, QPushButton, QWidget

from gglib_desktop.domain.servers.router.models import RoutedModel, RoutedState
from gglib_desktop.viewmodels.servers.router.models import RoutedModelsViewModel
from gglib_desktop.views.servers.router.page import ModelsPage
from tests.fakes.library import some_facts
from tests.fakes.routers import FakeRouter
from tests.fakes.waiting import poll
from tests.ui.finding import child


@pytest.fixture
async def router() -> FakeRouter:
    return FakeRouter(
        RoutedModel("Off"),
        RoutedModel("Half", RoutedState.LOADING, 0.5),
        RoutedModel("On", RoutedState.LOADED),
        RoutedModel("Gone", RoutedState.FAILED, exit_status=1),
    )


@pytest.fixture
async def page(router, scope, qtbot):
    routed = RoutedModelsViewModel(lambda: router, scope)
    window = QWidget()
    qtbot.addWidget(window)
    page = ModelsPage(routed, window)
    window.show()
    routed.set_living(True)
    routed.set_shown(True)
    await poll(lambda: routed.state.is_current)
    yield page
    window.close()


def said(page):
    labels = (page.findChild(QLabel, f"routedState{number}") for number in range(1, 9))
    return [label.accessibleName() for label in labels if label is not None and not label.isHidden()]


async def test_each_model_says_its_state_and_offers_what_can_be_done(page, router):
    assert said(page) == ["Off: Unloaded", "Half: Loading, 50 %", "On: Loaded", "Gone: Failed, exit code 1"]
    buttons = {button.accessibleName(): button for button in page.findChildren(QPushButton)}
    enabled = {name for name, button in buttons.items() if button.isEnabled()}
    assert enabled == {"Load Off", "Unload Half", "Unload On", "Load Gone"}
    buttons["Load Gone"].click()
    buttons["Unload On"].click()
    await poll(lambda: router.told == [("load", "Gone"), ("unload", "On")])


async def test_what_is_not_current_can_be_read_and_not_ordered(page, router):
    router.break_off()
    note = child(page, QLabel, "routedNote")
    await poll(lambda: note.text().startswith("The router does not answer."))
    assert not any(button.isEnabled() for button in page.findChildren(QPushButton))


async def test_the_dialog_starts_the_models_that_were_chosen(desk, qtbot):
    await desk.open()
    for name in ("one", "two", "three"):
        path = desk.files.make(f"{name}.gguf", some_facts(name.title()))
        await desk.app.library.add_now((path,))
    dialog = await desk.dialog("start_router")
    models, start = child(dialog, QListWidget, "routerModels"), child(dialog, QPushButton, "routerStart")
    assert [models.item(row).text() for row in range(3)] == ["One", "Three", "Two"]
    assert not start.isEnabled()
    for row in (0, 2):
        models.item(row).setSelected(True)
    states = [models.item(row).checkState() for row in range(3)]
    assert states == [Qt.CheckState.Checked, Qt.CheckState.Unchecked, Qt.CheckState.Checked]
    start.click()
    (server,) = await poll(lambda: desk.supervisor.servers)
    text = server.config.model_path.read_text()
    assert "[One]" in text
    assert "[Two]" in text
    assert "[Three]" not in text
