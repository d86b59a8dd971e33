"""A server's configuration as llama-server's command line and environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities
from gglib_desktop.domain.environment import for_other_programs
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.llama_cpp.companions import drafting_arguments, drafting_objections
from gglib_desktop.domain.llama_cpp.flag_drift import drift_objections, spelling_for, translated, why_unsupported
from gglib_desktop.domain.llama_cpp.load_mode import (
    LOAD_MODE,
    LOADING_FLAGS,
    became_load_mode,
    load_mode,
    with_load_mode,
)
from gglib_desktop.domain.options.arguments import flag_of
from gglib_desktop.domain.options.engine_options import (
    DRAFT_OPTIONS,
    EngineOption,
    engine_option,
    engine_options,
    name_of,
)
from gglib_desktop.domain.options.host import LOOPBACK
from gglib_desktop.domain.servers.access import is_exposed, needs_key
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.units import shortest

KEY_VARIABLE = "LLAMA_API_KEY"
_ADAPTER_FLAGS = frozenset({"--lora", "--lora-scaled"})
_NOT_TYPED = frozenset({"host", "port"})


# Flags that the program itself always decides, with what to say if the user sets them.
_ALWAYS_OWNED = {
    "-m": "is decided by the model that is started",
    "--model": "is decided by the model that is started",
    "--port": "is decided by the field Server port",
    "--host": "is decided by the field Host",
    "--metrics": "is always on; leave it out",
    "--api-key": "cannot be used: a key in a command line is no secret; choose it in the field API key",
    "--api-key-file": "is decided by the field API key, and the program keeps the key",
    "--api-prefix": "cannot be used: the server could not be asked how it is",
    "--ssl-key-file": "cannot be used: the server could not be asked how it is",
    "--ssl-cert-file": "cannot be used: the server could not be asked how it is",
}


def server_argv(
    config: ServerConfig, engine: Engine, port: int, *, host: str | None = None, mtp_suppressed: bool = False
) -> tuple[str, ...]:
    """The exact command line that serves ``config`` on ``port``, the program first. ``host``: if not the config's own.

    Raises ConfigurationError if ``extra_args`` sets a flag that a field decides, or if the engine lacks a flag
    that a set field needs.
    """
    for objection in objections(config, engine.capabilities, mtp_suppressed=mtp_suppressed):
        raise objection
    owned = fixed_arguments("-m", config, engine.capabilities, host or config.host or LOOPBACK, port)
    typed = _typed_arguments(config, engine.capabilities, mtp_suppressed=mtp_suppressed)
    words = _in_words_of(engine.capabilities, typed)
    return (*engine.command, *owned, *words, *_extra_arguments(config, typed, engine.capabilities))


def objections(
    config: ServerConfig, capabilities: EngineCapabilities, *, mtp_suppressed: bool = False
) -> Iterator[ConfigurationError]:
    """All objections to serving ``config`` with this engine: one for each field and flag."""
    typed = _typed_arguments(config, capabilities, mtp_suppressed=mtp_suppressed)
    if config.spec_draft_n_max and not mtp_suppressed:
        yield from drafting_objections(config, capabilities)
    yield from key_objections(config, capabilities)
    for field, flag, *value in typed:
        if not _can_say(flag, capabilities):
            yield ConfigurationError(field, " ".join(value), why_unsupported(flag, capabilities))
    decided = {flag: f"is decided by the field {engine_option(name_of(field)).spec.label}" for field, flag, *_ in typed}
    decided.update([(LOAD_MODE, why) for flag, why in decided.items() if became_load_mode(flag, capabilities)])
    yield from _objections_to_extra_args(config, capabilities, _ALWAYS_OWNED | decided)
    yield from drift_objections(_extra_arguments(config, typed, capabilities), capabilities)


def key_objections(config: ServerConfig, capabilities: EngineCapabilities) -> Iterator[ConfigurationError]:
    """An engine without keys would serve everyone."""
    if needs_key(config) and not capabilities.supports("--api-key"):
        asking = "host" if is_exposed(config) else "require_api_key"
        reason = "this engine has no flag --api-key, so it asks for no key"
        yield ConfigurationError(asking, config.get(asking), reason)


def unowned_arguments(config: ServerConfig, capabilities: EngineCapabilities) -> tuple[str, ...]:
    """The extra arguments of a server without fields of its own. Raises: ConfigurationError for those decided here."""
    for objection in _objections_to_extra_args(config, capabilities, _ALWAYS_OWNED):
        raise objection
    return config.extra_args


def missing_options(capabilities: EngineCapabilities) -> dict[str, str]:
    """Why an engine cannot take some options, by name."""
    return {
        option.name: f"this engine has no flag {option.spec.flags[0]}"
        for option in engine_options()
        if option.spec.flags and not any(_can_say(flag, capabilities) for flag in option.spec.flags)
    }


def with_adapters(words: Sequence[str], adapters: Sequence[Path]) -> tuple[str, ...]:
    """The extra arguments with the adapters of the model, unless they name some."""
    if not adapters or not _ADAPTER_FLAGS.isdisjoint(map(flag_of, words)):
        return tuple(words)
    return (*words, *(word for path in adapters for word in ("--lora", str(path))))


def refusal_of(flag: str) -> str | None:
    """Why a flag can never be used among the extra arguments; None if it can."""
    return _ALWAYS_OWNED.get(flag)


def engine_environment(environment: Mapping[str, str], *, frozen: bool) -> dict[str, str]:
    """The environment for an engine, as ``for_other_programs`` says."""
    return for_other_programs(environment, frozen=frozen, without=("LLAMA_ARG_", KEY_VARIABLE))


def _can_say(flag: str, capabilities: EngineCapabilities) -> bool:
    return capabilities.supports(flag) or became_load_mode(flag, capabilities)


def fixed_arguments(
    file_flag: str, config: ServerConfig, capabilities: EngineCapabilities, host: str, port: int
) -> list[str]:
    """What the program decides for every server: its file, where it listens, and what it tells to whom."""
    address = ["--host", host, "--port", str(port)]
    words = [file_flag, str(_absolute(config.model_path)), *address, "--metrics"]
    if capabilities.supports("--cors-origins") and "--cors-origins" not in map(flag_of, config.extra_args):
        words += ["--cors-origins", "localhost"]
    return words


def _absolute(path: Path) -> Path:
    # A path that begins with a dash would read as a flag.
    return path if path.is_absolute() else Path.cwd() / path


def _typed_arguments(
    config: ServerConfig, capabilities: EngineCapabilities, *, mtp_suppressed: bool
) -> list[tuple[str, ...]]:
    """One tuple per set field: the field's name, its flag, and the flag's value if it takes one."""
    found: list[tuple[str, ...]] = []
    drafting = bool(config.spec_draft_n_max) and not mtp_suppressed
    for option in engine_options():
        if not option.spec.flags or option.name in _NOT_TYPED:
            continue
        if option.name == "alias" and not any(map(capabilities.supports, option.spec.flags)):
            continue  # such a build accepts any name from clients
        if option.name not in DRAFT_OPTIONS:
            found += _said(option, config.get(option.name), capabilities)
        elif option.name == "spec_draft_n_max" and drafting:
            found += drafting_arguments(config, capabilities)
    return found


def _in_words_of(capabilities: EngineCapabilities, typed: Sequence[tuple[str, ...]]) -> list[str]:
    """The flags and values of fields, in this engine's form."""
    former = [flag for _field, flag, *_value in typed if became_load_mode(flag, capabilities)]
    words = [word for _field, *arguments in typed if arguments[0] not in former for word in arguments]
    return [*words, LOAD_MODE, load_mode(former, capabilities)] if former else words


def _extra_arguments(
    config: ServerConfig, typed: Sequence[tuple[str, ...]], capabilities: EngineCapabilities
) -> tuple[str, ...]:
    said = [flag for _field, flag, *_value in typed if flag in LOADING_FLAGS]
    return with_load_mode(translated(config.extra_args, capabilities), said, capabilities)


def _said(option: EngineOption, value: object, capabilities: EngineCapabilities) -> list[tuple[str, ...]]:
    if value is None or (value is False and not option.has_off_flag):
        return []
    spellings = option.spec.off_flags if value is False else option.spec.flags
    flag = spelling_for(spellings, capabilities)
    field = f"inference_config.{option.name}" if option.in_sampling else option.name
    if isinstance(value, str) and capabilities.value_count(flag) == 0:
        # Builds before autumn 2025 switch flash attention on by the flag alone, and off without it.
        return [(field, flag)] if value == "on" else []
    return [(field, flag) if isinstance(value, bool) else (field, flag, shortest(value))]


def _objections_to_extra_args(
    config: ServerConfig, capabilities: EngineCapabilities, owned: Mapping[str, str]
) -> Iterator[ConfigurationError]:
    if not config.extra_args:
        return
    reasons: dict[str, str] = {}
    for flag, reason in owned.items():
        reasons.update(dict.fromkeys(capabilities.same_option(flag) | _all_spellings(flag), reason))
    for word in config.extra_args:
        flag = flag_of(word)
        if flag in reasons:
            yield ConfigurationError("extra_args", word, f"{flag} {reasons[flag]}")


def _all_spellings(flag: str) -> frozenset[str]:
    """All spellings of an option that are known without asking the engine, including those for False."""
    for option in engine_options():
        spellings = (*option.spec.flags, *option.spec.off_flags)
        if flag in spellings:
            return frozenset(spellings)
    return frozenset({flag})
