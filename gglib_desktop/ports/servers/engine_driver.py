"""The port to what serves: everything that depends on which program that is, and on no place."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.failures import Failure, ServerExit
from gglib_desktop.domain.servers.foreign import StatedSettings
from gglib_desktop.domain.servers.health import Probe
from gglib_desktop.domain.servers.server import ServerConfig

if TYPE_CHECKING:
    from gglib_desktop.domain.servers.effective import ServerFacts
    from gglib_desktop.domain.traffic.chat import Answer, ChatRequest
    from gglib_desktop.domain.traffic.figures import Counters, SlotWork
    from gglib_desktop.domain.traffic.requests import RequestReader
    from gglib_desktop.ports.servers.model_router import AskRouter
    from gglib_desktop.ports.servers.split_engine import SplitEngine


@dataclass(frozen=True)
class Seen:
    """What is known of a running server without asking it.

    ``log`` is the beginning of its output. ``wants_key``: it refused a question without a key before. ``no_gpu``: it
    is certain to compute on no GPU of its computer.
    """

    log: str = ""
    command_line: str = ""
    wants_key: bool = False
    no_gpu: bool = False


class ProcessReader(Protocol):
    """Reads from the command line and the environment of a process what kind of server it is."""

    @property
    def names_begin(self) -> str:
        """How the names of all programs begin that may be such a server, in lower case."""

    @property
    def program_name(self) -> str:
        """What a server is called that does not tell its model."""

    @property
    def key_flags(self) -> Collection[str]:
        """The flags whose values are secret, in their plain spelling."""

    def is_server(self, program: str, argv: Sequence[str]) -> bool: ...

    def port(self, argv: Sequence[str], environment: Mapping[str, str], listening: Collection[int]) -> int | None: ...

    def model(self, argv: Sequence[str], environment: Mapping[str, str]) -> Path | None: ...

    def settings(self, argv: Sequence[str], environment: Mapping[str, str]) -> StatedSettings: ...

    def key(self, argv: Sequence[str], environment: Mapping[str, str]) -> str | None:
        """One of the keys that it takes."""


class AskServer(Protocol):
    """Asks a server for an answer. Closing the answer ends the request; the server has no time limit."""

    def __call__(self, server: ServerAddress, request: ChatRequest) -> Answer:
        """Raises, while the answer is read: ChatError, RunnerUnavailable."""


class EngineDriver(Protocol):
    """Starts, asks and understands one kind of inference server. A question without an answer raises nothing."""

    @property
    def reader(self) -> ProcessReader: ...

    async def open(self) -> None:
        """Loads what asking takes. Called once the runner has its lock."""

    async def aclose(self) -> None:
        """Ends all questions under way. Later ones raise RunnerUnavailable."""

    async def engine(self) -> Engine:
        """The program in force. Raises: ConfigurationError."""

    def command(
        self, config: ServerConfig, engine: Engine, port: int, *, host: str | None, environment: Mapping[str, str]
    ) -> tuple[str, ...]:
        """The command line that serves ``config``. Raises: ConfigurationError for what the engine cannot do.

        ``host`` and ``port`` are where it listens; ``environment`` is the place's.
        """

    def links(self, config: ServerConfig) -> Mapping[str, Path]:
        """Files by the names that the command line has for them; empty: it names them all by their paths.

        With links, the program runs in a folder of the run's own, where they lie and where it may write.
        """

    def environment(self, inherited: Mapping[str, str], key: str | None) -> dict[str, str]:
        """The variables for the program: the place's without those that would change it, with the key it asks for."""

    def diagnose(self, end: ServerExit, log: Sequence[str], *, served: bool = False) -> Failure:
        """The failure behind an end. ``log``: its last lines. ``served``: it had been healthy."""

    def requests(self, *, began_at: float, state: str = "") -> RequestReader | None:
        """Reads the requests of a run that began at that unix time from its log. None: this engine tells of none.

        ``state`` is the one that an earlier reader of the run had.
        """

    async def probe(self, server: ServerAddress, timeout_s: float) -> Probe: ...

    async def facts(self, server: ServerAddress, seen: Seen) -> ServerFacts | None:
        """The settings in force."""

    async def slots(self, server: ServerAddress, *, may_sleep: bool = False) -> Sequence[SlotWork] | None:
        """What its slots do now; None where it does not tell, and where it does not answer in time.

        ``may_sleep``: one that sleeps is not asked, for this would wake it. It has no slots meanwhile.
        """

    async def counters(self, server: ServerAddress, *, may_sleep: bool = False) -> Counters | None:
        """What it has done since it started, otherwise as ``slots``; None while it sleeps."""

    @property
    def chat(self) -> AskServer | None:
        """None: this engine has no chats."""

    @property
    def split(self) -> SplitEngine | None:
        """None: it serves a model on one computer alone."""

    @property
    def router(self) -> AskRouter | None:
        """None: each of its servers has one model."""

    async def names(self, server: ServerAddress) -> tuple[str, ...]:
        """The names by which clients know the model."""
