"""Which processes listen on a port, as far as the system tells. All of this blocks.

The system hides the sockets of other users' processes, and of those with file capabilities. A process whose sockets are
hidden may listen or not: only a process whose sockets are shown can be said not to listen.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from gglib_desktop.domain.options.host import LOOPBACK

_LISTENING = "0A"  # in the tables of the kernel


@dataclass(frozen=True)
class PortOwners:
    """Who listens on a port. ``hidden_users``: the users whose sockets listen there, where the system hides whose."""

    pids: frozenset[int]
    is_hidden: bool
    hidden_users: frozenset[int]

    def may_include(self, process: psutil.Process) -> bool:
        """Whether a process whose sockets are hidden may be one of them."""
        if not self.is_hidden:
            return False
        try:
            return not self.hidden_users or not self.hidden_users.isdisjoint(process.uids())
        except (psutil.Error, OSError):
            return True


def owners_of(port: int) -> PortOwners:
    """Who listens on ``port``. Costs a look at every file that any process has open."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return PortOwners(frozenset(), is_hidden=True, hidden_users=frozenset())
    listening = [c for c in connections if c.status == psutil.CONN_LISTEN and c.laddr[1:] == (port,)]
    is_hidden = any(connection.pid is None for connection in listening)
    pids = frozenset(connection.pid for connection in listening if connection.pid is not None)
    return PortOwners(pids, is_hidden, _users_listening(port) if is_hidden else frozenset())


def owner_of(port: int) -> str | None:
    """``name (pid n)`` of the program that listens on ``port``, None when the system does not reveal it."""
    for pid in sorted(owners_of(port).pids):
        try:
            return f"{psutil.Process(pid).name()} (pid {pid})"
        except psutil.Error:
            return f"pid {pid}"
    return None


def listening_address(pid: int, port: int) -> str | None:
    """Where the process itself, or one that it started, listens on ``port``; None when none of them does.

    Loopback when the system hides it and reveals no other that listens there.
    """
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except (psutil.Error, OSError):
        return None
    listeners = [_listeners(each) for each in family]
    shown = next((ips[port] for ips in listeners if ips is not None and port in ips), None)
    if shown is not None:
        return shown
    hidden = [each for each, ips in zip(family, listeners, strict=True) if ips is None]
    owners = owners_of(port) if hidden else None
    return LOOPBACK if owners is not None and any(map(owners.may_include, hidden)) else None


def listens_itself(pid: int, port: int) -> bool:
    """Whether the process is seen to have a socket that listens on ``port``."""
    with contextlib.suppress(psutil.Error, OSError):
        return port in (_listeners(psutil.Process(pid)) or {})
    return False


@dataclass(frozen=True)
class Family:
    """A process and all that it started. ``listens``: seen to listen on a port; ``hidden``: the system does not say."""

    members: Sequence[psutil.Process]
    listens: Sequence[psutil.Process]
    hidden: Sequence[psutil.Process]

    @classmethod
    def of(cls, pid: int, port: int) -> Family | None:
        """All members are found unless the process itself listens. None when it is gone."""
        try:
            process = psutil.Process(pid)
            own = _listeners(process)
            if own is not None and port in own:
                return cls([process], [process], [])
            children = process.children(recursive=True)
        except (psutil.Error, OSError):
            return None
        seen = [(process, own), *((child, _listeners(child)) for child in children)]
        listens = [each for each, ips in seen if ips is not None and port in ips]
        return cls([process, *children], listens, [each for each, ips in seen if ips is None])


def _listeners(process: psutil.Process) -> dict[int, str] | None:
    """The ports and addresses on which the process listens. None when the system hides them."""
    try:
        connections = process.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return None
    except (psutil.Error, OSError):
        return {}
    return {c.laddr.port: c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN}


def _users_listening(port: int) -> frozenset[int]:
    """The users who made the sockets that listen on ``port``; empty where that is not told."""
    users = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/self/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
                _number, local, _remote, state, _queues, _timer, _retransmits, user, *_more = line.split()
                if state == _LISTENING and int(local.rpartition(":")[2], 16) == port:
                    users.add(int(user))
    return frozenset(users)
