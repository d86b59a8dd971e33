"""What the operating system knows of the servers; for simulated ones, what their file says."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import psutil

from gglib_desktop.domain.environment import INSTANCE_VARIABLE
from tests.chaos.app_process import AppProcess
from tests.chaos.views import ShownServer, SystemServer, SystemView

# In the environment of the program and of all that it starts.
MARK_VARIABLE = "GGLIB_CHAOS"


class System(Protocol):
    """Looks at servers, and does to them what happens behind the program's back."""

    # Whether pauses end with the program.
    forgets_pauses: bool

    def view(self) -> SystemView: ...

    def answers(self, port: int) -> bool: ...

    def is_listened_on(self, port: int) -> bool: ...

    def crash(self, server: ShownServer) -> None: ...

    def freeze(self, server: ShownServer) -> None: ...

    def thaw(self, server: ShownServer) -> None: ...

    def end_all(self) -> None:
        """Leaves nothing of what the program started, whatever state it is in."""
        ...


class RealSystem:
    """Processes, found by the mark in their environment."""

    forgets_pauses = False

    def __init__(self, data_dir: Path, mark: str, app: AppProcess) -> None:
        self._records = data_dir / "servers"
        self._mark = f"{MARK_VARIABLE}={mark}".encode()
        self._app = app

    def view(self) -> SystemView:
        servers, strays = [], []
        for pid, words in self._ours():
            run = next((w.partition(b"=")[2].decode() for w in words if w.startswith(_INSTANCE)), None)
            with contextlib.suppress(psutil.Error, OSError):
                if run is not None and os.getsid(pid) == pid:
                    servers.append(SystemServer(pid, run, _listening(pid)))
                else:
                    strays.append(f"{pid}: {' '.join(psutil.Process(pid).cmdline())}")
        files = [path.name for path in self._records.glob("*")] if self._records.exists() else []
        records = frozenset(name.removesuffix(".json") for name in files if name.endswith(".json"))
        others = tuple(name for name in files if not name.endswith(".json"))
        return SystemView(tuple(servers), records, tuple(strays), tuple(self._zombies()), others)

    def answers(self, port: int) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def is_listened_on(self, port: int) -> bool:
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", port)) == 0

    def crash(self, server: ShownServer) -> None:
        self._send(server, signal.SIGKILL)

    def freeze(self, server: ShownServer) -> None:
        self._send(server, signal.SIGSTOP)

    def thaw(self, server: ShownServer) -> None:
        self._send(server, signal.SIGCONT)

    def end_all(self) -> None:
        deadline = time.monotonic() + 10
        while (left := [pid for pid, _ in self._ours()]) and time.monotonic() < deadline:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)

    def _send(self, server: ShownServer, number: signal.Signals) -> None:
        # By the mark, not by what the program believes: its pid could be another process's.
        if any(pid == server.pid for pid, _ in self._ours()):
            os.kill(server.pid or 0, number)

    def _ours(self) -> Iterator[tuple[int, list[bytes]]]:
        for pid in psutil.pids():
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                if self._mark in words and pid != self._app.pid:
                    yield pid, words

    def _zombies(self) -> Iterator[int]:
        """Ended children of the program or of us that were not reaped."""
        for pid in psutil.pids():
            with contextlib.suppress(OSError):
                stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
                state, parent = stat.rpartition(")")[2].split()[:2]
                if state == "Z" and int(parent) in {os.getpid(), self._app.pid}:
                    yield pid


class SimulatedSystem:
    """Simulated servers live in their records, and what happens to them has to be told to the program."""

    forgets_pauses = True

    def __init__(self, data_dir: Path, app: AppProcess) -> None:
        self._records = data_dir / "servers"
        self._app = app

    def view(self) -> SystemView:
        saved = []
        for file in self._records.glob("*.json"):
            with contextlib.suppress(FileNotFoundError):  # it ended in this moment
                saved.append(json.loads(file.read_text()))
        servers = tuple(SystemServer(each["pid"], each["run"], frozenset({each["port"]})) for each in saved)
        others = tuple(path.name for path in self._records.glob("*") if path.suffix != ".json")
        return SystemView(servers, frozenset(server.run for server in servers), others=others)

    def answers(self, port: int) -> bool:
        return True

    def is_listened_on(self, port: int) -> bool:
        return False

    def crash(self, server: ShownServer) -> None:
        self._app.ask("simulate", what="crash", server_id=server.id)

    def freeze(self, server: ShownServer) -> None:
        self._app.ask("simulate", what="freeze", server_id=server.id)

    def thaw(self, server: ShownServer) -> None:
        self._app.ask("simulate", what="thaw", server_id=server.id)

    def end_all(self) -> None:
        pass


_INSTANCE = f"{INSTANCE_VARIABLE}=".encode()


def _listening(pid: int) -> frozenset[int]:
    connections = psutil.Process(pid).net_connections(kind="tcp")
    return frozenset(c.laddr.port for c in connections if c.status == psutil.CONN_LISTEN)
