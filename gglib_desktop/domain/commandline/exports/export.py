"""A server's command line as something to run elsewhere: for a shell, a service, a container or a program in front.

Keys are never written: each format says where to put one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from gglib_desktop.domain.commandline.exports.containers import compose, docker_run
from gglib_desktop.domain.commandline.exports.kubernetes import kubernetes
from gglib_desktop.domain.commandline.exports.llama_swap import llama_swap
from gglib_desktop.domain.commandline.exports.router_preset import router_preset
from gglib_desktop.domain.commandline.exports.shells import powershell, script, sh, systemd
from gglib_desktop.domain.commandline.variables import SECRET_NAME
from gglib_desktop.domain.llama_cpp.argv import KEY_VARIABLE
from gglib_desktop.domain.options.arguments import flag_of
from gglib_desktop.domain.options.host import is_loopback

_KEYS = {"--api-key": KEY_VARIABLE, "-hft": "HF_TOKEN", "--hf-token": "HF_TOKEN"}
_LLAMA_CPP = "llama.cpp"


class ExportFormat(StrEnum):
    """The formats that a command line can be written in."""

    SH = "sh"
    POWERSHELL = "powershell"
    SCRIPT = "script"
    SYSTEMD = "systemd"
    DOCKER = "docker"
    COMPOSE = "compose"
    KUBERNETES = "kubernetes"
    LLAMA_SWAP = "llama-swap"
    ROUTER_PRESET = "router preset"


_OF_ANY_ENGINE = (ExportFormat.SH, ExportFormat.POWERSHELL, ExportFormat.SCRIPT, ExportFormat.SYSTEMD)


def formats_for(engine: str | None) -> tuple[ExportFormat, ...]:
    """The formats for an engine, by its id; None is llama.cpp. The others name its image, or speak of its flags."""
    return tuple(ExportFormat) if engine in {None, _LLAMA_CPP} else _OF_ANY_ENGINE


def export(argv: Sequence[str], form: ExportFormat, environment: Mapping[str, str] | None = None) -> str:
    """The command line in that format. It ends in a line break except for the two formats that are one line.

    ``argv`` is that of ``server_argv``, ``environment`` what else is set for the server. PowerShell passes on a double
    quote inside a word from version 7.3. Raises: ConfigurationError for the choice that the format cannot hold.
    """
    words, keys = _without_keys(argv)
    settings = {name: value for name, value in (environment or {}).items() if not SECRET_NAME.search(name)}
    keys += [name for name in environment or {} if name not in settings and name not in keys]
    asks_for_key = any(name.endswith("API_KEY") for name in keys)
    if not is_loopback(dict(itertools.pairwise(words)).get("--host")) and not asks_for_key:
        # A server that other computers reach asks for a key, here as when the program starts it.
        keys.append(KEY_VARIABLE)
    return _WRITERS[form](words, settings, keys)


def _without_keys(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words without keys, and the variables that take them."""
    words: list[str] = []
    variables: list[str] = []
    rest = iter(argv)
    for word in rest:
        variable = _KEYS.get(flag_of(word))
        if variable is None:
            words.append(word)
            continue
        if "=" not in word:
            next(rest, None)
        if variable not in variables:
            variables.append(variable)
    return words, variables


_WRITERS: Mapping[ExportFormat, Callable[[Sequence[str], Mapping[str, str], Sequence[str]], str]] = {
    ExportFormat.SH: sh,
    ExportFormat.POWERSHELL: powershell,
    ExportFormat.SCRIPT: script,
    ExportFormat.SYSTEMD: systemd,
    ExportFormat.DOCKER: docker_run,
    ExportFormat.COMPOSE: compose,
    ExportFormat.KUBERNETES: kubernetes,
    ExportFormat.LLAMA_SWAP: llama_swap,
    ExportFormat.ROUTER_PRESET: router_preset,
}
