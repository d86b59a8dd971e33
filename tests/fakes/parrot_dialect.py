"""Another engine's words for what the program asks of any engine: see ``parrot_engine``."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities, EngineSource
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.gguf.forecast import Serving
from gglib_desktop.domain.models.companions import Companion
from gglib_desktop.domain.options.engine_options import DRAFT_NUMBERS, EngineOption, engine_option, engine_options
from gglib_desktop.domain.options.host import LOOPBACK
from gglib_desktop.domain.servers.failures import Failure
from gglib_desktop.domain.servers.log_text import LogLevel
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.units import shortest

FLAGS = {
    "port": "--listen",
    "context_size": "--window",
    "threads": "--wings",
    "alias": "--called",
    "spec_draft_n_max": "--guess",
    "spec_draft_p_min": "--sure",
    "jinja": "--templates",
    "chat_template": "--speaks",
}
_ELSEWHERE = frozenset({"host", "require_api_key", "extra_args", "engine"})
_OWNED = {"--weights": "the model that is started"} | {
    flag: f"the field {engine_option(name).spec.label}" for name, flag in FLAGS.items()
}
_ON_OFF = {True: "on", False: "off"}
_NO_WORD = "Parrot has no word for it"


def parrot_at(path: Path) -> Engine:
    """The engine behind a program file that is known to be one."""
    listed = {flag: frozenset({flag}) for flag in (*_OWNED, "--chatter", "--deaf", "--greedy")}
    return Engine(path, "parrot 1", EngineCapabilities(listed), EngineSource.ARGUMENT, ("run",))


class ParrotDialect:
    """The ``Dialect`` of this engine."""

    key_variable = "PARROT_SECRET"

    def command(
        self,
        config: ServerConfig,
        engine: Engine,
        port: int,
        *,
        mtp_suppressed: bool = False,
        host: str | None = None,
    ) -> tuple[str, ...]:
        for objection in self.objections(config, engine.capabilities):
            raise objection
        host = host or config.host or LOOPBACK
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        words = [*engine.command, "--weights", str(config.model_path.absolute()), FLAGS["port"], address]
        silent = DRAFT_NUMBERS if mtp_suppressed or not config.spec_draft_n_max else frozenset()
        for name, flag in FLAGS.items():
            value = config.get(name)
            if value is not None and name not in silent | {"port"}:
                words += [flag, _ON_OFF[value] if isinstance(value, bool) else shortest(value)]
        return (*words, *config.extra_args)

    def objections(
        self, config: ServerConfig, capabilities: EngineCapabilities, *, mtp_suppressed: bool = False
    ) -> Iterator[ConfigurationError]:
        for option in engine_options():
            value = config.get(option.name)
            if not _can_say(option) and value is not None and (value is not False or option.has_off_flag):
                field = f"inference_config.{option.name}" if option.in_sampling else option.name
                yield ConfigurationError(field, value, _NO_WORD)
        for word in config.extra_args:
            flag = word.partition("=")[0]
            if flag in _OWNED:
                yield ConfigurationError("extra_args", word, f"{flag} is decided by {_OWNED[flag]}")

    def missing_options(self, capabilities: EngineCapabilities) -> Mapping[str, str]:
        return {option.name: _NO_WORD for option in engine_options() if not _can_say(option)}

    def serving(self, config: ServerConfig) -> Serving:
        return Serving(context=config.context_size or 0, slots=1, draft_tokens=config.spec_draft_n_max or 0)

    def settles_template(self, config: ServerConfig) -> bool:
        return config.chat_template is not None

    def unlisted_flags(self, words: Sequence[str], capabilities: EngineCapabilities) -> tuple[str, ...]:
        listed = capabilities.spellings
        return tuple(word for word in words if listed and word.startswith("--") and word not in listed)

    def without_option(self, words: Sequence[str], flag: str, capabilities: EngineCapabilities) -> tuple[str, ...]:
        return tuple(word for word in words if word != flag)

    def companion_arguments(self, companion: Companion) -> tuple[str, ...]:
        return ()

    def with_adapters(self, words: Sequence[str], adapters: Sequence[Path]) -> tuple[str, ...]:
        return tuple(words)

    def offending_flag(self, failure: Failure, config: ServerConfig, capabilities: EngineCapabilities) -> str:
        return failure.flag if failure.flag in config.extra_args else ""

    def level_of(self, line: str) -> LogLevel | None:
        return LogLevel.ERROR if line.startswith("squawk:") else LogLevel.INFO


def _can_say(option: EngineOption) -> bool:
    return option.name in FLAGS or option.name in _ELSEWHERE
