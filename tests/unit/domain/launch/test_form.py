"""What a form shows of a layer of choices: sources, problems, reasons, and the command line that will run."""

from dataclasses import replace
from pathlib import Path

import pytest

from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities, EngineSource
from gglib_desktop.domain.errors import ConfigurationError, InvalidDraft
from gglib_desktop.domain.launch.engine_choice import EngineChoice
from gglib_desktop.domain.launch.form import (
    FormContext,
    FormState,
    InvalidInput,
    changed,
    check,
    form_state,
)
from gglib_desktop.domain.launch.options import (
    BUILT_IN,
    NO_EXTRA_ARGS,
    LaunchOptions,
    MtpChoice,
    MtpReason,
    Source,
    choice_names,
)
from gglib_desktop.domain.llama_cpp.argv import server_argv
from gglib_desktop.domain.llama_cpp.dialect import LlamaCppDialect
from gglib_desktop.domain.llama_cpp.help import parse_help
from gglib_desktop.domain.models.draft_files import DraftFile
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.options.engine_options import engine_option
from gglib_desktop.domain.options.text import device_names, read_text, with_device, write_text
from tests.fakes.library import some_facts
from tests.fakes.recorded import HELP

ENGINE = Engine(Path("/opt/llama-server"), "b10434", parse_help(HELP), EngineSource.ARGUMENT)
MODEL = Model(1, Path("/m/tiny.gguf"), some_facts(), None, 0.0, "Tiny")


def without(*flags: str) -> Engine:
    spellings = {name: same for name, same in ENGINE.capabilities.spellings.items() if name not in flags}
    return replace(ENGINE, capabilities=replace(ENGINE.capabilities, spellings=spellings))


def form_context(layer: Source = Source.LAUNCH, **changes) -> FormContext:
    return replace(
        FormContext(layer=layer, model=MODEL, engine=ENGINE, dialect=LlamaCppDialect(), base_port=9000), **changes
    )


def shown(
    draft: LaunchOptions | None = None, where: FormContext | None = None, **unreadable: InvalidInput
) -> FormState:
    return form_state(draft or LaunchOptions(), unreadable, where or form_context())


def test_at_another_place_the_engine_there_decides_what_it_can_do():
    where = form_context(engine=replace(ENGINE, capabilities=EngineCapabilities()))
    drafts = LaunchOptions(mtp=MtpChoice.ON)
    assert shown(drafts, where).decision.reason is MtpReason.NO_ENGINE_SUPPORT
    there = shown(drafts.replace(place="box"), where)
    assert there.decision.reason is MtpReason.CHOSEN
    assert (there.can_start, there.argv) == (True, None)
    assert there.config is not None
    assert there.config.place == "box"
    elsewhere = form_context(model=replace(MODEL, place="box"))
    assert shown(where=elsewhere).argv is None
    assert shown(where=form_context(Source.APP, model=None)).config is None


def test_the_engine_of_a_place_says_what_it_can_do_once_it_is_known():
    there = {("box", None): ENGINE, ("moon", None): ConfigurationError("engine", "x", "no such program")}
    where = form_context(
        engine=replace(ENGINE, path=Path("/here")),
        engines={"llama.cpp": EngineChoice(LlamaCppDialect(), problem="none was found here")},
        ask_there=lambda place, engine: there.get((place, engine)),
    )
    state = shown(LaunchOptions(place="box"), where)
    assert state.argv is not None
    assert state.argv[0] == "/opt/llama-server"
    moon = shown(LaunchOptions(place="moon"), where)
    assert (moon.can_start, moon.fields["place"].problem) == (False, "no such program")


@pytest.mark.parametrize("layer", [Source.LAUNCH, Source.MODEL])
def test_no_extra_arguments_are_shown_as_two_quotes_only_where_they_keep_some_out(layer):
    draft = LaunchOptions(extra_args=NO_EXTRA_ARGS)
    state = shown(draft, form_context(layer, app_options=LaunchOptions(extra_args=("--no-webui",))))
    assert write_text(state.fields["extra_args"].value) == "''"
    assert read_text(engine_option("extra_args"), "''") == NO_EXTRA_ARGS
    assert state.argv is not None
    assert not {"--no-webui", ""} & {*state.argv}
    alone = shown(draft, form_context(layer))
    assert not alone.fields["extra_args"].is_set
    assert "" not in (alone.argv or ())


def test_there_is_a_field_for_every_choice():
    assert set(shown().fields) == set(choice_names())


def test_an_empty_field_shows_what_it_inherits_and_from_where():
    where = form_context(model_options=LaunchOptions(context_size=4096), app_options=LaunchOptions(threads=3))
    fields = shown(where=where).fields
    seen = {name: (f.value, f.inherited, f.source, f.is_set) for name, f in fields.items()}
    assert seen["context_size"] == (None, 4096, Source.MODEL, False)
    assert seen["threads"] == (None, 3, Source.APP, False)
    assert seen["spec_draft_n_max"] == (None, 2, Source.BUILT_IN, False)
    assert seen["top_k"] == (None, None, Source.ENGINE, False)


def test_a_set_field_still_tells_what_it_would_inherit():
    where = form_context(model_options=LaunchOptions(context_size=4096))
    state = shown(LaunchOptions(context_size=8192), where)
    field = state.fields["context_size"]
    assert (field.value, field.inherited, field.source, field.is_set) == (8192, 4096, Source.MODEL, True)
    assert state.resolved.options.context_size == 8192


@pytest.mark.parametrize(
    ("layer", "expected"),
    [(Source.LAUNCH, (1, Source.MODEL)), (Source.MODEL, (2, Source.APP)), (Source.APP, (None, Source.ENGINE))],
)
def test_only_the_layers_below_are_inherited_from(layer, expected):
    where = form_context(layer, model_options=LaunchOptions(threads=1), app_options=LaunchOptions(threads=2))
    field = shown(where=where).fields["threads"]
    assert (field.inherited, field.source) == expected
    assert shown(LaunchOptions(threads=9), where).resolved.options.threads == 9


def test_all_layers_together_inherit_nothing_and_must_say_what_the_engine_is_always_told():
    where = form_context(model_options=LaunchOptions(threads=1), app_options=LaunchOptions(port=9005))
    whole = replace(where, layer=None)
    state = shown(BUILT_IN.replace(threads=4), whole)
    assert (state.fields["threads"].value, state.fields["threads"].inherited) == (4, None)
    assert state.port_is_automatic
    required = {name for name, field in state.fields.items() if field.required}
    assert required == {"mtp", "restart", "spec_draft_n_max", "spec_draft_p_min"}
    assert not any(field.required for field in shown(BUILT_IN, where).fields.values())


def test_of_a_server_what_differs_from_what_runs_is_marked():
    where = replace(form_context(), layer=None, in_force=BUILT_IN.replace(threads=2))
    state = shown(BUILT_IN.replace(threads=4, port=9001), where)
    assert {name: field.was for name, field in state.fields.items() if field.is_changed} == {"threads": 2, "port": None}
    assert state.is_marked("threads")
    assert not state.is_marked("mtp"), "set, and as it runs"
    assert shown(LaunchOptions(threads=4)).is_marked("threads"), "of a layer, what it sets"


def test_the_command_line_is_the_one_that_will_run():
    draft = LaunchOptions(context_size=4096, port=9005, mtp=MtpChoice.ON)
    state = shown(draft)
    assert state.config is not None
    assert state.argv == server_argv(state.config.named(), ENGINE, 9005)
    assert state.command_line.startswith("/opt/llama-server -m /m/tiny.gguf --host 127.0.0.1 --port 9005 ")
    assert "-c 4096 --spec-type draft-mtp --spec-draft-n-max 2 --spec-draft-p-min 0.75" in state.command_line
    assert not state.port_is_automatic


def test_with_an_automatic_port_the_first_to_be_tried_is_shown():
    state = shown()
    assert state.port_is_automatic
    assert "--port 9000" in state.command_line


@pytest.mark.parametrize("changes", [{"engine": None}, {"model": None, "layer": Source.APP}])
def test_without_an_engine_or_a_model_there_is_no_command_line(changes):
    state = shown(where=form_context(**changes))
    assert (state.argv, state.command_line, state.can_save) == (None, "", True)
    assert (state.config is None) == ("model" in changes)


# -- problems


def test_a_flag_that_a_field_decides_is_a_problem_of_the_extra_arguments():
    state = shown(LaunchOptions(context_size=4096, extra_args=("--ctx-size", "8192", "--port=1", "--ctx-size", "1")))
    assert state.fields["extra_args"].problem == (
        "--ctx-size is decided by the field Context size; --port is decided by the field Server port"
    )
    assert (state.can_save, state.can_start, state.command_line) == (False, False, "")


def test_extra_arguments_of_a_layer_below_are_no_reason_not_to_save():
    where = form_context(app_options=LaunchOptions(extra_args=("--top-k", "5")))
    state = shown(LaunchOptions().with_values(top_k=7), where)
    assert state.fields["extra_args"].problem is not None
    assert (state.can_save, state.can_start) == (True, False)


def test_what_an_engine_cannot_do_is_off_with_the_reason_and_a_problem_only_if_set():
    where = form_context(engine=without("--mlock", "--load-mode", "--top-k"))
    state = shown(where=where)
    assert state.fields["mlock"].disabled == "this engine has no flag --mlock"
    assert (state.fields["mlock"].problem, state.can_start) == (None, True)
    state = shown(LaunchOptions(mlock=True).with_values(top_k=1), where)
    problems = {name: field.problem for name, field in state.fields.items() if field.problem}
    assert problems == {"mlock": "this engine has no flag --mlock", "top_k": "this engine has no flag --top-k"}
    assert (state.can_save, state.can_start) == (True, False)


def test_until_an_engine_is_known_nothing_is_said_of_what_it_can_do():
    where = form_context(engine=None)
    state = shown(LaunchOptions(mlock=True, extra_args=("--mlock",)), where)
    assert state.fields["mlock"].disabled is None
    problems = {name: field.problem for name, field in state.fields.items() if field.problem}
    assert problems == {"extra_args": "--mlock is decided by the field Lock in memory"}


@pytest.mark.parametrize(
    ("draft", "changes", "reason"),
    [
        ({}, {}, MtpReason.NO_LAYERS),
        ({}, {"model": replace(MODEL, facts=None)}, MtpReason.UNREAD_MODEL),
        ({"mtp": MtpChoice.OFF}, {}, MtpReason.SWITCHED_OFF),
        ({}, {"mtp_suppressed": True}, MtpReason.SUPPRESSED),
        ({"mtp": MtpChoice.ON}, {}, None),
        ({}, {"layer": Source.APP, "model": None}, None),
        ({"spec_draft_model": Path("/m/d.gguf")}, {}, None),
    ],
)
def test_draft_numbers_are_off_with_the_reason(draft, changes, reason):
    state = shown(LaunchOptions(**draft), form_context(**changes))
    assert {state.fields[name].disabled for name in ("spec_draft_n_max", "spec_draft_p_min")} == {reason}
    assert state.decision.enabled == (reason is None)


def test_a_method_without_a_model_has_numbers_of_its_own():
    state = shown(LaunchOptions(spec_type="ngram-mod"))
    assert state.fields["spec_draft_n_max"].disabled == "this method has numbers of its own"
    assert state.argv is not None
    assert state.argv[state.argv.index("--spec-type") + 1] == "ngram-mod"
    assert "--spec-draft-n-max" not in state.argv


@pytest.mark.parametrize(
    ("changes", "disabled"),
    [({}, None), ({"mtp": MtpChoice.OFF}, MtpReason.SWITCHED_OFF)],
)
def test_a_draft_model_can_be_chosen_unless_drafting_is_switched_off(changes, disabled):
    state = shown(LaunchOptions(**changes))
    assert {state.fields[name].disabled for name in ("spec_draft_model", "spec_type")} == {disabled}


def test_what_a_draft_file_is_and_why_it_drafts_nothing_is_said():
    path = Path("/m/d.gguf")
    file = DraftFile(path, ("draft-simple",), problem="its vocabulary is another one")
    state = shown(LaunchOptions(spec_draft_model=path), form_context(draft_file={path: file}.get, draft_files=(file,)))
    assert state.fields["spec_draft_model"].warning == "its vocabulary is another one"
    assert (state.drafting.file, state.drafting.offered, state.is_doubtful) == (file, (file,), True)
    assert "draft-simple" in state.drafting.methods
    assert "none" not in state.drafting.methods


def test_what_was_typed_and_is_no_value_stays_with_its_problem():
    state = shown(extra_args=InvalidInput("--a 'b", "a quotation mark is not closed"))
    field = state.fields["extra_args"]
    assert (field.typed, field.is_set, field.problem) == ("--a 'b", True, "a quotation mark is not closed")
    assert (state.can_save, state.can_start, state.argv) == (False, False, None)


def test_what_cannot_be_saved_or_started_is_refused_with_the_fields():
    fine = shown(LaunchOptions(threads=2))
    check(fine)
    check(fine, to_start=True)
    unsupported = shown(LaunchOptions(mlock=True), form_context(engine=without("--mlock", "--load-mode")))
    check(unsupported)
    with pytest.raises(InvalidDraft) as caught:
        check(unsupported, to_start=True)
    assert caught.value.fields == {"mlock": "this engine has no flag --mlock"}
    with pytest.raises(InvalidDraft):
        check(shown(extra_args=InvalidInput("'", "a quotation mark is not closed")))


def test_values_out_of_range_do_not_become_part_of_the_draft():
    before = LaunchOptions(threads=1, parallel=4)
    draft, unreadable = changed(before, {"threads": -7, "top_p": 2, "parallel": 2})
    assert draft == LaunchOptions(parallel=2)
    assert unreadable == {
        "threads": InvalidInput("-7", "must be at least -1"),
        "top_p": InvalidInput("2", "must be from 0 to 1"),
    }


# -- text


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("device", " CUDA0,CUDA1 ", "CUDA0,CUDA1"),
        ("device", "  ", None),
        ("chat_template_file", "/t/my template.jinja", Path("/t/my template.jinja")),
        ("chat_template_file", "", None),
        ("extra_args", "--alias 'a b' --verbose", ("--alias", "a b", "--verbose")),
        ("extra_args", "  ", None),
    ],
)
def test_text_is_read_and_written(name, text, value):
    option = engine_option(name)
    assert read_text(option, text) == value
    assert read_text(option, write_text(value)) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [("--a 'b", "a quotation mark is not closed"), ("--a \\", "nothing follows the last backslash")],
)
def test_words_that_do_not_end_are_refused(text, reason):
    with pytest.raises(ConfigurationError) as caught:
        read_text(engine_option("extra_args"), text)
    assert (caught.value.field, caught.value.reason) == ("extra_args", reason)


def test_devices_are_added_and_taken_away():
    assert with_device(None, "CUDA1", used=True) == "CUDA1"
    assert with_device("CUDA0, CUDA1", "CUDA2", used=True) == "CUDA0,CUDA1,CUDA2"
    assert with_device("none", "CUDA0", used=True) == "CUDA0"
    assert with_device("CUDA0,CUDA1", "CUDA0", used=False) == "CUDA1"
    assert with_device("CUDA0", "CUDA0", used=False) is None
    assert device_names(" CUDA0 ,,CUDA1") == ("CUDA0", "CUDA1")
    assert device_names(None) == ()


def test_a_flag_that_the_help_does_not_list_is_a_warning_and_may_be_tried():
    state = shown(LaunchOptions(extra_args=("--no-such-flag", "3")))
    assert state.fields["extra_args"].warning == "the engine's help does not list --no-such-flag"
    assert (state.is_doubtful, state.can_start, state.can_save) == (True, True, True)
    assert "--no-such-flag" in state.command_line
    assert shown(LaunchOptions(extra_args=("--slots",))).fields["extra_args"].warning is None
    unknown = shown(LaunchOptions(extra_args=("--no-such-flag",)), form_context(engine=None))
    assert not unknown.is_doubtful
    inherited = shown(where=form_context(model_options=LaunchOptions(extra_args=("--no-such-flag",))))
    assert inherited.is_doubtful, "what is saved for the model counts too"
