"""A form in which the engine is chosen: everything else in it follows the choice."""

from pathlib import Path

import pytest

from gglib_desktop.domain.launch.engine_choice import EngineChoice
from gglib_desktop.domain.launch.form import FormContext, FormState, form_state
from gglib_desktop.domain.launch.options import LaunchOptions, Source, for_engine, resolve
from gglib_desktop.domain.llama_cpp.dialect import LlamaCppDialect
from gglib_desktop.domain.models.model import Model
from tests.fakes.library import some_facts
from tests.fakes.parrot_dialect import ParrotDialect, parrot_at
from tests.fakes.settings import FOUND

PARROT = parrot_at(Path("/opt/parrot"))
MODEL = Model(1, Path("/m/tiny.gguf"), some_facts(), None, 0.0, "Tiny")
BOTH = {
    "llama.cpp": EngineChoice(LlamaCppDialect(), FOUND),
    "parrot": EngineChoice(ParrotDialect(), PARROT),
}


def shown(engines=BOTH, *, layer=Source.LAUNCH, model=None, app=None, **choices) -> FormState:
    context = FormContext(
        layer=layer,
        model=MODEL,
        engine=FOUND,
        dialect=LlamaCppDialect(),
        base_port=9000,
        model_options=LaunchOptions(**(model or {})),
        app_options=LaunchOptions(**(app or {})),
        engines=engines,
    )
    return form_state(LaunchOptions(**choices), {}, context)


def words(state: FormState) -> tuple[str, ...]:
    assert state.argv is not None
    return state.argv


def test_the_command_line_is_that_of_the_chosen_engine():
    assert words(shown())[0] == str(FOUND.path)
    assert shown(engine="llama.cpp").argv == shown().argv
    assert words(shown(engine="parrot"))[:2] == ("/opt/parrot", "run")
    assert words(shown(model={"engine": "parrot"}))[0] == "/opt/parrot"
    assert shown(model={"engine": "parrot"}, engine="llama.cpp").argv == shown().argv
    assert shown().engines == ("llama.cpp", "parrot")


def test_what_the_chosen_engine_cannot_take_is_refused_with_its_field_and_kept():
    state = shown(engine="parrot", flash_attn="on")
    assert not state.can_start
    assert state.fields["flash_attn"].value == "on"
    assert state.fields["flash_attn"].problem == "Parrot has no word for it"
    assert shown(flash_attn="on").can_start


def test_what_weaker_layers_set_for_another_engine_has_no_effect():
    state = shown(app={"flash_attn": "on", "threads": 2}, model={"engine": "parrot"})
    assert state.can_start
    assert state.resolved.options.flash_attn is None
    assert words(state)[-4:] == ("--wings", "2", "--called", "Tiny")
    refused = shown(app={"flash_attn": "on", "engine": "parrot"})
    assert not refused.can_start, "it was set for this engine"
    assert refused.fields["flash_attn"].problem


def test_an_engine_that_is_not_there_is_said_at_its_field():
    missing = {**BOTH, "parrot": EngineChoice(ParrotDialect(), problem="no parrot found in PATH")}
    state = shown(missing, engine="parrot")
    assert (state.can_start, state.argv) == (False, None)
    assert state.fields["engine"].problem == "no parrot found in PATH"
    looking = shown({**BOTH, "parrot": EngineChoice(ParrotDialect())}, engine="parrot")
    assert (looking.can_start, looking.argv) == (True, None)
    assert not BOTH["parrot"].capabilities.supports("--nope")
    assert not EngineChoice(ParrotDialect()).capabilities.supports("--wings")


def test_an_engine_that_is_not_known_is_refused():
    state = shown(engine="nope")
    assert state.fields["engine"].problem == "must be one of llama.cpp, parrot"
    assert not state.can_start


def test_where_there_is_one_engine_nothing_is_asked():
    assert shown({}, engine="anything").fields["engine"].problem is None
    assert shown({}).engines == ()


@pytest.mark.parametrize("missing", [(), ("flash_attn",), ("spec_draft_n_max",)])
def test_without_a_choice_all_stays(missing):
    resolved = resolve(LaunchOptions(), LaunchOptions(flash_attn="on"), LaunchOptions())
    assert for_engine(resolved, missing) == resolved
    chosen = resolve(LaunchOptions(engine="parrot"), LaunchOptions(flash_attn="on"), LaunchOptions())
    assert (for_engine(chosen, missing).options.flash_attn is None) is ("flash_attn" in missing)
    assert for_engine(chosen, missing).options.spec_draft_n_max == 2
