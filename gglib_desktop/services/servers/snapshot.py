"""What is known about a server, the news about it, and the common part of all servers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gglib_desktop.domain.models.model import ModelFile
from gglib_desktop.domain.servers.failures import Failure
from gglib_desktop.domain.servers.health import Usage
from gglib_desktop.domain.servers.restart import RestartPolicy
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.servers.states import ServerState
from gglib_desktop.ports.servers.process_runner import ProcessRunner
from gglib_desktop.ports.servers.server_monitor import ServerMonitor
from gglib_desktop.services.events import EventSource
from gglib_desktop.tasks import TaskScope

if TYPE_CHECKING:
    from gglib_desktop.domain.servers.effective import ServerFacts
    from gglib_desktop.domain.servers.split.workers import Worker


@dataclass(frozen=True)
class Rejected:
    """A configuration that was applied and did not start. ``untouched``: nothing was stopped to try it."""

    config: ServerConfig
    failure: Failure
    untouched: bool = False


@dataclass(frozen=True)
class ServerSnapshot:
    """Everything known about one server now. ``number`` distinguishes servers of one model: 1, 2, …

    ``rejected``: the last applied configuration. It did not start, so the last good one was started again.
    """

    id: int
    number: int
    config: ServerConfig
    state: ServerState
    adopted: bool = False
    endpoint: str = ""
    other_endpoints: tuple[str, ...] = ()
    command_line: str = ""
    log_name: str = ""
    facts: ServerFacts | None = None
    rss_bytes: int | None = None
    workers: tuple[Worker, ...] = ()
    rejected: Rejected | None = None


@dataclass(frozen=True)
class ServerChanged:
    """A server is new, or something about it changed."""

    snapshot: ServerSnapshot


@dataclass(frozen=True)
class ServerRemoved:
    """A server's panel was dismissed."""

    id: int


@dataclass(frozen=True)
class ServersAdopted:
    """Servers of an earlier run of the program were looked for, and so many found alive."""

    count: int


@dataclass(frozen=True)
class ServerUsed:
    """A healthy server was looked at while the user sees it, and its process had used so much."""

    id: int
    usage: Usage


SupervisorEvent = ServerChanged | ServerRemoved | ServersAdopted | ServerUsed


@dataclass
class ServerContext:
    """The common part of all servers. ``visible``: the user looks; ``usual_load_s``: by model, as measured before."""

    runner: ProcessRunner
    monitor: ServerMonitor
    scope: TaskScope
    events: EventSource[SupervisorEvent]
    stop_grace_s: Callable[[], float]
    load_stall_s: float
    restart_policy: Callable[[int], Awaitable[RestartPolicy]]
    examine_model: Callable[[Path], Awaitable[ModelFile]]
    visible: bool = True
    usual_load_s: dict[int, float] = field(default_factory=dict)
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def set_visible(self, visible: bool) -> None:
        """A user who begins to look sees the truth at once, not the result of the last rare look."""
        if visible and not self.visible:
            self.woken.set()
            self.woken = asyncio.Event()
        self.visible = visible
