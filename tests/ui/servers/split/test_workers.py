"""Workers as they are chosen in a form, and as the panel of their head lists them."""

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QCheckBox, QLabel

from gglib_desktop.domain.documents.settings import PlaceSettings
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.servers.split.workers import Worker, WorkerState
from gglib_desktop.views.servers.overview.facts import Facts
from tests.fakes.library import some_facts
from tests.fakes.waiting import poll
from tests.ui.finding import child


@pytest.fixture
async def model(desk):
    await desk.open()
    await desk.app.library.add_now((desk.files.make("tiny.gguf", some_facts("Tiny")),))
    (model,) = desk.library.models
    desk.models.select(model.id)
    return model


async def test_without_another_computer_there_are_no_workers_to_choose(desk, model):
    dialog = await desk.dialog("start_with")
    assert dialog.findChild(QCheckBox, "field_rpc_workers_gpu-box") is None
    dialog.reject()


async def test_the_computers_that_were_chosen_become_the_workers_of_the_server(desk, model):
    places = {"gpu-box": PlaceSettings(url="ssh://gpu", name="GPU box"), "pod": PlaceSettings(url="podman:llama")}
    await desk.settings.change(places=places)
    await desk.library.save_launch_options(model.id, LaunchOptions(rpc_workers=("gone",)))
    dialog = await desk.dialog("start_with")
    gone, box = (child(dialog, QCheckBox, f"field_rpc_workers_{each}") for each in ("gone", "gpu-box"))
    assert dialog.findChild(QCheckBox, "field_rpc_workers_pod") is None
    assert (gone.isChecked(), box.isChecked(), box.accessibleName()) == (True, False, "Worker on GPU box")
    gone.click()
    box.click()
    dialog.view_model.accept.trigger()
    (server,) = await poll(lambda: desk.supervisor.servers)
    assert server.config.rpc_workers == ("gpu-box",)


async def test_a_panel_lists_the_workers_with_their_memory(desk, model, qtbot):
    await desk.launcher.start(model.id)
    panel = await desk.panel_in("Tiny", "Healthy")
    facts = Facts(panel)
    seen = (
        Worker("GPU box", WorkerState.RUNNING, 3 * 2**30),
        Worker("Attic", WorkerState.UNREACHABLE),
        Worker("Shed", WorkerState.ENDED),
    )
    facts.show_state(replace(panel.server.state, workers=seen))
    lines = [child(facts, QLabel, f"worker{number}") for number in (1, 2, 3)]
    assert [line.accessibleName() for line in lines] == [
        "Worker: GPU box, running",
        "Worker: Attic, unreachable",
        "Worker: Shed, ended",
    ]
    assert [line.text().partition(" · ")[2] for line in lines] == ["RAM 3.0 GiB", "RAM not known", "RAM not known"]
    facts.show_state(replace(panel.server.state, workers=seen[:1]))
    assert [line.isHidden() for line in lines] == [False, True, True]
