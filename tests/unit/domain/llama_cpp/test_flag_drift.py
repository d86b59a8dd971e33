"""Flags that a build renamed or removed are translated, or refused with what to use instead."""

from dataclasses import replace
from pathlib import Path

import pytest

from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities, EngineSource
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.llama_cpp.argv import objections, server_argv
from gglib_desktop.domain.llama_cpp.diagnosis import diagnose, offending_flag
from gglib_desktop.domain.llama_cpp.flag_drift import (
    known_spellings,
    option_with,
    translated,
    unlisted_flags,
    without_option,
)
from gglib_desktop.domain.llama_cpp.help import parse_help
from gglib_desktop.domain.options.arguments import shell_line
from gglib_desktop.domain.servers.failures import ServerExit
from gglib_desktop.domain.servers.server import ServerConfig
from tests.fakes.recorded import HELP as RECORDED

# As builds of 2025 put it, before the flags of drafting got their prefix.
OLD = """\
----- common params -----

-h,    --help, --usage                  print usage and exit
-c,    --ctx-size N                     size of the prompt context (default: 4096, 0 = loaded from model)
                                        (env: LLAMA_ARG_CTX_SIZE)
-n,    --predict, --n-predict N         number of tokens to predict (default: -1, -1 = infinity)
-ngl,  --gpu-layers, --n-gpu-layers N   number of layers to store in VRAM
-m,    --model FNAME                    model path

----- example-specific params -----

--host HOST                             ip address to listen
--port PORT                             port to listen (default: 8080)
--metrics                               enable prometheus compatible metrics endpoint (default: disabled)
--jinja                                 use jinja template for chat (default: disabled)
--draft-max, --draft, --draft-n N       number of tokens to draft for speculative decoding (default: 16)
                                        (env: LLAMA_ARG_DRAFT_MAX)
--draft-min, --draft-n-min N            minimum number of draft tokens to use for speculative decoding
--draft-p-min P                         minimum speculative decoding probability (greedy) (default: 0.8)
--spec-type [none|draft|ngram-cache]    type of speculative decoding
"""
NEWER = (
    RECORDED.replace("-ngl,  --gpu-layers, --n-gpu-layers N", "--gpu-layers N")
    .replace("--spec-draft-p-min, --draft-p-min P ", "--spec-draft-p-min P ")
    .replace("--draft, --draft-n, --draft-max N       the argument has been removed. use", "--gone-for-good N       x")
    + "--draft-p-min P                         the argument has been removed. use --spec-draft-p-min\n"
    + "--no-advice                             the argument has been removed\n"
)


def engine(text: str) -> Engine:
    return Engine(Path("/opt/llama-server"), "1", parse_help(text), EngineSource.PATH)


def config(*extra_args: str, **changes: object) -> ServerConfig:
    return ServerConfig(1, "Tiny", Path("/models/tiny.gguf"), 9000, extra_args=extra_args).replace(**changes)


def line(text: str, *extra_args: str, **changes: object) -> str:
    """What is said after what is always said."""
    argv = server_argv(config(*extra_args, **changes), engine(text), 9000)
    return shell_line(argv).partition("--metrics")[2].replace(" --cors-origins localhost", "").strip()


def refusals(text: str, *extra_args: str, **changes: object) -> list[tuple[str, str]]:
    return [
        (error.field, error.reason) for error in objections(config(*extra_args, **changes), engine(text).capabilities)
    ]


# -- translated


@pytest.mark.parametrize(
    ("text", "given", "said"),
    [
        (RECORDED, "--draft-max 4", "--spec-draft-n-max 4"),
        (RECORDED, "--draft 4 --draft-p-min=0.5", "--spec-draft-n-max 4 --draft-p-min=0.5"),
        (RECORDED, "--draft_n=4", "--spec-draft-n-max=4"),
        (RECORDED, "-ngl 5 --gpu-layers 6", "-ngl 5 --gpu-layers 6"),
        (RECORDED, "--spec-type draft,ngram-cache", "--spec-type draft-simple,ngram-cache"),
        (RECORDED, "--spec-type=draft", "--spec-type=draft-simple"),
        (OLD, "--spec-draft-n-max 4 --spec-draft-p-min 0.5", "--draft-max 4 --draft-p-min 0.5"),
        (OLD, "--draft-max 4 --draft-min 1", "--draft-max 4 --draft-min 1"),
        (OLD, "--spec-type draft-simple", "--spec-type draft"),
        (OLD, "--temp 1 --never-heard-of 3", "--temp 1 --never-heard-of 3"),
        (NEWER, "-ngl 5", "--gpu-layers 5"),
        (NEWER, "--n-gpu-layers=all", "--gpu-layers=all"),
        (NEWER, "--draft-p-min 0.5", "--spec-draft-p-min 0.5"),
        (NEWER, "--draft-max 4", "--spec-draft-n-max 4"),
        (NEWER, "-x -1 -", "-x -1 -"),
    ],
)
def test_extra_arguments_are_said_in_the_engines_own_words(text, given, said):
    assert refusals(text, *given.split()) == []
    assert line(text, *given.split()) == said


@pytest.mark.parametrize(
    ("text", "changes", "said"),
    [
        (RECORDED, {"gpu_layers": 5}, "-ngl 5"),
        (OLD, {"gpu_layers": 5}, "-ngl 5"),
        (NEWER, {"gpu_layers": 5}, "--gpu-layers 5"),
        (
            NEWER,
            {"spec_draft_n_max": 4, "spec_draft_p_min": 0.5},
            "--spec-type draft-mtp --spec-draft-n-max 4 --spec-draft-p-min 0.5",
        ),
        (
            OLD.replace("draft|", "draft|draft-mtp|"),
            {"spec_draft_n_max": 4, "spec_draft_p_min": 0.5},
            "--spec-type draft-mtp --draft-max 4 --draft-p-min 0.5",
        ),
    ],
)
def test_fields_are_said_in_the_engines_own_words(text, changes, said):
    assert line(text, **changes) == said


def test_what_switches_something_off_is_never_translated_to_what_switches_it_on():
    assert known_spellings("--no-jinja") == ("--no-jinja",)
    assert translated(("--no-jinja",), engine(OLD).capabilities) == ("--no-jinja",)


def test_nothing_is_translated_for_an_engine_that_is_not_known():
    words = ("--draft-max", "4", "--spec-type", "draft")
    assert translated(words, parse_help("")) == words


# -- refused


@pytest.mark.parametrize(
    ("text", "given", "reason"),
    [
        (
            RECORDED,
            "--draft-min 1",
            "this engine has no flag --draft-min any more: use --spec-draft-n-min or --spec-ngram-mod-n-min",
        ),
        (
            RECORDED,
            "--spec_ngram_size_n=3",
            (
                "this engine has no flag --spec-ngram-size-n any more: "
                "use the respective --spec-ngram-*-size-n or --spec-ngram-mod-n-match"
            ),
        ),
        (NEWER, "--no-advice", "this engine has no flag --no-advice any more"),
        (
            OLD,
            "--spec-type draft-mtp",
            "this engine does not list the --spec-type draft-mtp; it lists draft, ngram-cache, none",
        ),
        (
            OLD,
            "--spec-type=none,x,y",
            "this engine does not list the --spec-type x, y; it lists draft, ngram-cache, none",
        ),
    ],
)
def test_what_an_engine_is_known_to_refuse_is_refused_before_it_starts(text, given, reason):
    assert refusals(text, *given.split()) == [("extra_args", reason)]
    with pytest.raises(ConfigurationError) as caught:
        line(text, *given.split())
    assert caught.value.reason == reason
    assert caught.value.field == "extra_args"


@pytest.mark.parametrize(
    ("text", "changes", "refused"),
    [
        (OLD, {"spec_draft_n_max": 4}, ("spec_draft_n_max", "this engine does not list draft-mtp, which MTP needs")),
        (OLD, {"jinja": False}, ("jinja", "this engine has no flag --no-jinja")),
        (OLD, {"flash_attn": "on"}, ("flash_attn", "this engine has no flag -fa")),
        (
            RECORDED.replace("--mlock ", "--mlock-pages ").replace("--load-mode MODE", "--other-mode MODE")
            + "--mlock                                 the argument has been removed. use --mlock-pages\n",
            {"mlock": True},
            ("mlock", "this engine has no flag --mlock any more: use --mlock-pages"),
        ),
    ],
)
def test_a_field_that_an_engine_lacks_is_refused_by_its_name(text, changes, refused):
    assert refusals(text, **changes) == [refused]


def test_a_translated_flag_is_still_a_fields_own_while_the_field_is_set():
    assert refusals(RECORDED, "--draft-max", "4", spec_draft_n_max=2) == [
        ("extra_args", "--draft-max is decided by the field Draft tokens")
    ]


def test_a_list_of_kinds_that_cannot_be_read_refuses_none():
    unreadable = engine(OLD.replace("[none|draft|ngram-cache]", "TYPE"))
    assert list(objections(config("--spec-type", "draft-mtp"), unreadable.capabilities)) == []


def test_removed_flags_come_with_the_engines_advice():
    removed = engine(RECORDED).capabilities.removed
    assert removed["--draft-max"] == "use --spec-draft-n-max or --spec-ngram-mod-n-max"
    assert removed["--spec-ngram-min-hits"] == "use the respective --spec-ngram-*-min-hits"
    assert replace(engine(RECORDED).capabilities, removed={}).supports("--spec-draft-n-max")


# -- what the help does not list


NEW = parse_help(RECORDED)


@pytest.mark.parametrize(
    ("words", "unlisted"),
    [
        (("--no-such-flag", "3"), ("--no-such-flag",)),
        (("--no_such_flag=3", "--no-such-flag"), ("--no-such-flag",)),
        (("--verbose", "-zz"), ("-zz",)),
        (("--rope-freq-scale", "-1", "--lora", "-x.gguf"), ()),  # values that begin with a dash
        (("--alias=-x", "--slots"), ()),
        (("stray",), ("stray",)),
        (("--draft-max", "4"), ()),  # known as removed, which is said otherwise
        ((), ()),
    ],
)
def test_flags_that_the_help_does_not_list(words, unlisted):
    assert unlisted_flags(words, NEW) == unlisted
    assert unlisted_flags(words, EngineCapabilities()) == (), "nothing is known of that engine"


@pytest.mark.parametrize(
    ("words", "flag", "left"),
    [
        (("--verbose", "--nope", "3", "--slots"), "--nope", ("--verbose", "--slots")),
        (("--nope", "--slots"), "--nope", ("--slots",)),
        (("--nope=3", "--slots"), "--nope", ("--slots",)),
        (("--lora", "-x.gguf", "--slots"), "--lora", ("--slots",)),
        (("-v", "--slots"), "--verbose", ("--slots",)),
        (("--slots",), "--nope", ("--slots",)),
    ],
)
def test_one_option_goes_with_its_values_and_the_others_stay(words, flag, left):
    assert without_option(words, flag, NEW) == left


def test_the_option_that_has_a_value():
    words = ("--verbose", "--lora", "a.gguf", "--lora-scaled=b.gguf")
    assert [option_with(words, value, NEW) for value in ("a.gguf", "b.gguf", "c.gguf")] == [
        "--lora",
        "--lora-scaled",
        "",
    ]


@pytest.mark.parametrize(
    ("said", "file", "flag"),
    [
        ("error: invalid argument: --no-such-flag", "", "--no-such-flag"),
        ('error while handling argument "--lora": expected value', "", "--lora"),
        ("failed to open GGUF file 'a.gguf'", "a.gguf", "--lora"),
        ("failed to open GGUF file 'other.gguf'", "other.gguf", ""),
        ("error: invalid argument: --of-a-field", "", ""),
        ("something else", "", ""),
    ],
)
def test_the_extra_argument_that_a_failure_is_about(said, file, flag):
    extra = ("--no-such-flag", "3", "--lora", "a.gguf")
    config = ServerConfig(1, "Tiny", Path("/m.gguf"), 9000, extra_args=extra)
    failure = replace(diagnose(ServerExit(1), [said]), file=file)
    assert offending_flag(failure, config, NEW) == flag
