"""Reads the command lines of llama-server processes, this program's or others."""

from __future__ import annotations

import math
import shlex
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from gglib_desktop.domain.llama_cpp.argv import KEY_VARIABLE
from gglib_desktop.domain.llama_cpp.help import MODEL_FLAGS, NO_SERVER_FLAGS
from gglib_desktop.domain.options.arguments import flag_of
from gglib_desktop.domain.options.client_names import alias_taken_out
from gglib_desktop.domain.options.drafting import usual_method
from gglib_desktop.domain.options.engine_options import (
    DRAFT_METHODS,
    MAX_DRAFT_TOKENS,
    NO_METHOD,
    SPEC_TYPE,
    engine_option,
)
from gglib_desktop.domain.servers.foreign import StatedSettings

# The defaults of builds up to b10434 and of later ones.
DEFAULT_PORTS = (8080, 9931)
# The engine's own number, if drafting is on without one.
DEFAULT_DRAFT_TOKENS = 3
_CONTEXT_FLAGS = frozenset({"-c", "--ctx-size"})
_GPU_FLAGS = frozenset({"-ngl", "--gpu-layers", "--n-gpu-layers"})
_DRAFT_TOKENS_FLAGS = frozenset({"--spec-draft-n-max"})
_SLEEP_FLAGS = frozenset({"--sleep-idle-seconds"})
_PROBABILITY_FLAGS = frozenset({"--spec-draft-p-min", "--draft-p-min"})


def is_llama_server(program: str, argv: Sequence[str]) -> bool:
    """Whether a process serves: by its program's file name and, for ``llama server``, its first argument."""
    name = program.lower().removesuffix(".exe")
    serves = name == "llama-server" or (name == "llama" and argv[1:2] in (["server"], ["serve"]))
    return serves and NO_SERVER_FLAGS.isdisjoint(argv)


def stated_model(argv: Sequence[str], environment: Mapping[str, str]) -> Path | None:
    """The model file as named, maybe relative to the process's folder; None for one from the network."""
    named = value_of(argv, MODEL_FLAGS) or environment.get("LLAMA_ARG_MODEL")
    return Path(named) if named else None


def server_port(argv: Sequence[str], environment: Mapping[str, str], listening: Collection[int]) -> int | None:
    """The port that it serves on. Its listening ports decide; among several, the command line.

    None if it neither listens nor names a port: the default depends on the build, so a number would be a guess.
    """
    said = value_of(argv, frozenset({"--port"})) or environment.get("LLAMA_ARG_PORT") or ""
    stated = int(said) if said.isascii() and said.isdigit() and 0 < int(said) <= 65535 else None
    wanted = DEFAULT_PORTS if stated is None else (stated,)
    return next((port for port in wanted if port in listening), min(listening, default=stated))


def stated_key(argv: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """One of the keys that it takes."""
    keys = environment.get(KEY_VARIABLE) or value_of(argv, frozenset({"--api-key"}))
    return keys.split(",")[0] if keys else None


def stated_settings(argv: Sequence[str], environment: Mapping[str, str] | None = None) -> StatedSettings:
    """The settings, so that adopting shows them and a restart keeps them."""
    method = value_of(argv, frozenset({SPEC_TYPE})) or NO_METHOD
    drafts = method != NO_METHOD and DRAFT_METHODS.complaint(method) is None
    draft_model = value_of(argv, frozenset(engine_option("spec_draft_model").spec.flags)) if drafts else None
    draft_tokens = _number(argv, _DRAFT_TOKENS_FLAGS, 1, MAX_DRAFT_TOKENS)
    probability = _number(argv, _PROBABILITY_FLAGS, 0, 1)
    context_size = _number(argv, _CONTEXT_FLAGS, 0)
    gpu_layers = _number(argv, _GPU_FLAGS, 0)
    return StatedSettings(
        context_size=None if context_size is None else int(context_size),
        gpu_layers=None if gpu_layers is None else int(gpu_layers),
        spec_draft_n_max=int(draft_tokens or DEFAULT_DRAFT_TOKENS) if drafts else None,
        spec_draft_p_min=probability if drafts else None,
        alias=",".join(filter(None, ((environment or {}).get("LLAMA_ARG_ALIAS"), alias_taken_out(argv)[0]))) or None,
        spec_draft_model=Path(draft_model) if draft_model else None,
        spec_type=None if not drafts or method == usual_method(with_file=bool(draft_model)) else method,
    )


def may_sleep(command_line: str) -> bool:
    """Whether a server with this command line, quoted for a shell, lets its model go while it is idle."""
    try:
        words = shlex.split(command_line)
    except ValueError:
        return False
    return _number(words, _SLEEP_FLAGS, 0) not in {None, 0}


def _number(argv: Sequence[str], flags: frozenset[str], least: float, most: float = math.inf) -> float | None:
    try:
        number = float(value_of(argv, flags) or "nan")
    except ValueError:
        return None  # words such as "auto", which is also the default
    return number if math.isfinite(number) and least <= number <= most else None


def value_of(argv: Sequence[str], flags: frozenset[str]) -> str | None:
    """The value of a flag, separate or after an equals sign. The last one counts, as in llama-server."""
    found = None
    for before, word in pairwise(("", *argv)):
        _flag, equals, value = word.partition("=")
        if "=" not in before and flag_of(before) in flags:
            found = word
        elif equals and flag_of(word) in flags:
            found = value
    return found
