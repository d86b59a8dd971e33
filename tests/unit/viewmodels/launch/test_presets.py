"""Presets beside a form: what they fill in, and how to get back what was there."""

from collections.abc import AsyncIterator
from typing import cast

import pytest

from gglib_desktop.domain.errors import ConfigurationError, GglibError
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.launch.presets import Preset
from gglib_desktop.services.launch.presets import Presets
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel
from gglib_desktop.viewmodels.launch.presets import PresetsState, PresetsViewModel
from tests.fakes.presets import PresetForm, preset_form
from tests.fakes.waiting import poll

LONG, SHORT = LaunchOptions(context_size=131072), LaunchOptions(context_size=2048, parallel=1)


@pytest.fixture
async def desk(qapp, data_dir) -> AsyncIterator[PresetForm]:
    async with preset_form(data_dir) as desk:
        yield desk


@pytest.fixture
def presets(desk) -> Presets:
    return cast(Presets, desk.presets)


@pytest.fixture
def form(desk) -> OptionFormViewModel:
    return cast(OptionFormViewModel, desk.form)


@pytest.fixture
async def long(presets) -> Preset:
    preset: Preset = await presets.create("long context", LONG, None)
    return preset


@pytest.fixture
async def short(presets) -> Preset:
    preset: Preset = await presets.create("short", SHORT, None)
    return preset


@pytest.fixture
async def shown(presets, form, scope, long, short) -> PresetsViewModel:
    """Beside a form with something of its own in it."""
    form.edit(threads=3)
    shown = PresetsViewModel(presets, form, scope)
    await poll(lambda: len(shown.state.presets) == 2)
    return shown


def names(shown: PresetsViewModel) -> list[str]:
    return [each.name for each in shown.state.presets]


async def test_a_preset_fills_the_form_and_no_preset_brings_back_what_was_there(shown, form, long):
    shown.choose(long.id)
    assert form.draft == LONG
    assert (shown.state.chosen, shown.state.is_changed) == (long, False)
    shown.choose(None)
    assert form.draft == LaunchOptions(threads=3)
    assert shown.state.chosen is None


async def test_no_preset_brings_back_what_was_there_before_the_first_one(shown, form, long, short):
    shown.choose(long.id)
    shown.choose(short.id)
    form.edit(parallel=7)
    shown.choose(None)
    assert form.draft == LaunchOptions(threads=3)


async def test_what_was_typed_and_is_no_value_comes_back_too(shown, form, long):
    form.type_text("extra_args", "--alias 'my model")
    shown.choose(long.id)
    assert not form.state.fields["extra_args"].is_set
    shown.choose(None)
    assert form.state.fields["extra_args"].typed == "--alias 'my model"
    assert form.draft == LaunchOptions(threads=3)


async def test_every_choice_can_be_undone(shown, form, long, short):
    assert not shown.state.can_undo
    shown.choose(long.id)
    form.edit(threads=5)
    shown.choose(short.id)
    shown.undo()
    assert form.draft == LONG.replace(threads=5)
    assert (shown.state.chosen, shown.state.is_changed) == (long, True)
    shown.undo()
    assert form.draft == LaunchOptions(threads=3)
    assert (shown.state.chosen, shown.state.can_undo) == (None, False)
    shown.undo()
    assert form.draft == LaunchOptions(threads=3)


async def test_choosing_what_is_chosen_leaves_the_edits(shown, form, long):
    shown.choose(long.id)
    form.edit(threads=5)
    shown.choose(long.id)
    assert form.draft == LONG.replace(threads=5)
    shown.choose(999)
    assert shown.state.chosen is None, "one that is gone is none"


async def test_the_form_is_compared_with_the_preset(shown, form, long):
    assert not shown.state.can_update
    shown.choose(long.id)
    assert shown.state == PresetsState(shown.state.presets, long, can_undo=True)
    form.edit(context_size=4096)
    assert shown.state.is_changed
    assert shown.state.can_update
    form.edit(context_size=131072)
    assert not shown.state.is_changed
    form.type_text("extra_args", "'")
    assert shown.state.is_changed
    assert not shown.state.can_save
    assert not shown.state.can_update


async def test_updating_makes_the_preset_what_the_form_says(shown, form, long, presets):
    shown.choose(long.id)
    form.edit(context_size=4096)
    shown.update.trigger()
    await poll(lambda: not shown.state.is_changed)
    assert shown.state.chosen.options == LaunchOptions(context_size=4096)
    assert shown.state.chosen in await presets.listed(None)


async def test_saving_as_a_preset_chooses_it(shown, form, presets):
    await shown.save_as("mine", for_all=False)
    assert names(shown) == ["mine", "long context", "short"]
    assert shown.state.chosen.model_id == shown.model.id
    assert not shown.state.is_changed
    await shown.save_as("everybody's", for_all=True)
    assert [each.name for each in await presets.listed(None)] == ["everybody's", "long context", "short"]
    with pytest.raises(ConfigurationError, match="another preset"):
        await shown.save_as("MINE", for_all=False)
    shown.choose(None)
    assert form.draft == LaunchOptions(threads=3)


async def test_renaming_keeps_the_choice_and_deleting_keeps_the_form(shown, form, long):
    shown.choose(long.id)
    await shown.rename(long, "huge")
    assert (names(shown), shown.state.chosen.name) == (["huge", "short"], "huge")
    await shown.delete(shown.state.chosen)
    assert (names(shown), shown.state.chosen) == (["short"], None)
    assert form.draft == LONG


async def test_presets_travel_as_files(shown, long, short, tmp_path):
    await shown.save_as("own", for_all=False)
    file = tmp_path / "presets.toml"
    await shown.export(file, shown.state.presets)
    assert 'model = "Tiny"' in file.read_text()
    for preset in shown.state.presets:
        await shown.delete(preset)
    imported = await shown.import_from(file)
    assert len(imported.added) == 3
    assert names(shown) == ["own", "long context", "short"]


async def test_the_last_used_one_is_the_first_choice_next_time(shown, form, presets, scope, long):
    shown.choose(long.id)
    shown.note_used()
    model_id = shown.model.id

    async def noted():
        return await presets.last_used(model_id)

    assert await poll(noted) == long
    form.load(LaunchOptions())
    other = PresetsViewModel(presets, form, scope)
    again = PresetsViewModel(presets, form, scope, use_last=True)
    await poll(lambda: again.state.chosen is not None and other.state.presets)
    assert again.state.chosen == long
    assert form.draft == LONG
    assert other.state.chosen is None, "only where it is wanted"
    again.choose(None)
    assert form.draft == LaunchOptions()
    again.note_used()

    async def forgotten():
        return await presets.last_used(model_id) is None

    await poll(forgotten)


async def test_the_last_used_one_does_not_overrun_what_was_typed_meanwhile(form, presets, scope, long):
    await presets.note_used(form.model.id, long)
    again = PresetsViewModel(presets, form, scope, use_last=True)
    form.edit(threads=1)
    await poll(lambda: again.state.presets)
    await again.rename(long, "still there")
    assert again.state.chosen is None
    assert form.draft == LaunchOptions(threads=1)


async def test_trouble_with_the_storage_is_told(shown, form, scope, presets):
    told: list[GglibError] = []
    shown.failed.connect(told.append)
    form.edit(extra_args=("--api-key", "x"))

    async def save() -> None:
        await shown.save_as("keys", for_all=True)

    shown.run(save(), "save")
    await poll(lambda: told)
    assert isinstance(told[0], ConfigurationError)
