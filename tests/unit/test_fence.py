"""Two fences: one around what llama.cpp calls things, one around what touches processes.

llama.cpp's words are its flags, variables, endpoints, log lines and the keys of its answers.
"""

import ast
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
# Some of their words are spelled alike.
OTHER_ENGINES = {
    "dasllama": ("domain/dasllama/", "adapters/engines/dasllama/"),
    "vllm": ("domain/vllm/", "adapters/engines/vllm/"),
}
SHARED = ("domain/openai/", "adapters/engines/openai/")
COMPOSITION = "adapters/runner/kinds.py"
# Those that touch processes: asking.py runs a program with one flag to its end, and the link is a process of ssh.
TOUCHING = ("adapters/places/", "adapters/machine/", "adapters/ssh/", "adapters/engines/asking.py")
TOUCH = re.compile(
    r"/proc\b|\bfrom os import\b|\bos\.(?:kill|fork|exec|posix_spawn|spawn|wait|pidfd_|system|popen)\w*"
    r"|\b(?:psutil|pynvml|multiprocessing|QProcess|send_signal|pidfd_send_signal|pthread_kill|\w*subprocess\w*)\b"
)
LISTED = parse_help(HELP)
SPELLINGS = {*LISTED.spellings, *LISTED.removed}
# Every program has the two that are left out.
FLAGS = {flag for flag in SPELLINGS if flag.startswith("--")} - {"--help", "--version"}
# Python's own is left out too.
SHORT_FLAGS = {flag for flag in SPELLINGS if re.fullmatch(r"-\w[\w-]*", flag)} - {"-h", "-v", "-m"}
VARIABLES = frozenset(LISTED.environment)
ENDPOINTS = (
    "apply-template|chat/completions|completions?|detokenize|embeddings?|health|infill|lora-adapters|messages|metrics"
    "|models|props|rerank(?:ing)?|responses|slots|tokenize"
)
ENDPOINT = re.compile(rf"[\"'` }}](?:/v1)?(/(?:{ENDPOINTS}))(?![\w/-])")
# What else has the same name: options, facts and fields of ours, and words of chat templates.
NAMED_ALIKE = {
    "chat_template",
    "draft_n",
    "extra_args",
    "image_url",
    "log_lines",
    "model_path",
    "prompt_ms",
    "prompt_n",
    "reasoning_content",
    "require_api_key",
    "spec_draft_model",
    "spec_draft_n_max",
    "spec_type",
}
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


def sources(*, inside: tuple[str, ...] = (), outside: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if (not inside or name.startswith(inside)) and not name.startswith(outside):
            yield name, path.read_text(encoding="utf-8")


def keys() -> set[str]:
    """Of its answers, as the fenced code spells them. One word may mean anything, two joined by a line do not."""
    trees = (ast.parse(text) for _name, text in sources(inside=("domain/llama_cpp/", "adapters/engines/llama_cpp/")))
    words = (node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {word for word in words if isinstance(word, str) and re.fullmatch(r"[a-z]+(_[a-z]+)+", word)} - NAMED_ALIKE


KEYS = keys()


def known(text: str) -> Iterator[str]:
    """What of llama.cpp's a source knows, in comments too."""
    yield from FLAGS.intersection(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", text))
    yield from SHORT_FLAGS.intersection(re.findall(r"(?<=[\"'`])-\w[\w-]*|(?<=\w )-[a-z][\w-]+", text))
    yield from VARIABLES.intersection(re.findall(r"\b[A-Z][A-Z0-9_]+\b", text))
    yield from ENDPOINT.findall(text)
    yield from KEYS.intersection(re.findall(r"[\"'`](\w+)[\"'`]", text))
    yield from (phrase for phrase in PHRASES if phrase in text.lower())


def test_nothing_outside_knows_a_word_of_llama_cpp():
    others = (*SHARED, *(folder for folders in OTHER_ENGINES.values() for folder in folders))
    found = {(name, word) for name, text in sources(outside=(*INSIDE, *others)) for word in known(text)}
    assert found == set()


@pytest.mark.parametrize("engine", OTHER_ENGINES)
def test_only_the_composition_names_another_engine(engine):
    found = {name for name, text in sources(outside=OTHER_ENGINES[engine]) if engine in text}
    assert found <= {COMPOSITION}


def test_only_places_touch_processes():
    found = {(name, word) for name, text in sources(outside=TOUCHING) for word in TOUCH.findall(text)}
    assert found == set()


@pytest.mark.parametrize(
    "source",
    [
        "os.kill(pid, 9)",
        "from os import kill",
        'open("/proc/1/cmdline")',
        "import subprocess",
        "await asyncio.create_subprocess_exec()",
        "process.send_signal(9)",
        "psutil.pids()",
    ],
)
def test_what_counts_as_touching_a_process(source):
    assert TOUCH.search(source)


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ('words = ("--ctx-size", "4096")', "--ctx-size"),
        ("# as --n-gpu-layers says", "--n-gpu-layers"),
        ('environment["LLAMA_API_KEY"]', "LLAMA_API_KEY"),
        ('await get(url + "/props")', "/props"),
        ('f"{url}/v1/chat/completions"', "/chat/completions"),
        ('"/lora-adapters"', "/lora-adapters"),
        ('("-ngl", 99)', "-ngl"),
        ("# serve -ngl 99", "-ngl"),
        ("argv += ['-c']", "-c"),
        ('answer["n_ctx"]', "n_ctx"),
        ('"E load: Failed to open GGUF file"', "failed to open gguf file"),
    ],
)
def test_what_counts_as_knowing(source, word):
    assert word in set(known(source))


def test_the_recorded_help_lists_what_is_looked_for():
    assert {"--ctx-size", "--spec-type", "--alias"} <= FLAGS
    assert {"LLAMA_API_KEY", "LLAMA_ARG_ALIAS"} <= VARIABLES
    assert {"-ngl", "-c", "-ctk"} <= SHORT_FLAGS
    assert {"n_ctx", "is_processing", "predicted_per_second"} <= KEYS
    assert len(PHRASES) > 30
