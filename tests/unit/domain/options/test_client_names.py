"""The names by which clients choose a model: made from what is there, unique, and kept."""

from pathlib import Path

import pytest

from gglib_desktop.domain.documents.preset_file import read_presets
from gglib_desktop.domain.documents.settings import AppSettings
from gglib_desktop.domain.documents.settings_document import read_settings
from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities, EngineSource
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch.options import BUILT_IN, LaunchOptions, Source, options_of, resolve
from gglib_desktop.domain.llama_cpp.argv import objections, server_argv
from gglib_desktop.domain.options.client_names import alias_taken_out, are_numbered, free_names, names_in
from gglib_desktop.domain.servers.server import ServerConfig
from tests.unit.domain.commandline.pasted import CAPABILITIES, check_pasted

ENGINE = Engine(Path("/opt/llama-server"), "b10434", CAPABILITIES, EngineSource.ARGUMENT)
WITHOUT_ALIAS = Engine(
    ENGINE.path,
    "old",
    EngineCapabilities({name: same for name, same in CAPABILITIES.spellings.items() if name not in ("-a", "--alias")}),
    ENGINE.source,
)


def config(name: str = "Tiny", path: str = "/m/tiny-q8.gguf", **changes) -> ServerConfig:
    return ServerConfig(1, name, Path(path), 9000, **changes)


# -- from a model's name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Qwen3 27B", "Qwen3 27B"),
        ("  a \t b\n", "a b"),
        ("one,two", "one two"),
        (",a,,b,", "a b"),
        ("nul\x01bel\x07\x7f\x85", "nul bel"),
        ("line\u2028par\u2029end", "line par end"),
        ("byte\udcff", "byte"),
        ("模型 é 😀", "模型 é 😀"),
        ("-m", "-m"),
        ("\x00".replace("\x00", " "), "tiny-q8"),
        (" ,\n", "tiny-q8"),
        (".", "tiny-q8"),
        ("/home/me/models/Foo-7B", "Foo-7B"),
        ("/home/me/merged/", "merged"),
        ("../checkpoints/last", "last"),
        ("~/models/x.gguf", "x"),
        ("D:\\llm\\Foo", "Foo"),
        ("models/foo.gguf", "foo"),
        ("/", "tiny-q8"),
        ("/models/..", "tiny-q8"),
        ("meta-llama/Llama-3", "meta-llama/Llama-3"),
        ("n" * 200_000, "n" * 200),
    ],
)
def test_the_models_name_is_what_clients_call_it(name, expected):
    assert config(name).client_names == (expected,)
    assert config(name).named().alias == expected


def test_where_nothing_is_left_nothing_is_said():
    nameless = config(" , ", "/m/,.gguf")
    assert nameless.client_names == ()
    assert nameless.named().alias is None


@pytest.mark.parametrize(
    ("alias", "expected"),
    [(" coder ", "coder"), ("a, b ,,a", "a,b"), ("x\ty", "x y"), ("", None), (" , \n", None), (None, None)],
)
def test_an_alias_is_stored_as_it_is_said(alias, expected):
    for made in (config(alias=alias), LaunchOptions(alias=alias), config().replace(alias=alias)):
        assert made.alias == expected
    assert ServerConfig.from_json(config(alias=alias).to_json()).alias == expected


def test_configurations_of_earlier_versions_say_nothing_of_it():
    old = config().to_mapping()
    del old["alias"]
    assert ServerConfig.from_mapping(old) == config()


# -- unique


@pytest.mark.parametrize(
    ("wanted", "taken", "expected"),
    [
        (["Tiny"], [], "Tiny"),
        (["Tiny"], ["Tiny"], "Tiny (2)"),
        (["Tiny"], ["Tiny", "Tiny (2)", "Tiny (4)"], "Tiny (3)"),
        (["Tiny (2)"], ["Tiny"], "Tiny (2)"),
        (["Tiny (2)"], ["Tiny", "Tiny (2)"], "Tiny (3)"),
        (["a", "b"], ["b"], "a,b (2)"),
        (["a", "a (2)"], ["a"], "a (2),a (3)"),
        (["tiny"], ["Tiny"], "tiny"),
    ],
)
def test_a_taken_name_gets_a_number(wanted, taken, expected):
    assert ",".join(free_names(wanted, taken)) == expected


@pytest.mark.parametrize(
    ("names", "plain", "expected"),
    [
        ("Tiny (2)", "Tiny", True),
        ("Tiny", "Tiny", True),
        ("a (2),b", "a,b", True),
        ("Tiny (2) (3)", "Tiny (2)", True),
        ("Tiny", "Tiny (2)", False),
        ("Tiny (0)", "Tiny", False),
        ("Tinyx (2)", "Tiny", False),
        ("a", "a,b", False),
    ],
)
def test_a_number_tells_names_apart_that_are_else_the_same(names, plain, expected):
    assert are_numbered(names_in(names), names_in(plain)) is expected


@pytest.mark.parametrize(
    ("asked", "former", "expected"),
    [
        (config(), ["Tiny (2)"], "Tiny (2)"),
        (config(), ["Tiny"], "Tiny"),
        (config(), [], None),
        (config(alias="coder"), ["Tiny (2)"], "coder"),
        (config(alias="coder"), ["coder (3)"], "coder (3)"),
        (config(extra_args=("--alias", "coder")), ["coder (3)"], "coder (3)"),
        (config(" , ", "/m/,.gguf"), [], None),
    ],
)
def test_a_server_keeps_its_name_over_a_restart(asked, former, expected):
    assert asked.named_as_before(former).alias == expected


# -- on the command line


def test_it_is_said_where_the_engine_lists_it():
    argv = server_argv(config().named(["Tiny"]), ENGINE, 9001)
    assert argv[argv.index("--alias") + 1] == "Tiny (2)"
    for said in (config(alias="coder"), config().named()):
        assert not {"--alias", "-a"} & {*server_argv(said, WITHOUT_ALIAS, 9001)}


@pytest.mark.parametrize(
    ("words", "alias", "others"),
    [
        (("--alias", "x"), "x", ()),
        (("-a", "x"), "x", ()),
        (("--alias=x=y",), "x=y", ()),
        (("-a=x",), "x", ()),
        (("--verbose", "-a", "x", "-t", "4"), "x", ("--verbose", "-t", "4")),
        (("--alias", "one", "-a", "two"), "one,two", ()),
        (("--alias", "a, b", "--tags", "t"), "a, b", ("--tags", "t")),
        (("--alias", "--verbose"), "--verbose", ()),
        (("--alias=",), "", ()),
        (("--verbose", "--alias"), None, ("--verbose", "--alias")),
        (("--aliases", "x"), None, ("--aliases", "x")),
        ((), None, ()),
    ],
)
def test_it_is_found_among_arguments_in_every_spelling(words, alias, others):
    assert alias_taken_out(words) == (alias, others)


def test_a_name_among_the_extra_arguments_starts_as_ever():
    asked = config(extra_args=("--verbose", "--alias", "coder"))
    assert asked.extra_args == ("--verbose", "--alias", "coder"), "what was given stays as it is"
    argv = server_argv(asked, ENGINE, 9001)
    assert argv[-3:] == ("--verbose", "--alias", "coder")
    named = server_argv(asked.named(["coder"]), ENGINE, 9001)
    assert named[-3:] == ("--alias", "coder (2)", "--verbose")
    # A flag without its value is for the engine to refuse.
    assert server_argv(config(extra_args=("--alias",)).named(), ENGINE, 9001).count("--alias") == 1


def test_two_places_at_once_are_one_too_many():
    both = config(alias="a", extra_args=("-a", "b"))
    (objection,) = objections(both.named(), CAPABILITIES)
    assert isinstance(objection, ConfigurationError)
    assert str(objection) == "extra_args: -a is decided by the field Name for clients (got '-a')"


# -- what earlier versions stored


STORED = '{"context_size": 512, "extra_args": ["--verbose", "--alias", "my, model"], "mtp": "off"}'


def test_what_is_stored_moves_into_the_field():
    read = LaunchOptions.from_json(STORED)
    assert (read.context_size, read.alias, read.extra_args) == (512, "my,model", ("--verbose",))
    assert LaunchOptions.from_json(read.to_json()) == read


@pytest.mark.parametrize("words", [["--alias", "x"], ["-a", "x"], ["--alias=x"], ["-a", "x", "--alias", "y"]])
def test_a_layer_that_had_nothing_else_still_keeps_out_the_arguments_of_weaker_layers(words):
    """What was started without them may be refused with them."""
    app = LaunchOptions(extra_args=("--embedding",))
    for layer in (LaunchOptions.from_mapping({"extra_args": words}), LaunchOptions(extra_args=tuple(words))):
        resolved = resolve(LaunchOptions(), layer, app)
        assert (resolved.options.extra_args, resolved.source("extra_args")) == ((), Source.MODEL)
        assert resolve(layer, app, app).options.extra_args == ()
    stored = LaunchOptions.from_mapping({"extra_args": words})
    assert LaunchOptions.from_json(stored.to_json()) == stored
    preset = {"name": "p", "options": {"extra_args": words}}
    assert read_presets({"format": 1, "preset": [preset]}).presets[0].options == stored


def test_a_server_started_by_such_a_layer_does_not_differ_from_what_is_saved():
    saved = resolve(LaunchOptions(), LaunchOptions.from_mapping({"extra_args": ["-a", "x"]}), LaunchOptions())
    running = options_of(config(extra_args=("-a", "x")))
    assert (running.alias, running.extra_args) == (saved.options.alias, saved.options.extra_args) == ("x", ())


def test_the_settings_file_says_it_anew_when_it_is_saved():
    reading = read_settings({"defaults": {"threads": 3, "extra_args": ["--alias", "everyone"]}})
    assert reading.settings == AppSettings(defaults=LaunchOptions(threads=3, alias="everyone"))
    assert reading.moved == {("defaults", "alias"): "everyone", ("defaults", "extra_args"): None}
    assert read_settings({"defaults": {"alias": "x"}}).moved == {}


def test_a_file_of_presets_moves_it():
    options = {"extra_args": ["-a", "coder", "--cache-ram", "0"]}
    reading = read_presets({"format": 1, "preset": [{"name": "p", "options": options}]})
    assert reading.presets[0].options == LaunchOptions(alias="coder", extra_args=("--cache-ram", "0"))


def test_the_stronger_layer_names_it_wherever_it_says_so():
    model = LaunchOptions(alias="model's")
    launch = LaunchOptions(extra_args=("--alias", "this one"))
    resolved = resolve(launch, model, LaunchOptions())
    assert (resolved.options.alias, resolved.source("alias")) == ("this one", Source.LAUNCH)
    assert resolved.options.extra_args == ()
    nothing = resolve(LaunchOptions(), LaunchOptions(), LaunchOptions())
    assert (nothing.options, nothing.source("alias")) == (BUILT_IN, Source.BUILT_IN)


def test_a_record_of_an_earlier_version_tells_the_choice():
    old = config(extra_args=("--alias", "coder", "--verbose"))
    assert (options_of(old).alias, options_of(old).extra_args) == ("coder", ("--verbose",))


# -- pasted


@pytest.mark.parametrize(
    ("words", "alias"),
    [
        ("--alias coder", "coder"),
        ("-a coder", "coder"),
        ("--alias=coder", "coder"),
        ("--alias 'a, b'", "a,b"),
        ("--alias one -a two", "one,two"),
    ],
)
def test_pasted_lines_fill_the_field(words, alias):
    check_pasted(f"llama-server -m x.gguf {words}", {"model": "x.gguf", "alias": alias}, ["model: -m x.gguf"])


def test_a_pasted_variable_fills_it_too():
    text = "LLAMA_ARG_ALIAS=coder llama-server -m x.gguf --alias more"
    check_pasted(text, {"model": "x.gguf", "alias": "coder,more"}, ["model: -m x.gguf"])
