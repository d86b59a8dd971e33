"""The words of engines that take each option as a flag with one value. What is an engine's own is in its package."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.gguf.forecast import Serving
from gglib_desktop.domain.models.companions import Companion
from gglib_desktop.domain.options.arguments import flag_of
from gglib_desktop.domain.options.engine_options import EngineOption, engine_option, engine_options
from gglib_desktop.domain.options.host import LOOPBACK
from gglib_desktop.domain.servers.dialect import Dialect
from gglib_desktop.domain.servers.failures import Failure
from gglib_desktop.domain.servers.log_text import LogLevel
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.units import shortest

_FLAG = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")
_COLUMNS = re.compile(r" {2,}")
# The program itself decides these, or they are said in another way than by one flag.
_ELSEWHERE = frozenset({"engine", "port", "host", "require_api_key", "alias", "extra_args"})


class FlagDialect(Dialect):
    """``program`` is what people call the engine. ``flags`` are those of the options that it has, by their names, and
    ``decided`` all that the program decides, with the reason. ``levels`` are how lines of its log begin.
    ``said_otherwise`` are options that ``own_words`` say.
    """

    program = ""
    key_variable = ""
    flags: ClassVar[Mapping[str, str]] = {}
    decided: ClassVar[Mapping[str, str]] = {}
    levels: ClassVar[Mapping[str, LogLevel]] = {}
    said_otherwise: ClassVar[frozenset[str]] = frozenset()

    # -- what an engine says for itself

    def own_words(self, config: ServerConfig, capabilities: EngineCapabilities) -> Sequence[str]:
        """Those that are not the flag of one option: the model first."""
        raise NotImplementedError

    def complaint(self, name: str, value: object, capabilities: EngineCapabilities) -> str | None:
        """Why an option that is set cannot have this value."""
        raise NotImplementedError

    def complaint_about_model(self, config: ServerConfig) -> str | None:  # noqa: ARG002  # most take any
        """Why it cannot serve the model."""
        return None

    # -- a start

    @override
    def command(
        self,
        config: ServerConfig,
        engine: Engine,
        port: int,
        *,
        mtp_suppressed: bool = False,
        host: str | None = None,
    ) -> tuple[str, ...]:
        if mtp_suppressed:
            config = config.replace(spec_draft_n_max=None)
        for objection in self.objections(config, engine.capabilities):
            raise objection
        words = [*engine.command, *self.own_words(config, engine.capabilities)]
        words += ["--host", host or config.host or LOOPBACK, "--port", str(port)]
        for name, flag in self.flags.items():
            value = config.get(name)
            # With 0 and -1 the engine decides, as for one that is not set.
            if value is not None and value not in {0, -1}:
                words += [flag, shortest(value)]
        return (*words, *config.extra_args)

    @override
    def objections(
        self, config: ServerConfig, capabilities: EngineCapabilities, *, mtp_suppressed: bool = False
    ) -> Iterator[ConfigurationError]:
        unserved = self.complaint_about_model(config)
        if unserved is not None:
            yield ConfigurationError("engine", config.engine, unserved)
        for option in engine_options():
            value = config.get(option.name)
            if option.name == "spec_draft_n_max" and mtp_suppressed:
                continue
            if value is not None and (value is not False or option.has_off_flag):
                said = self.complaint(option.name, value, capabilities)
                reason = said or (None if self._can_say(option) else self._no_word())
                if reason is not None:
                    field = f"inference_config.{option.name}" if option.in_sampling else option.name
                    yield ConfigurationError(field, value, reason)
        for word in config.extra_args:
            reason = self._complaint_about(word, capabilities)
            if reason is not None:
                yield ConfigurationError("extra_args", word, reason)

    @override
    def missing_options(self, capabilities: EngineCapabilities) -> Mapping[str, str]:
        return {option.name: self._no_word() for option in engine_options() if not self._can_say(option)}

    @override
    def serving(self, config: ServerConfig) -> Serving | None:
        return None

    @override
    def settles_template(self, config: ServerConfig) -> bool:
        return False

    # -- extra arguments

    @override
    def unlisted_flags(self, words: Sequence[str], capabilities: EngineCapabilities) -> tuple[str, ...]:
        return ()

    @override
    def without_option(self, words: Sequence[str], flag: str, capabilities: EngineCapabilities) -> tuple[str, ...]:
        kept: list[str] = []
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if flag_of(word) != flag:
                kept.append(word)
            elif "=" not in word and rest and not rest[0].startswith("-"):
                del rest[0]
        return tuple(kept)

    @override
    def companion_arguments(self, companion: Companion) -> tuple[str, ...]:
        return ()

    @override
    def with_adapters(self, words: Sequence[str], adapters: Sequence[Path]) -> tuple[str, ...]:
        return tuple(words)

    # -- the server's own words

    @override
    def offending_flag(self, failure: Failure, config: ServerConfig, capabilities: EngineCapabilities) -> str:
        return failure.flag if failure.flag in map(flag_of, config.extra_args) else ""

    @override
    def level_of(self, line: str) -> LogLevel | None:
        return next((level for words, level in self.levels.items() if line.startswith(words)), None)

    # -- small things

    def _can_say(self, option: EngineOption) -> bool:
        return option.name in {*self.flags, *self.said_otherwise, *_ELSEWHERE}

    def _no_word(self) -> str:
        return f"{self.program} has no such setting"

    def _complaint_about(self, word: str, capabilities: EngineCapabilities) -> str | None:
        flag = flag_of(word)
        owned = {said: f"is decided by the field {engine_option(name).spec.label}" for name, said in self.flags.items()}
        why = {**self.decided, **owned}.get(flag)
        if why is not None:
            return f"{flag} {why}"
        is_unknown = _FLAG.fullmatch(flag) and capabilities.spellings and not capabilities.supports(flag)
        return f"{self.program} does not list {flag}" if is_unknown else None


def flags_listed(text: str) -> dict[str, frozenset[str]]:
    """The flags in a help that lists each option on a line of its own, with all spellings of it."""
    lines = (_COLUMNS.split(line.strip(), maxsplit=1)[0] for line in text.splitlines() if line.lstrip().startswith("-"))
    options = (frozenset(_FLAG.findall(line)) for line in lines)
    return {flag: option for option in options for flag in option}
