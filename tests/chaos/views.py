"""What the program shows and what the system has, as values that can be compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ENDED = frozenset({"Stopped", "Failed", "Crashed"})
STEADY = frozenset({"Healthy", "Busy"})
# What a server may be called that has been paused for a while of no certain length.
PAUSED = frozenset({"Healthy", "Busy", "Degraded", "Unresponsive"})


@dataclass(frozen=True)
class ShownServer:
    """One panel. ``run`` is the name of its log, ``cause`` why it ended, if the program says."""

    id: int
    model: int
    word: str
    pid: int | None
    port: int | None
    run: str
    adopted: bool
    cause: str | None

    @property
    def is_live(self) -> bool:
        return self.word not in ENDED

    def __str__(self) -> str:
        cause = f" ({self.cause})" if self.cause else ""
        adopted = " adopted" if self.adopted else ""
        return f"#{self.id} model {self.model} {self.word}{cause}{adopted} pid {self.pid} port {self.port} {self.run}"


@dataclass(frozen=True)
class Usage:
    """What the program itself holds. ``fds`` without sockets."""

    fds: int
    sockets: int
    threads: int
    tasks: int
    reserved: tuple[int, ...]


@dataclass(frozen=True)
class AppView:
    """What the program shows of all servers, and its own use of the system."""

    servers: tuple[ShownServer, ...]
    usage: Usage
    bugs: tuple[str, ...]
    task_names: tuple[str, ...]

    @classmethod
    def from_mapping(cls, answer: dict[str, Any]) -> AppView:
        usage = answer["usage"]
        return cls(
            tuple(ShownServer(**each) for each in answer["servers"]),
            Usage(**usage | {"reserved": tuple(usage["reserved"])}),
            tuple(answer["bugs"]),
            tuple(answer["task_names"]),
        )

    @property
    def live(self) -> list[ShownServer]:
        return [server for server in self.servers if server.is_live]

    def server(self, server_id: int) -> ShownServer | None:
        return next((server for server in self.servers if server.id == server_id), None)

    def __str__(self) -> str:
        return "\n".join(["the program shows:", *(f"  {each}" for each in self.servers), f"  {self.usage}"])


@dataclass(frozen=True)
class SystemServer:
    """One server process. ``run`` is the tag in its environment."""

    pid: int
    run: str
    ports: frozenset[int]


@dataclass(frozen=True)
class SystemView:
    """What runs and what is written down. ``strays``: our processes that are no servers; ``others``: odd files."""

    servers: tuple[SystemServer, ...]
    records: frozenset[str]
    strays: tuple[str, ...] = ()
    zombies: tuple[int, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def pids(self) -> frozenset[int]:
        return frozenset(server.pid for server in self.servers)

    def __str__(self) -> str:
        lines = [f"  pid {s.pid} ports {sorted(s.ports)} {s.run}" for s in self.servers]
        rest = f"  records {sorted(self.records)} strays {self.strays} zombies {self.zombies} others {self.others}"
        return "\n".join(["the system has:", *lines, rest])
