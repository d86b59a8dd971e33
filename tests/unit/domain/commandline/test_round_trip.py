"""What we write as a command line, in every form, is read back as the same choices."""

import itertools
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gglib_desktop.domain.commandline.exports.export import ExportFormat, export
from gglib_desktop.domain.commandline.reading import CommandLine, NoteKind, read_command_line
from gglib_desktop.domain.engine.capabilities import Engine, EngineSource
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch.options import LaunchOptions, MtpChoice
from gglib_desktop.domain.llama_cpp.argv import server_argv
from gglib_desktop.domain.llama_cpp.help import parse_help
from gglib_desktop.domain.options.arguments import KEY_FLAGS, shell_line
from gglib_desktop.domain.options.drafting import drafting_method, needs_file
from gglib_desktop.domain.options.engine_options import (
    DRAFT_OPTIONS,
    EngineOption,
    EngineOptions,
    engine_option,
    engine_options,
)
from gglib_desktop.domain.servers.access import is_exposed
from gglib_desktop.domain.servers.server import ServerConfig
from tests.fakes.recorded import HELP

# Thousands of ways through lines that the tests of the two halves reach: counting them would take longer than going.
pytestmark = pytest.mark.no_cover


ENGINE = Engine(Path("/opt/llama-server"), "b10434", parse_help(HELP), EngineSource.ARGUMENT)
PORT = 9001
WORDS = [
    "chatml",
    "two words",
    "it's",
    'say "hi"',
    "$HOME ${X} $$ `id`",
    "%PATH% %h %%",
    "back\\slash\\",
    "{% if a %}\n{{ b }}\n",
    "# no comment",
    "-c",
    "",
    "tab\tand\rreturn",
    "’typographic‘ “quotes”",
    "é ü 漢字 😀 \u2028",
    "ExecStart=x\ncommand: y\n$env:A = 'b'",
    ";",
    "~",
    "a=b",
    "0.0.0.0",
    "C:\\models\\x.gguf ^",
]
EXTRA = [
    ("--verbose",),
    ("--tags", "my model"),
    ("-ot", "exps=CPU", "-ot", "blk=CUDA0"),
    ("--control-vector-layer-range", "1", "-2"),
    ("--no-cont-batching", "-cb"),
    ("--seed", "-1", "--nope"),
    ("--tags", "--nope"),
    ("--lora", "/lora's/a, b.gguf"),
]
CONTAINERS = {ExportFormat.DOCKER, ExportFormat.COMPOSE, ExportFormat.KUBERNETES}
IN_FRONT = {ExportFormat.LLAMA_SWAP, ExportFormat.ROUTER_PRESET}


def values_of(option: EngineOption) -> list[Any]:
    """What is tried of an option: its edges, its words, and for text what shells, units and YAML stumble over."""
    if option.name == "port":
        return [PORT]
    if option.kind is tuple:
        return EXTRA
    if option.choices:
        return list(option.choices)
    if option.name == "spec_type":
        return ["draft-simple", "draft-eagle3", "draft-mtp,ngram-mod"]
    if option.kind is bool:
        return [True, False]
    limits: Any = option.limits
    if option.kind is str:
        return [word for word in WORDS if limits is None or not limits.complaint(word)]
    if option.kind is Path:
        return [Path("/t") / word.replace("/", "-") for word in WORDS] + [Path("relative/x")]
    lowest = limits.minimum if limits.minimum is not None else limits.above + 1
    edges = [lowest, lowest + 1, 7, limits.maximum or 123456, *option.spec.words.values()]
    found = {option.kind(value) for value in edges if limits.complaint(option.kind(value)) is None}
    fractions = {value for value in (0.05, 0.75, 1e-06, 1.1) if limits.complaint(value) is None}
    return sorted(found | fractions if option.kind is float else found)


def config_of(choices: dict[str, Any]) -> ServerConfig:
    config = ServerConfig(1, "Tiny", Path("/models/tiny model.gguf"), 9000).with_values(**choices)
    lacks_file = config.spec_draft_model is None and needs_file(drafting_method(config))
    return config.replace(spec_draft_model=Path("/t/draft.gguf")) if lacks_file else config


def expected(config: ServerConfig) -> LaunchOptions:
    """The choices that the arguments say: nothing is said of what False, no drafting or no flag leaves out."""
    options = LaunchOptions(**{field.name: getattr(config, field.name) for field in fields(EngineOptions)})
    if config.spec_draft_n_max:
        usual = "draft-mtp" if config.spec_draft_model is None else "draft-simple"
        method = None if config.spec_type == usual else config.spec_type
        options = options.with_values(mtp=MtpChoice.ON, spec_type=method)
    else:
        options = options.with_values(**dict.fromkeys(DRAFT_OPTIONS))
    silent = [
        each.name
        for each in engine_options()
        if (options.get(each.name) is False and not each.has_off_flag)
        or (not each.spec.flags and each.name != "extra_args")
    ]
    return options.with_values(**dict.fromkeys(silent))


def check(config: ServerConfig, text: str, capabilities=ENGINE.capabilities, port: int | None = PORT) -> CommandLine:
    read = read_command_line(text, capabilities)
    assert read.options == expected(config).with_values(port=port)
    assert read.model == str(config.model_path)
    assert read.api_key is None
    # The key that an exposed server asks for stays in the environment.
    left_out = {NoteKind.UNRESOLVED} if is_exposed(config) or "LLAMA_API_KEY" in text else set()
    usual = {NoteKind.MODEL, NoteKind.OWNED, NoteKind.EXTRA, NoteKind.UNKNOWN, NoteKind.AROUND}
    # Extra arguments are written in another form, or lie in a folder with another name.
    other = {NoteKind.TRANSLATED} if config.extra_args else set()
    assert {note.kind for note in read.notes} <= usual | left_out | other
    again = config.replace(**{field.name: getattr(read.options, field.name) for field in fields(EngineOptions)})
    assert server_argv(again, ENGINE, PORT) == server_argv(config, ENGINE, PORT)
    return read


SINGLE = [{option.name: value} for option in engine_options() for value in values_of(option)]
PAIRS = [
    {one.name: values_of(one)[number % len(values_of(one))], two.name: values_of(two)[number % len(values_of(two))]}
    for number, (one, two) in enumerate(itertools.combinations(engine_options(), 2))
]
MANY = [
    {option.name: values_of(option)[(seed * 7 + place) % len(values_of(option))] for place, option in enumerate(chosen)}
    for seed, chosen in enumerate(engine_options()[start::step] for start in range(6) for step in (1, 2, 3, 5))
]
CHOICES = [{}, *SINGLE, *PAIRS, *MANY]


def test_there_are_enough_configurations():
    assert len({repr(choices) for choices in CHOICES}) >= 200


@pytest.mark.parametrize("choices", CHOICES, ids=repr)
def test_every_configuration_comes_back_from_every_form(choices):
    config = config_of(choices)
    argv = server_argv(config, ENGINE, PORT)
    check(config, shell_line(argv))
    # What each form writes in its own way are texts. Of numbers and words of the engine, one form tells enough.
    has_texts = any(isinstance(value, str | Path | tuple) for value in choices.values())
    forms = list(ExportFormat)
    for form in forms if len(choices) != 2 and has_texts else [forms[CHOICES.index(choices) % len(forms)]]:
        check_form(form, config)


def check_form(form: ExportFormat, config: ServerConfig) -> None:
    if form is ExportFormat.ROUTER_PRESET and config.extra_args == ("--tags", "--nope"):
        return  # without the engine's help, that a flag is a value is not known
    argv = server_argv(config, ENGINE, PORT)
    if not can_hold(form, config, argv):
        with pytest.raises(ConfigurationError):
            export(argv, form)
        return
    text = export(argv, form)
    check(seen_in(form, config), text, port=None if form in IN_FRONT else PORT)


def can_hold(form: ExportFormat, config: ServerConfig, argv: tuple[str, ...]) -> bool:
    if form in CONTAINERS:
        return config.host is None or config.host == "localhost" or config.host.replace(":", ".").count(".") >= 2
    if form is not ExportFormat.ROUTER_PRESET:
        return True
    told_once = config.extra_args[:1] not in {("-ot",), ("--control-vector-layer-range",)}
    return told_once and not any(set(word) & set(";#\r\n") or word.strip(" \t") != word for word in argv)


def seen_in(form: ExportFormat, config: ServerConfig) -> ServerConfig:
    """In a container, and behind a program, a server listens where they want; a container has no current folder."""
    if form in CONTAINERS and config.chat_template_file:
        config = config.replace(chat_template_file=config.chat_template_file.absolute())
    return config.replace(host=None) if form in CONTAINERS | IN_FRONT else config


@pytest.mark.parametrize("choices", [{}, *SINGLE], ids=repr)
def test_it_comes_back_when_no_engine_is_known(choices):
    if choices.get("extra_args") != ("--tags", "--nope"):
        config = config_of(choices)
        check(config, export(server_argv(config, ENGINE, PORT), ExportFormat.SCRIPT), None)


def strategy(option: EngineOption) -> st.SearchStrategy:
    if option.kind is str and not option.limits:
        # A word that would name a key, as a value too, makes an export leave out the word behind it.
        texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
        return texts.filter(lambda text: text.partition("=")[0] not in KEY_FLAGS)
    if option.kind is Path:
        return strategy(engine_option("chat_template")).map(
            lambda text: Path("/" + text.lstrip("/"))
        )  # two slashes are no file
    limits: Any = option.limits
    if option.kind is int and limits and option.name != "port":
        lowest = limits.minimum if limits.minimum is not None else int(limits.above) + 1
        return st.integers(int(lowest), None if limits.maximum is None else int(limits.maximum))
    if option.kind is float:
        beyond = limits.above is not None
        lowest = limits.above if beyond else limits.minimum
        return st.floats(lowest, limits.maximum, exclude_min=beyond, allow_infinity=False)
    return st.sampled_from(values_of(option))


ANY_CHOICES = st.fixed_dictionaries({}, optional={option.name: strategy(option) for option in engine_options()})


@settings(max_examples=150, deadline=None)
@given(ANY_CHOICES, strategy(engine_option("chat_template_file")), st.sampled_from(ExportFormat))
def test_whatever_is_chosen_comes_back(choices, model_path, form):
    # A file has a name, and is in a folder that has one.
    check_form(form, config_of(choices).replace(model_path=Path("/m") / f"x{model_path}"))


@pytest.mark.parametrize("path", ["/models/server", "/srv/SERVER", "/m/llama-server", "/m/llama serve"])
@pytest.mark.parametrize("form", ExportFormat)
def test_a_model_may_have_the_name_of_the_program(path, form):
    check_form(form, config_of({}).replace(model_path=Path(path)))
