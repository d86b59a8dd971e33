"""The port to where servers run: this computer, another one, a container engine, or a simulation.

It is narrow: what a shell on that computer could do. Which program serves there is the business of the engine driver.
Records, locks, names and the single use of ports are the business of the runner.
"""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.failures import ServerExit, StopRung
from gglib_desktop.domain.servers.foreign import ForeignServer
from gglib_desktop.domain.servers.health import Usage
from gglib_desktop.domain.servers.record import KnownProcess, ServerRecord
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.traffic.figures import MemoryUse
from gglib_desktop.ports.servers.engine_driver import ProcessReader
from gglib_desktop.ports.servers.server_monitor import LogChunk


@dataclass(frozen=True)
class Command:
    """What is run: ``argv``, the program first, with ``environment`` in place of the runner's own. Keys lie there.

    With ``links`` it runs in a folder of the run's own that holds them: files by the names that ``argv`` has for them.
    The folder is removed once it has ended.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    links: Mapping[str, Path] = field(default_factory=dict)


class PlacedProcess(Protocol):
    """One process at a place. Signals reach it only while it is certain to be that very process."""

    @property
    def pid(self) -> int | None:
        """Its number at its place; None where it has none."""

    @property
    def identity(self) -> str:
        """Tells it from a later one with the same pid. Only the place reads it."""

    @property
    def exit(self) -> ServerExit | None:
        """How it ended; None while it runs."""

    @property
    def refuses_signals(self) -> bool:
        """It belongs to another user."""

    def poll(self) -> bool:
        """Whether it has ended, as the place knows at this moment."""

    async def wait(self) -> ServerExit:
        """Returns when it has ended. An event, not a poll."""

    async def exits_within(self, seconds: float) -> bool:
        """Raises: RunnerUnavailable when a signal could not be sent, so that waiting for its effect is no use."""
        ...

    def on_exit(self, *callbacks: Callable[[], object]) -> None:
        """Calls back on the loop once it has ended."""

    def send(self, number: signal.Signals, rung: StopRung) -> None:
        """Signals it with all that it started. ``rung`` is what its exit tells if it ends now."""

    def usage(self) -> Usage | None:
        """What it has used so far; None when it is gone."""

    async def memory(self) -> MemoryUse | None:
        """Its memory, in detail; None when it is gone or the place cannot tell. The more it is the longer it takes."""

    def forget(self) -> None:
        """Ends the watching and cancels those who wait for its end. The process goes on."""


@dataclass(frozen=True)
class Claim:
    """Who answers on the port of a process that was started.

    ``record``: the process's, complete, where it is the server or ``certain`` that others serve in its place.
    None: another program answers, ``stranger`` by name if that is known. Not ``certain``: servers that the process
    may have asked others to start, which is believed once it does nothing more.
    """

    record: ServerRecord | None
    certain: bool = True
    stranger: str | None = None


@dataclass(frozen=True)
class Finding:
    """What became of a recorded process. ``process`` None: it is gone.

    ``changed``: its pid runs another program now. ``end_rest`` ends what it left behind, which serves no client any
    more; None where it left nothing. ``absence`` is the end of one that is gone, as far as the place tells.
    """

    record: ServerRecord
    process: PlacedProcess | None = None
    key: str | None = None
    changed: bool = False
    end_rest: Callable[[float], Awaitable[None]] | None = None
    absence: ServerExit | None = None


class ServerLogs(Protocol):
    """The output of server runs, by the name of the run. What cannot be read is empty."""

    def size(self, run: str) -> int:
        """How many bytes were ever written, also where the beginning was let go. Does not block."""

    async def read(self, run: str, offset: int, limit_bytes: int) -> LogChunk:
        """As ``ServerMonitor.read_log``."""

    async def beginning(self, run: str) -> str:
        """What a server wrote while it started; empty where that was let go."""

    async def last_lines(self, run: str) -> Sequence[str]:
        """The first line and those at the end, as far as a reason for its end may stand there."""

    async def remove(self, run: str) -> None: ...

    async def prune(self, keep: Collection[str]) -> None:
        """Removes all but the newest logs and those in ``keep``."""

    async def keep_trimmed(self, growing: Callable[[], Awaitable[Collection[str]]]) -> None:
        """Lets the beginnings of long logs go, again and again, until it is cancelled."""

    def on_growth(self, callback: Callable[[Mapping[str, int]], object]) -> Callable[[], None]:
        """Calls back on the loop with the new sizes of logs that have grown, shrunk or gone, a few times a second.

        Returns a function that ends that. Costs nothing while no log grows, where the place can do so.
        """


class Strangers(Protocol):
    """Servers at a place that another program started. Signals go to the one process that was chosen, never to a group.

    Methods raise NotRunning when it is gone, RunnerUnavailable when it is not ours to signal.
    """

    async def find(
        self, ours: Collection[ServerRecord], readers: Mapping[str, ProcessReader]
    ) -> Sequence[ForeignServer]:
        """Those that the runner does not know, oldest first.

        ``readers`` tell servers from other programs, by the ids of the engines that they know.
        """

    async def address_of(self, server: ForeignServer, reader: ProcessReader) -> ServerAddress:
        """Where it is asked, with its key if that can be found. Raises: also ConfigurationError for ``port``."""

    async def take_over(
        self, server: ForeignServer, record: ServerRecord, begin: Callable[[ServerRecord, PlacedProcess], None]
    ) -> None:
        """Makes it the runner's: ``begin`` is called while no other program can do the same."""

    async def stop(self, server: ForeignServer, grace_s: float) -> None:
        """Ends that one process, politely first. Raises: also StopFailed."""


@dataclass(frozen=True)
class Outage:
    """A place cannot be reached. ``since`` is the unix time of the first failure."""

    since: float
    reason: str


class Place(Protocol):
    """Where servers run. Methods raise RunnerUnavailable when the place cannot be reached, or was left."""

    @property
    def outage(self) -> Outage | None:
        """Why the place cannot be reached, as far as it knows without asking; None while it can.

        Meanwhile the end of a process is not told, and its signals fail as ``exits_within`` says. Afterwards both are
        what is true there.
        """

    @property
    def logs(self) -> ServerLogs: ...

    @property
    def strangers(self) -> Strangers | None:
        """None where no other program can start servers."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that programs there would inherit."""

    async def aclose(self) -> None:
        """Ends all watching. Processes go on."""

    # -- what a start needs

    async def check_model(self, path: Path) -> None:
        """Raises: ConfigurationError for the field ``model_path`` when there is no readable file."""

    async def choose_port(self, config: ServerConfig, *, avoid: Collection[int], freed: int | None = None) -> int:
        """The port under which clients here reach the server. ``avoid``: those that the runner gave to others.

        ``freed``: one that is in use, but not any more by the time of the start. Raises: PortTaken for an explicit
        port, ResourceExhausted when all of the window are in use, ConfigurationError for the field ``host``.
        """

    async def is_free(self, record: ServerRecord) -> bool:
        """Whether no program listens any more where the server of the record did."""

    async def owner_of(self, port: int) -> str | None:
        """``name (pid n)`` of the program that listens there, as far as the place tells."""

    def listens_on(self, run: str, config: ServerConfig, port: int) -> tuple[str | None, int]:
        """The host and the port that the server is told to listen on. Host None: the engine's own loopback.

        ``port`` is the one that ``choose_port`` gave, by which it is reached from here.
        """

    async def spawn(self, record: ServerRecord, command: Command) -> PlacedProcess:
        """Starts a program, detached, its output into the log of the run. Raises: ProcessError; then none runs."""

    async def claim(self, record: ServerRecord, process: PlacedProcess) -> Claim:
        """Who answers on the port of a process that ``spawn`` started."""

    async def behind(self, record: ServerRecord, process: PlacedProcess) -> Sequence[KnownProcess]:
        """What others started with the arguments of this process, so that it has to be ended too."""

    # -- what goes on

    async def find(self, record: ServerRecord, reader: ProcessReader) -> Finding:
        """Finds a recorded process again. Changes nothing. ``reader`` reads which key it asks for."""

    async def clean_up(self, record: ServerRecord, process: PlacedProcess, grace_s: float) -> None:
        """Ends what a process that has ended left behind. Raises: StopFailed when something of it goes on."""

    def reach(self, record: ServerRecord, key: str | None = None) -> ServerAddress:
        """Where the server is asked from here."""

    def addresses(self) -> Sequence[str]:
        """Those of the computer by which other computers may reach its servers. Blocks briefly."""

    def has_no_gpu(self, process: PlacedProcess) -> bool:
        """True when it is certain that the process computes on no GPU of its computer."""
