"""A form for an engine that speaks another dialect: everything that it shows is in that engine's words."""

from pathlib import Path

from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities, EngineSource
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.gguf.forecast import Serving
from gglib_desktop.domain.launch.form import FormContext, FormState, form_state
from gglib_desktop.domain.launch.options import LaunchOptions, Source
from gglib_desktop.domain.models.companions import Companion
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.servers.dialect import Dialect
from gglib_desktop.domain.servers.failures import Failure
from gglib_desktop.domain.servers.log_text import LogLevel
from gglib_desktop.domain.servers.server import ServerConfig
from tests.fakes.library import some_facts

ENGINE = Engine(Path("/opt/serve-it"), "2", EngineCapabilities(), EngineSource.ARGUMENT)
MODEL = Model(1, Path("/m/tiny.gguf"), some_facts(), None, 0.0, "Tiny")


class OtherDialect:
    """Of an engine that knows a context size, and nothing else but where to listen."""

    key_variable = "SERVE_IT_KEY"

    def command(self, config: ServerConfig, engine: Engine, port: int, *, mtp_suppressed: bool = False):
        context = () if config.context_size is None else (f"+tokens={config.context_size}",)
        return (*engine.command, f"+model={config.model_path}", f"+listen={port}", *context, *config.extra_args)

    def objections(self, config: ServerConfig, capabilities: EngineCapabilities, *, mtp_suppressed: bool = False):
        if config.mlock:
            yield ConfigurationError("mlock", True, "this engine locks no memory")

    def missing_options(self, capabilities: EngineCapabilities):
        return {"mlock": "this engine locks no memory"}

    def serving(self, config: ServerConfig) -> Serving:
        return Serving(context=config.context_size or 0)

    def settles_template(self, config: ServerConfig) -> bool:
        return True

    def unlisted_flags(self, words, capabilities):
        return tuple(word for word in words if not word.startswith("+"))

    def without_option(self, words, flag, capabilities):
        return tuple(word for word in words if word != flag)

    def companion_arguments(self, companion: Companion):
        return (f"+with={companion.path}",)

    def with_adapters(self, words, adapters):
        return (*words, *(f"+adapter={path}" for path in adapters))

    def offending_flag(self, failure: Failure, config: ServerConfig, capabilities: EngineCapabilities) -> str:
        return failure.flag

    def level_of(self, line: str) -> LogLevel | None:
        return LogLevel.ERROR if line.startswith("!") else None


def shown(**choices) -> FormState:
    dialect: Dialect = OtherDialect()
    context = FormContext(layer=Source.LAUNCH, model=MODEL, engine=ENGINE, dialect=dialect, base_port=9000)
    return form_state(LaunchOptions(**choices), {}, context)


def test_the_command_line_is_in_its_words():
    assert shown(context_size=4096, port=9005).argv == (
        "/opt/serve-it",
        "+model=/m/tiny.gguf",
        "+listen=9005",
        "+tokens=4096",
    )


def test_what_it_cannot_say_is_refused_field_by_field_before_the_start():
    state = shown(mlock=True)
    assert not state.can_start
    assert state.fields["mlock"].problem == state.fields["mlock"].disabled == "this engine locks no memory"


def test_doubts_about_extra_arguments_are_its_own():
    assert shown(extra_args=("+fast",)).fields["extra_args"].warning is None
    assert shown(extra_args=("-fast",)).fields["extra_args"].warning == "the engine's help does not list -fast"


def test_the_key_goes_where_it_looks():
    assert shown(require_api_key=True).key_variable == "SERVE_IT_KEY"
    assert shown().key_variable == ""
