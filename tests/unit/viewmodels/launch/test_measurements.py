"""Where the settings that came out go."""

from collections.abc import Mapping
from typing import Any, cast

import pytest

from gglib_desktop.domain.launch.options import LaunchOptions, MtpChoice, Source
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.services.launch.presets import Presets
from gglib_desktop.viewmodels.launch.measurements import Measurements
from gglib_desktop.viewmodels.launch.measuring import Stage
from tests.fakes.forms import MODEL, option_form
from tests.fakes.measuring import ON, SUBJECT, FakeAdvisor, FakeRoom, advice
from tests.fakes.waiting import poll

CHOICES = {"mtp": MtpChoice.ON, "spec_draft_n_max": 3, "spec_draft_p_min": 0.5}


class Desk:
    """A launcher and presets that note what they are asked for."""

    def __init__(self) -> None:
        self.measured: list[LaunchOptions | None] = []
        self.saved: list[tuple[int, Mapping[str, object]]] = []
        self.created: list[tuple[str, LaunchOptions, int | None]] = []

    async def to_measure(self, model_id: int, launch: LaunchOptions | None) -> Any:
        self.measured.append(launch)
        return (SUBJECT.model, SUBJECT.config, SUBJECT.engine) if model_id == MODEL.id else None

    async def save_choices(self, config: ServerConfig, choices: Mapping[str, object]) -> None:
        self.saved.append((config.model_id, choices))

    async def create(self, name: str, options: LaunchOptions, model_id: int | None) -> None:
        self.created.append((name, options, model_id))


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def measured(qapp, desk, scope):
    """Measures and returns the dialog's view-model."""

    async def measured(form=None):
        advisor = FakeAdvisor()
        parts = Measurements(cast(Launcher, desk), advisor, FakeRoom(), cast(Presets, desk), scope)
        assert await parts.of(99) is None
        dialog = await parts.of(MODEL.id, form)
        assert dialog is not None
        await poll(lambda: dialog.state.can_start)
        dialog.start.trigger()
        await poll(lambda: advisor.begun)
        going = advisor.begun[-1]
        going.outcome.set_result(advice(ON))
        await poll(lambda: dialog.state.stage is Stage.DONE)
        dialog.use.trigger()
        await poll(lambda: dialog.state.is_used)
        return dialog

    return measured


async def test_they_are_saved_for_the_model(measured, desk):
    dialog = await measured()
    assert desk.measured[-1] is None
    assert desk.saved == [(MODEL.id, CHOICES)]
    for for_all in (False, True):
        await dialog.keep("Fast", for_all)
    assert [model_id for _name, _options, model_id in desk.created] == [MODEL.id, None]


async def test_they_fill_the_form_that_asked(measured, desk):
    form = option_form(Source.LAUNCH)
    form.edit(threads=3)
    assert (await measured(form)).fills_form
    assert desk.measured[-1].threads == 3
    assert form.draft == LaunchOptions(threads=3).with_values(**CHOICES)
    assert desk.saved == []
