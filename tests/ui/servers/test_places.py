"""Two places in one window: simulated servers of this computer, and real ones in a network namespace."""

import os
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtWidgets import QComboBox

from gglib_desktop.adapters.engines.llama_cpp.driver import LlamaCppDriver
from gglib_desktop.adapters.runner.announced_servers import Site
from gglib_desktop.domain.documents.settings import OnQuit, PlaceSettings
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.views.launch.option_form import OptionForm
from tests.contract.harness import CATALOG
from tests.fakes.accessibility import Role, names
from tests.fakes.library import some_facts
from tests.fakes.namespace_place import NamespacePlace, refusal
from tests.fakes.waiting import poll
from tests.ui.conftest import Desk
from tests.ui.finding import child

pytestmark = pytest.mark.llama
ATTIC = PlaceSettings(url="podman:llama", name="The attic")


@pytest.fixture
async def spread(desk: Desk, engine_path: Path, tiny_model: Path, tmp_path: Path) -> Desk:
    if why := refusal():
        pytest.skip(f"the kernel gives no network namespace: {why}")
    await desk.open()
    # It shares the program's files, as container engines do.
    place = NamespacePlace(tmp_path / "data", environment=dict(os.environ), in_thread=desk.runner._threads.run)
    await desk.runner.add_place(
        "attic", Site(place, {"llama.cpp": LlamaCppDriver(partial(CATALOG.inspect, engine_path))})
    )
    await desk.settings.change(places={"attic": ATTIC})
    desk.files.know(tiny_model, some_facts("Tiny"))
    await desk.app.library.add_now((tiny_model,))
    return desk


async def test_a_model_of_this_computer_starts_at_the_place_that_was_chosen(spread):
    (model,) = spread.library.models
    elsewhere = LaunchOptions(place="attic", threads=1, context_size=256)
    there = await spread.launcher.start(model.id, elsewhere)
    panel = await spread.panel_in("Tiny", "Healthy")
    assert "Place: The attic" in names(panel, Role.StaticText)
    here = await spread.launcher.start(model.id, another=True)
    other = await spread.panel_in("Tiny (2)", "Healthy")
    assert not any(name.startswith("Place:") for name in names(other, Role.StaticText))
    handles = {server.id: server.state.handle for server in spread.supervisor.servers}
    assert (handles[there].place, handles[here].place) == ("attic", "mock")
    assert spread.supervisor.has_server_at("attic")
    # What quitting does by default: servers elsewhere go on.
    settings = spread.settings.current
    await spread.supervisor.stop_all(lambda place: settings.stops_servers_at(place, OnQuit.STOP_ALL))
    await spread.panel_in("Tiny (2)", "Stopped")
    assert (await spread.panel_in("Tiny", "Healthy")).server.state.place == "The attic"
    spread.app.servers.panels[there].stop.trigger()
    await spread.panel_in("Tiny", "Stopped")
    assert not spread.supervisor.has_server_at("attic")


async def test_start_with_offers_the_places_that_can_serve_the_model(spread, qtbot):
    spread.models.select(spread.library.models[0].id)
    dialog = await spread.dialog("start_with")
    combo = child(dialog, QComboBox, "field_place")
    assert [combo.itemText(row) for row in range(1, combo.count())] == ["This computer", "The attic"]
    assert dialog.findChild(OptionForm) is not None
    dialog.reject()
    await poll(lambda: not dialog.isVisible())
