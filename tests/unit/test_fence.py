"""Only what is inside the fence knows what llama.cpp calls things: its flags, variables, endpoints and log lines."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gglib_desktop.domain.llama_cpp import facts, log
from gglib_desktop.domain.llama_cpp.help import parse_help
from tests.fakes.recorded import HELP

ROOT = Path(__file__).parents[2] / "gglib_desktop"
INSIDE = (
    "domain/llama_cpp/",
    "domain/options/",
    "domain/commandline/",
    "adapters/engines/llama_cpp/",
)
LISTED = parse_help(HELP)
# Every program has the two that are left out.
FLAGS = {flag for flag in {*LISTED.spellings, *LISTED.removed} if flag.startswith("--")} - {"--help", "--version"}
VARIABLES = frozenset(LISTED.environment)
ENDPOINTS = ("/health", "/props", "/slots", "/v1/models", "/completion", "/metrics", "/tokenize")
# Phrases that its log is searched for, without phrases that any text may have.
PHRASES = frozenset(
    phrase.lower()
    for phrases in (
        *(words for _cause, words in log._WORDS),
        (log._GOODBYE, facts._CAPPED, facts._FITTED, facts._NO_GPU),
    )
    for phrase in phrases
    if re.fullmatch(r"[\w:']+( [\w:']+)+", phrase)
) - {"out of memory", "unknown value"}


def outside() -> Iterator[tuple[str, str]]:
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(INSIDE):
            yield name, path.read_text(encoding="utf-8")


def known(text: str) -> Iterator[str]:
    """What of llama.cpp's a source knows, in comments too."""
    yield from FLAGS.intersection(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", text))
    yield from VARIABLES.intersection(re.findall(r"\b[A-Z][A-Z0-9_]+\b", text))
    yield from (endpoint for endpoint in ENDPOINTS if re.search(rf"[\"' `]{endpoint}\b", text))
    yield from (phrase for phrase in PHRASES if phrase in text.lower())


def test_nothing_outside_knows_a_word_of_llama_cpp():
    found = {(name, word) for name, text in outside() for word in known(text)}
    assert found == set()


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ('words = ("--ctx-size", "4096")', "--ctx-size"),
        ("# as --n-gpu-layers says", "--n-gpu-layers"),
        ('environment["LLAMA_API_KEY"]', "LLAMA_API_KEY"),
        ('await get(url + "/props")', "/props"),
        ('"E load: Failed to open GGUF file"', "failed to open gguf file"),
    ],
)
def test_what_counts_as_knowing(source, word):
    assert word in set(known(source))


def test_the_recorded_help_lists_what_is_looked_for():
    assert {"--ctx-size", "--spec-type", "--alias"} <= FLAGS
    assert {"LLAMA_API_KEY", "LLAMA_ARG_ALIAS"} <= VARIABLES
    assert len(PHRASES) > 30
