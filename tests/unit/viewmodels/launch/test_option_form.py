"""The form of one layer of choices, driven without widgets."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from gglib_desktop.domain.engine.capabilities import EngineCapabilities
from gglib_desktop.domain.launch.options import LaunchOptions, MtpChoice, Source
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel
from tests.fakes.forms import form_launcher
from tests.fakes.settings import FOUND, FakeEngineCatalog
from tests.unit.domain.launch.test_form import MODEL


@pytest.fixture
def catalog() -> FakeEngineCatalog:
    return FakeEngineCatalog()


@pytest.fixture
def launcher(qapp, catalog) -> Launcher:
    return form_launcher(catalog)


@pytest.fixture
def form(launcher) -> OptionFormViewModel:
    return OptionFormViewModel(launcher, Source.LAUNCH, MODEL, model_options=LaunchOptions(threads=3))


@pytest.fixture
def count(form) -> Callable[[], tuple[int, int]]:
    """How often each signal came."""
    drafts: list[object] = []
    states: list[object] = []
    form.draftChanged.connect(drafts.append)
    form.stateChanged.connect(states.append)
    return lambda: (len(drafts), len(states))


def test_choices_are_made_and_taken_back(form, count):
    form.edit(context_size=4096, top_k=5)
    assert form.draft == LaunchOptions(context_size=4096).with_values(top_k=5)
    assert form.state.fields["context_size"].value == 4096
    assert "-c 4096" in form.state.command_line
    assert "-t 3" in form.state.command_line, "the model's own choices are in force too"
    form.edit(context_size=4096)
    assert count() == (1, 1), "what changes nothing is no news"
    form.edit(context_size=None, top_k=None)
    assert form.draft == LaunchOptions()
    assert count() == (2, 2)


def test_what_cannot_be_read_is_kept_as_typed_until_it_is_mended(form, count):
    form.type_text("extra_args", "--alias 'a")
    assert form.state.fields["extra_args"].typed == "--alias 'a"
    assert not form.state.can_start
    form.edit(threads=5)
    assert form.state.fields["extra_args"].typed == "--alias 'a", "other fields do not touch it"
    form.type_text("extra_args", "--alias 'a b'")
    assert form.draft == LaunchOptions(threads=5, extra_args=("--alias", "a b"))
    assert form.state.fields["extra_args"].typed is None
    assert form.state.can_start


def test_an_unfinished_text_is_not_in_the_draft_any_more(form):
    form.type_text("extra_args", "--verbose")
    form.type_text("extra_args", "--verbose '")
    assert form.draft == LaunchOptions()


def test_a_value_out_of_range_is_kept_with_its_problem(form):
    form.edit(threads=-9)
    field = form.state.fields["threads"]
    assert (field.typed, field.problem) == ("-9", "must be at least -1")
    form.edit(threads=None)
    assert not form.state.fields["threads"].is_set


def test_a_preset_replaces_everything(form):
    form.edit(threads=7)
    form.type_text("extra_args", "'")
    form.load(LaunchOptions(context_size=1024))
    assert form.draft == LaunchOptions(context_size=1024)
    assert form.state.can_start


async def test_another_engine_is_asked_at_once(form, launcher, catalog):
    form.edit(mlock=True, mtp=MtpChoice.ON)
    assert form.state.can_start
    catalog.found = replace(FOUND, capabilities=EngineCapabilities())
    await launcher.engines.find()
    assert form.state.fields["mlock"].problem == "this engine has no flag --mlock"
    assert not form.state.decision.enabled
    form.close()
    catalog.found = FOUND
    await launcher.engines.find()
    assert not form.state.decision.enabled, "a closed form is left alone"


def test_the_form_of_all_models_is_for_no_model_in_particular(launcher):
    form = OptionFormViewModel(launcher, Source.APP, draft=LaunchOptions(threads=2))
    assert form.state.fields["threads"].value == 2
    assert form.state.command_line == ""
    assert form.state.decision.enabled
