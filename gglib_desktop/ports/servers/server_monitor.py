"""What supervising a server needs beyond starting and stopping it. Every runner offers it too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from gglib_desktop.domain.servers.failures import ServerExit
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig

if TYPE_CHECKING:  # what only a running server needs is not loaded before the window is there
    from gglib_desktop.domain.servers.diagnosis import Diagnose
    from gglib_desktop.domain.servers.effective import ServerFacts
    from gglib_desktop.domain.servers.health import Probe, Usage
    from gglib_desktop.domain.servers.split.workers import Worker
    from gglib_desktop.domain.traffic.chat import AskChat
    from gglib_desktop.domain.traffic.figures import Counters, MemoryUse, SlotWork
    from gglib_desktop.domain.traffic.requests import RequestReader
    from gglib_desktop.ports.servers.model_router import ModelRouter


@dataclass(frozen=True)
class LogChunk:
    """Bytes of a log. ``next_offset`` is where to read on; ``skipped`` bytes before these were left out.

    Where a log has become shorter than the wanted offset, or is gone, it is read from its beginning.
    """

    data: bytes
    next_offset: int
    skipped: int = 0


@dataclass(frozen=True)
class ServerDescription:
    """What a runner knows of a server that it announced.

    ``endpoint`` is the base URL for OpenAI-compatible clients, ``other_endpoints`` those for clients on other
    computers; none where they cannot reach it, or how is not known. ``command_line`` is quoted for a shell, keys
    hidden. ``log_name`` is the name under which ``read_log`` knows this run's log, also after its end. ``api_key``:
    the key that clients must show; None when it wants none, or one that is not known.
    """

    config: ServerConfig
    endpoint: str
    other_endpoints: tuple[str, ...]
    command_line: str
    log_name: str
    api_key: str | None = field(repr=False)


@dataclass(frozen=True)
class LostServer:
    """A server that an earlier runner left, and that ended while no runner watched it."""

    config: ServerConfig
    command_line: str
    log_name: str
    end: ServerExit


@dataclass(frozen=True)
class UnreachableServer:
    """A recorded server at a place that the runner does not know, or that has not answered yet. Its record stays.

    ``reason``: why not, as far as that is known yet.
    """

    config: ServerConfig
    command_line: str
    log_name: str
    reason: str = ""


class ServerMonitor(Protocol):
    """Observes servers of one runner. Methods that ask the server answer None when it does not.

    A coroutine as the first call takes the data directory's lock and finds the servers of earlier runners, as each of
    ``ProcessRunner`` does. Raises: RunnerUnavailable when it cannot, and after the runner was left.
    """

    async def check(self, config: ServerConfig, *, instead_of: ProcessHandle) -> None:
        """Raises what a start would raise before it spawns anything, if that server had ended. Changes nothing."""

    async def probe(self, handle: ProcessHandle, timeout_s: float) -> Probe:
        """One health question. Trouble on the way is an answer; a process that is gone answers REFUSED.

        UNREACHABLE: the server does not answer, and its place cannot be reached.
        """

    async def usage(self, handle: ProcessHandle) -> Usage | None:
        """What the process has used so far; None when it is gone or the runner cannot tell."""

    async def facts(self, handle: ProcessHandle) -> ServerFacts | None:
        """The settings in force, as the server and its log report them; the log may tell of some a little later."""

    async def memory(self, handle: ProcessHandle) -> MemoryUse | None:
        """The memory of the process, in detail; it takes the longer the more that is."""

    async def slots(self, handle: ProcessHandle) -> Sequence[SlotWork] | None:
        """What its slots do now, none while it sleeps. One that may sleep is kept awake by it for a while."""

    async def counters(self, handle: ProcessHandle) -> Counters | None:
        """What it has done since it started, otherwise as ``slots``; None while it sleeps."""

    def chat(self, handle: ProcessHandle) -> AskChat | None:
        """Asks it for an answer, without a time limit; None where its engine has no chats.

        Raises: RunnerUnavailable as ``describe``.
        """

    def workers(self, handle: ProcessHandle) -> Sequence[Worker]:
        """Those of a head, in the order of its configuration; none for any other server. Does not block."""

    def router(self, handle: ProcessHandle) -> ModelRouter | None:
        """The models of a router; None for any other server. Raises: RunnerUnavailable as ``describe``."""

    async def wait_exit(self, handle: ProcessHandle) -> ServerExit:
        """Returns when the process has ended, at once if it has. An event, not a poll.

        While its place cannot be reached it goes on waiting.
        """

    async def kill(self, handle: ProcessHandle) -> None:
        """Ends the process without grace. Returns when it is gone; quietly if it already was. Raises: StopFailed."""

    def diagnose_for(self, config: ServerConfig) -> Diagnose:
        """How the engine that serves such a configuration explains the ends of its servers."""

    def requests_reader(self, config: ServerConfig, *, began_at: float, state: str = "") -> RequestReader | None:
        """Reads the log of a run of such a configuration, as ``EngineDriver.requests`` says."""

    def names_said(self, config: ServerConfig, command_line: str) -> tuple[str, ...]:
        """The names by which clients call a server of such a configuration, as its command line says them."""
        ...

    def describe(self, handle: ProcessHandle) -> ServerDescription:
        """What is known of it without asking it.

        Raises: NotRunning for a server that was never announced, RunnerUnavailable while the runner has not yet looked
        for the servers of earlier ones.
        """

    def endpoint(self, handle: ProcessHandle) -> str:
        """The base URL for OpenAI-compatible clients. Raises: RunnerUnavailable as ``describe``."""

    def take_lost(self) -> Sequence[LostServer]:
        """The servers that were lost, each once, as soon as the runner has looked for those that still run."""

    def unreachable(self) -> Sequence[UnreachableServer]:
        """Those of other places, as soon as the runner has looked for servers that still run."""

    def on_found(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Calls back on the loop whenever a place has told what became of a server of an earlier runner, or was added.

        Then ``list_running``, ``unreachable`` and ``take_lost`` tell more than before. Returns a function that ends it.
        """

    async def read_log(self, log_name: str, offset: int, limit_bytes: int) -> LogChunk:
        """Up to ``limit_bytes`` of a log from ``offset``; a negative offset counts from the end. Empty at the end."""

    def on_log_growth(self, callback: Callable[[Mapping[str, int]], object]) -> Callable[[], None]:
        """As ``ServerLogs.on_growth``, for the logs of all places."""

    def spare_unread_logs(self, unread: Callable[[], Awaitable[Collection[str]]]) -> None:
        """Neither trims nor removes the logs that ``unread`` names. It is asked each time, and first before the runner
        looks for the servers of an earlier one.
        """
