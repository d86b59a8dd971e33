"""Where an engine has --load-mode alone, what --mmap, --mlock and -dio said becomes a value of it."""

import re
from pathlib import Path

import pytest

from gglib_desktop.domain.engine.capabilities import Engine, EngineSource
from gglib_desktop.domain.llama_cpp.argv import objections, server_argv
from gglib_desktop.domain.llama_cpp.help import parse_help
from gglib_desktop.domain.options.arguments import shell_line
from gglib_desktop.domain.servers.server import ServerConfig
from tests.fakes.recorded import HELP
from tests.unit.domain.commandline.pasted import check_pasted

_FORMER = re.compile(r"^(?:--mlock|--mmap,|-dio,)(?:.*\n(?= {40}))*.*\n", re.MULTILINE)
ALONE = _FORMER.sub("", HELP)
REMOVED = ALONE + (
    "--mlock                                 the argument has been removed. use --load-mode mlock\n"
    "--mmap, --no-mmap                       the argument has been removed. use --load-mode\n"
    "-dio, --direct-io                       the argument has been removed. use --load-mode dio\n"
)
FEWER = re.sub(
    r"^-lm,(?:.*\n(?= {40}))*.*\n", "-lm,   --load-mode [mmap|none|mlock|dio]  how\n", ALONE, flags=re.MULTILINE
)


def engine(text: str) -> Engine:
    return Engine(Path("/opt/llama-server"), "1", parse_help(text), EngineSource.PATH)


def config(*extra_args: str, **changes: object) -> ServerConfig:
    return ServerConfig(1, "Tiny", Path("/models/tiny.gguf"), 9000, extra_args=extra_args).replace(**changes)


def said(text: str, *extra_args: str, **changes: object) -> str:
    """What the command line says of it."""
    line = shell_line(server_argv(config(*extra_args, **changes), engine(text), 9000))
    return line.partition("--cors-origins localhost")[2].strip()


def test_the_recorded_help_has_both():
    capabilities = parse_help(HELP)
    assert capabilities.load_modes == {"auto", "none", "mmap", "mlock", "mmap+mlock", "dio"}
    assert parse_help(FEWER).load_modes == {"mmap", "none", "mlock", "dio"}
    assert all(capabilities.supports(flag) for flag in ("--load-mode", "--mlock", "--no-mmap", "-ndio"))
    assert not any(parse_help(ALONE).supports(flag) for flag in ("--mlock", "--no-mmap", "-ndio"))


@pytest.mark.parametrize("text", [ALONE, REMOVED, FEWER])
@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"mmap": False}, "--load-mode none"),
        ({"mmap": True}, "--load-mode mmap"),
        ({"mlock": True}, "--load-mode mlock"),
        ({"mlock": True, "mmap": False, "threads": 2}, "-t 2 --load-mode mlock"),
        ({"mlock": False}, ""),
    ],
)
def test_fields(text, changes, line):
    assert said(text, **changes) == line


def test_a_map_that_is_locked_is_a_mode_where_the_engine_lists_it():
    assert said(ALONE, mmap=True, mlock=True) == "--load-mode mmap+mlock"
    assert said(FEWER, mmap=True, mlock=True) == "--load-mode mlock"


@pytest.mark.parametrize("text", [ALONE, REMOVED])
@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("-dio", "--load-mode dio"),
        ("--direct-io --verbose", "--load-mode dio --verbose"),
        ("-ndio", "--load-mode mmap"),
        ("--no_mmap -cmoe --mlock --swa-full", "-cmoe --load-mode mlock --swa-full"),
        ("--mlock --no-mmap", "--load-mode mlock"),
        ("--mmap --mlock", "--load-mode mmap+mlock"),
        ("-dio --mmap", "--load-mode mmap"),
        ("--load-mode none", "--load-mode none"),
        ("-lm dio", "-lm dio"),
    ],
)
def test_extra_arguments(text, given, line):
    assert said(text, *given.split()) == line


def test_extra_arguments_beside_fields():
    assert said(ALONE, "--no-mmap", mlock=True) == "--load-mode mlock --load-mode mlock"
    assert said(ALONE, "-dio", mlock=True) == "--load-mode mlock --load-mode dio"
    refused = [
        ("extra_args", "--load-mode is decided by the field Lock in memory"),
        ("extra_args", "-lm is decided by the field Lock in memory"),
        ("extra_args", "--mlock is decided by the field Lock in memory"),
    ]
    words = ("--load-mode", "none", "-lm", "none", "--mlock")
    found = objections(config(*words, mlock=True), engine(ALONE).capabilities)
    assert [(each.field, each.reason) for each in found] == refused


def test_a_value_that_reads_like_a_flag_stays():
    assert said(ALONE, chat_template="--mlock", mlock=True) == "--chat-template --mlock --load-mode mlock"


@pytest.mark.parametrize(
    ("extra", "changes", "line"),
    [
        ((), {"mlock": True, "mmap": False}, "--mlock --no-mmap"),
        (("-dio", "--mlock"), {}, "-dio --mlock"),
        (("--load-mode", "none"), {"mlock": True}, "--mlock --load-mode none"),
    ],
)
def test_an_engine_that_lists_both_is_told_as_ever(extra, changes, line):
    assert said(HELP, *extra, **changes) == line


@pytest.mark.parametrize(
    ("text", "fields", "notes"),
    [
        ("llama-server --no-mmap --mlock", {"mmap": False, "mlock": True}, []),
        ("LLAMA_ARG_MMAP=0 llama-server --jinja", {"mmap": False, "jinja": True}, []),
        ("llama-server -dio -c 1", {"context_size": 1, "extra_args": ("-dio",)}, ["extra: -dio"]),
        (
            "LLAMA_ARG_DIO=1 llama-server",
            {"extra_args": ("--direct-io",)},
            ["translated: LLAMA_ARG_DIO=1 -> --direct-io"],
        ),
        ("llama-server --load-mode none", {"mmap": False}, []),
        ("llama-server -lm mlock --mlock", {"mlock": True}, ["repeated: -lm mlock"]),
        ("LLAMA_ARG_LOAD_MODE=mmap+mlock llama-server", {"mmap": True, "mlock": True}, []),
        (
            "llama-server --load-mode dio -c 1",
            {"context_size": 1, "extra_args": ("--load-mode", "dio")},
            ["extra: --load-mode dio"],
        ),
        ("llama-server --load-mode $MODE -c 1", {"context_size": 1}, ["unresolved: --load-mode '$MODE'"]),
    ],
)
def test_pasted_lines(text, fields, notes):
    check_pasted(text, fields, notes, parse_help(ALONE))


def test_a_pasted_line_for_an_engine_that_lists_both():
    fields = {"mmap": False, "extra_args": ("--load-mode", "none", "-dio")}
    check_pasted("llama-server --no-mmap --load-mode none -dio", fields, ["extra: --load-mode none", "extra: -dio"])
