"""A form for an engine that speaks another dialect: everything that it shows is in that engine's words."""

from pathlib import Path

from gglib_desktop.domain.launch.form import FormContext, FormState, form_state
from gglib_desktop.domain.launch.options import LaunchOptions, Source
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.servers.dialect import Dialect
from tests.fakes.library import some_facts
from tests.fakes.parrot_dialect import ParrotDialect, parrot_at

ENGINE = parrot_at(Path("/opt/parrot"))
MODEL = Model(1, Path("/m/tiny.gguf"), some_facts(), None, 0.0, "Tiny")


def shown(**choices) -> FormState:
    dialect: Dialect = ParrotDialect()
    context = FormContext(layer=Source.LAUNCH, model=MODEL, engine=ENGINE, dialect=dialect, base_port=9000)
    return form_state(LaunchOptions(**choices), {}, context)


def test_the_command_line_is_in_its_words():
    assert shown(context_size=4096, port=9005).argv == (
        *("/opt/parrot", "run"),
        *("--weights", "/m/tiny.gguf"),
        *("--listen", "127.0.0.1:9005"),
        *("--window", "4096"),
        *("--called", "Tiny"),
    )


def test_what_it_cannot_say_is_refused_field_by_field_before_the_start():
    state = shown(mlock=True)
    assert not state.can_start
    assert state.fields["mlock"].problem == state.fields["mlock"].disabled == "Parrot has no word for it"


def test_doubts_about_extra_arguments_are_its_own():
    assert shown(extra_args=("--chatter",)).fields["extra_args"].warning is None
    assert shown(extra_args=("--fast",)).fields["extra_args"].warning == "the engine's help does not list --fast"


def test_the_key_goes_where_it_looks():
    assert shown(require_api_key=True).key_variable == "PARROT_SECRET"
    assert shown().key_variable == ""
