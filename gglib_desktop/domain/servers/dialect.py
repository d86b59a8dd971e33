"""The words of one kind of engine: the seam to its command line and its log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.gguf.forecast import Serving
from gglib_desktop.domain.models.companions import Companion
from gglib_desktop.domain.servers.failures import Failure
from gglib_desktop.domain.servers.log_text import LogLevel
from gglib_desktop.domain.servers.server import ServerConfig


class Dialect(Protocol):
    """One for each kind of engine. Pure: no method waits or changes anything.

    ``words`` are extra arguments as people write them. The capabilities of an unknown engine list nothing.
    """

    @property
    def key_variable(self) -> str:
        """The environment variable in which a server finds its key."""

    # -- a start

    def command(
        self, config: ServerConfig, engine: Engine, port: int, *, mtp_suppressed: bool = False
    ) -> tuple[str, ...]:
        """The exact command line, the program first. Raises: ConfigurationError for the first of the objections."""

    def objections(
        self, config: ServerConfig, capabilities: EngineCapabilities, *, mtp_suppressed: bool = False
    ) -> Iterable[ConfigurationError]:
        """All objections to serving ``config`` with this engine: one for each field and flag."""

    def missing_options(self, capabilities: EngineCapabilities) -> Mapping[str, str]:
        """Why an engine cannot take some options, by name."""

    def serving(self, config: ServerConfig) -> Serving | None:
        """The parts of a configuration that decide how much memory it takes; None: that cannot be forecast."""

    def settles_template(self, config: ServerConfig) -> bool:
        """Whether a configuration chooses a chat template, or serves no chats."""

    # -- extra arguments

    def unlisted_flags(self, words: Sequence[str], capabilities: EngineCapabilities) -> tuple[str, ...]:
        """The words that the engine's help does not list; with them it will probably not start."""

    def without_option(self, words: Sequence[str], flag: str, capabilities: EngineCapabilities) -> tuple[str, ...]:
        """The arguments without this option, in any spelling, and without its values."""

    def companion_arguments(self, companion: Companion) -> tuple[str, ...]:
        """The words that load a file together with its model; empty if there are none for its kind."""

    def with_adapters(self, words: Sequence[str], adapters: Sequence[Path]) -> tuple[str, ...]:
        """With the adapters of a model, unless the arguments already name some."""

    # -- the server's own words

    def offending_flag(self, failure: Failure, config: ServerConfig, capabilities: EngineCapabilities) -> str:
        """The flag among the extra arguments that a failure is about; empty if unknown."""

    def level_of(self, line: str) -> LogLevel | None:
        """See ``LevelOf``."""
