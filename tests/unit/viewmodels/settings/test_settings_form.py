"""The settings dialog without its widgets: a draft that is kept until it could be saved."""

from dataclasses import replace
from pathlib import Path

import pytest

from gglib_desktop.domain.documents.settings import AppSettings, OnQuit, Theme
from gglib_desktop.domain.engine.capabilities import EngineSource
from gglib_desktop.domain.errors import ConfigurationError, SettingsError
from gglib_desktop.viewmodels.settings.settings_form import SettingsFormViewModel
from tests.fakes.settings import FOUND, FakeEngineCatalog, FakeSettingsStore, settings_form
from tests.fakes.waiting import poll

OWN = replace(FOUND, path=Path("/opt/llama-server"), source=EngineSource.SETTINGS)


@pytest.fixture
def store() -> FakeSettingsStore:
    return FakeSettingsStore(AppSettings(theme=Theme.DARK))


@pytest.fixture
async def catalog() -> FakeEngineCatalog:
    return FakeEngineCatalog({OWN.path: OWN})


@pytest.fixture
def form(store, catalog, scope) -> SettingsFormViewModel:
    return settings_form(store, catalog, scope)


@pytest.fixture
def told(form) -> list[tuple[str, object]]:
    told: list[tuple[str, object]] = []
    form.draftChanged.connect(lambda value: told.append(("draft", value)))
    form.engineTested.connect(lambda value: told.append(("tested", value)))
    form.failed.connect(lambda value: told.append(("failed", value)))
    form.saved.connect(lambda: told.append(("saved", None)))
    return told


async def test_it_begins_with_what_is_in_force(form):
    assert form.draft == AppSettings(theme=Theme.DARK)
    assert form.engine is FOUND


async def test_edits_change_the_draft_alone(form, store, told):
    form.edit(base_port=9100)
    form.edit(base_port=9100)
    draft = AppSettings(theme=Theme.DARK, base_port=9100)
    assert form.draft == draft
    assert told == [("draft", draft)]
    assert store.settings == AppSettings(theme=Theme.DARK)


@pytest.mark.parametrize(("text", "path"), [("", None), ("   ", None), (" /opt/llama-server ", OWN.path)])
async def test_an_empty_engine_path_means_to_look_for_one(form, text, path):
    form.edit(engine_path=Path("/elsewhere"))
    form.edit_engine_path(text)
    assert form.draft.engine_path == path


async def test_saving_saves_everything(form, store, told):
    form.edit(base_port=9100, on_quit=OnQuit.STOP_ALL, theme=Theme.LIGHT, stop_grace_s=9.5, engine_path=OWN.path)
    form.save.trigger()
    await poll(lambda: not form.save.is_busy)
    assert store.settings == form.draft
    assert told[-1] == ("saved", None)


async def test_a_wrong_engine_is_not_saved_and_nothing_typed_is_lost(form, store, told):
    form.edit(engine_path=Path("/nowhere"), base_port=9100)
    form.save.trigger()
    await poll(lambda: not form.save.is_busy)
    name, error = told[-1]
    assert name == "failed"
    assert isinstance(error, ConfigurationError)
    assert error.field == "engine"
    assert form.draft.base_port == 9100
    assert store.settings == AppSettings(theme=Theme.DARK)


async def test_an_engine_that_is_in_force_already_is_not_tested_again(store, catalog, scope):
    store.settings = AppSettings(engine_path=Path("/gone-since"))
    form = settings_form(store, catalog, scope)
    form.edit(base_port=9100)
    form.save.trigger()
    await poll(lambda: not form.save.is_busy)
    assert store.settings.base_port == 9100


async def test_a_file_that_cannot_be_written_keeps_the_draft(form, store, told):
    store.problem = SettingsError("the disk is full")
    form.edit(base_port=9100)
    form.save.trigger()
    await poll(lambda: not form.save.is_busy)
    assert told[-1] == ("failed", store.problem)
    assert form.draft.base_port == 9100


async def test_testing_tells_what_the_path_would_give(form, told):
    for text, expected in (("", FOUND), (str(OWN.path), OWN)):
        form.edit_engine_path(text)
        form.test.trigger()
        await poll(lambda: not form.test.is_busy)
        assert told[-1] == ("tested", expected)
    form.edit_engine_path("/nowhere")
    form.test.trigger()
    await poll(lambda: not form.test.is_busy)
    name, error = told[-1]
    assert name == "tested"
    assert isinstance(error, ConfigurationError)


async def test_only_what_was_typed_is_saved_over_a_file_that_was_edited_meanwhile(form, store):
    form.edit(base_port=9100)
    store.settings = AppSettings(theme=Theme.LIGHT, stop_grace_s=9.0)
    form.save.trigger()
    await poll(lambda: not form.save.is_busy)
    assert store.settings == AppSettings(theme=Theme.LIGHT, stop_grace_s=9.0, base_port=9100)
