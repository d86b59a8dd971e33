"""The command line of llama-server in router mode, written and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.llama_cpp.argv import fixed_arguments, key_objections, unowned_arguments
from gglib_desktop.domain.llama_cpp.processes import is_llama_server, value_of
from gglib_desktop.domain.options.arguments import flag_of
from gglib_desktop.domain.options.host import LOOPBACK
from gglib_desktop.domain.servers.server import ServerConfig

PRESET_FLAG = "--models-preset"
_MODES = frozenset({PRESET_FLAG, "--models-dir"})


def router_argv(config: ServerConfig, engine: Engine, port: int, *, host: str | None = None) -> tuple[str, ...]:
    """The command line that serves the models in the preset file of ``config``. Raises: ConfigurationError."""
    if not engine.capabilities.supports(PRESET_FLAG):
        raise ConfigurationError("engine", str(engine.path), "this engine has no router mode")
    for objection in key_objections(config, engine.capabilities):
        raise objection
    address = host or config.host or LOOPBACK
    words = fixed_arguments(PRESET_FLAG, config, engine.capabilities, address, port)
    return (*engine.command, *words, *unowned_arguments(config, engine.capabilities))


def is_router_process(program: str, argv: Sequence[str]) -> bool:
    """As ``is_llama_server``, for one in router mode."""
    return is_llama_server(program, argv) and not _MODES.isdisjoint(map(flag_of, argv))


def is_model_process(program: str, argv: Sequence[str]) -> bool:
    """As ``is_llama_server``, for one that serves a model itself."""
    return is_llama_server(program, argv) and not is_router_process(program, argv)


def stated_preset(argv: Sequence[str], environment: Mapping[str, str]) -> Path | None:
    """The file of presets as named; None for one that looks for models in a folder."""
    named = value_of(argv, frozenset({PRESET_FLAG})) or environment.get("LLAMA_ARG_MODELS_PRESET")
    return Path(named) if named else None
