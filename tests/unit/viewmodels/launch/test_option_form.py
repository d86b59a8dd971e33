"""The form of one layer of choices, driven without widgets."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from gglib_desktop.domain.engine.capabilities import EngineCapabilities
from gglib_desktop.domain.launch.options import BUILT_IN, LaunchOptions, MtpChoice, MtpReason, Source
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel
from tests.fakes.forms import form_launcher
from tests.fakes.library import some_facts
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


# -- all that a server runs with


@pytest.fixture
def whole(launcher) -> OptionFormViewModel:
    return OptionFormViewModel(launcher, None, MODEL, draft=BUILT_IN)


@pytest.fixture
def told(whole) -> list[tuple[str, object]]:
    """What the form of a server told, in order."""
    told: list[tuple[str, object]] = []
    for name in ("draftChanged", "edited"):
        getattr(whole, name).connect(lambda value, name=name: told.append((name, value)))
    return told


def test_an_edit_is_told_as_one(whole, told):
    whole.edit(port=9100, spec_draft_n_max=3)
    edited = BUILT_IN.replace(port=9100, spec_draft_n_max=3)
    assert whole.draft == edited
    assert told == [("draftChanged", edited), ("edited", {"port", "spec_draft_n_max"})]


def test_an_edit_that_changes_nothing_is_not_told(whole, told):
    whole.edit(port=None)
    assert told == []


def test_what_is_shown_was_not_edited(whole, told):
    shown = BUILT_IN.replace(context_size=512)
    whole.load(shown)
    whole.load(shown)
    assert told == [("draftChanged", shown)]


def test_a_value_out_of_range_was_not_chosen(whole, told):
    whole.edit(spec_draft_n_max=99)
    assert whole.state.fields["spec_draft_n_max"].problem == "must be from 0 to 16"
    assert ("edited", frozenset()) in told
    assert not whole.state.can_start


def test_the_decision_follows_the_draft_and_the_model(whole):
    reasons = [whole.state.decision.reason]
    for choice in (MtpChoice.ON, MtpChoice.OFF):
        whole.edit(mtp=choice)
        reasons.append(whole.state.decision.reason)
    whole.load(BUILT_IN, replace(MODEL, facts=some_facts(mtp_layers=1)))
    reasons.append(whole.state.decision.reason)
    assert reasons == [
        MtpReason.NO_LAYERS,
        MtpReason.CHOSEN,
        MtpReason.SWITCHED_OFF,
        MtpReason.MODEL_AND_ENGINE_CAN,
    ]
    whole.load(BUILT_IN)
    assert whole.state.decision.enabled, "it is still the form of that model"
