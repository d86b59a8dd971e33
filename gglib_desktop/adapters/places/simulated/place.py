"""A place that only pretends: it starts no process and opens no port. For demonstrations and fast tests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from gglib_desktop.adapters.files import private
from gglib_desktop.adapters.machine.log_files import LogFolder
from gglib_desktop.adapters.machine.threads import InThread
from gglib_desktop.adapters.places.folder_logs import FolderLogs
from gglib_desktop.adapters.places.local.free_ports import choose_port
from gglib_desktop.adapters.places.local.model_file import check_model_file
from gglib_desktop.adapters.places.simulated.process import Program, SimulatedProcess
from gglib_desktop.domain.documents.settings import DEFAULT_LOG_BYTES
from gglib_desktop.domain.errors import NotRunning, PortTaken
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.failures import Absence, ServerExit
from gglib_desktop.domain.servers.record import KnownProcess, ServerRecord
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.ports.servers.engine_driver import ProcessReader
from gglib_desktop.ports.servers.place import Claim, Command, Finding, Outage, PlacedProcess

# Beyond the greatest pid that Linux gives (2 ** 22), so that none of these is ever a real process.
_FIRST_PID = 5_000_001


class SimulatedPlace:
    """Simulated processes outlive the runner as real ones do. ``program`` says what each does."""

    strangers = None
    outage: Outage | None = None

    def __init__(
        self,
        data_dir: Path,
        program: Callable[[SimulatedProcess], Program],
        *,
        environment: Mapping[str, str],
        in_thread: InThread,
        log_bytes: Callable[[], int] = lambda: DEFAULT_LOG_BYTES,
    ) -> None:
        self.environment = environment
        self._program = program
        self._in_thread = in_thread
        self._log_folder = LogFolder(data_dir / "logs", most_bytes=log_bytes)
        self.logs = FolderLogs(self._log_folder, in_thread)
        self._last_pid = data_dir / "mock-last-pid"
        self._processes: dict[int, SimulatedProcess] = {}

    def process(self, pid: int | None) -> SimulatedProcess:
        """One that runs. Raises: NotRunning."""
        process = self._processes.get(pid or 0)
        if process is None or process.poll():
            raise NotRunning(f"process {pid} is gone")
        return process

    async def aclose(self) -> None:
        self._processes.clear()

    async def check_model(self, path: Path) -> None:
        await asyncio.to_thread(check_model_file, path)

    async def choose_port(self, config: ServerConfig, *, avoid: Collection[int], freed: int | None = None) -> int:
        owners = {each.record.port: each.record for each in self._processes.values() if not each.poll()}
        owners.pop(freed or 0, None)
        owner = owners.get(config.port or 0)
        if owner is not None:
            raise PortTaken(owner.port, f"the simulated server of {owner.config.model_name} (pid {owner.pid})")
        return await choose_port(config, avoid={*avoid, *owners}, freed=freed, in_thread=self._in_thread)

    async def is_free(self, record: ServerRecord) -> bool:  # a simulated server listens until its end
        return all(each.poll() for each in self._processes.values() if each.record.port == record.port)

    async def owner_of(self, port: int) -> str | None:  # noqa: ARG002  # no program really listens
        return None

    def listens_on(self, run: str, config: ServerConfig, port: int) -> tuple[str | None, int]:  # noqa: ARG002  # as at every place
        return config.host, port

    async def spawn(self, record: ServerRecord, command: Command) -> SimulatedProcess:  # noqa: ARG002  # as above
        pid = self._next_pid()
        process = self._begun(record.replace(pid=pid, started_at=0), adopted=False)
        process.program.begin()
        return process

    async def claim(self, record: ServerRecord, process: PlacedProcess) -> Claim:  # noqa: ARG002  # as above
        return Claim(record)

    async def behind(self, record: ServerRecord, process: PlacedProcess) -> Sequence[KnownProcess]:  # noqa: ARG002
        return ()

    async def find(self, record: ServerRecord, reader: ProcessReader) -> Finding:  # noqa: ARG002  # as above
        absence = ServerExit(None, absence=Absence.NOT_RUNNING)
        if record.pid is None:
            return Finding(record, absence=absence)
        process = self._begun(record, adopted=True)
        return Finding(record, process if process.program.go_on() else None, absence=absence)

    async def clean_up(self, record: ServerRecord, process: PlacedProcess, grace_s: float) -> None:
        """Simulated processes start no others."""

    def reach(self, record: ServerRecord, key: str | None = None) -> ServerAddress:
        return ServerAddress(record.port, record.config.host, key)

    def addresses(self) -> Sequence[str]:
        return ()

    def has_no_gpu(self, process: PlacedProcess) -> bool:  # noqa: ARG002  # as above
        return False

    def _next_pid(self) -> int:
        """One that no simulated process of this data directory ever had."""
        last = max(self._processes, default=_FIRST_PID - 1)
        with contextlib.suppress(OSError, ValueError):
            last = max(last, int(self._last_pid.read_text(encoding="ascii")))
        with contextlib.suppress(OSError):
            private.write_draft(self._last_pid, str(last + 1).encode("ascii"))
        return last + 1

    def _begun(self, record: ServerRecord, *, adopted: bool) -> SimulatedProcess:
        assert record.pid is not None
        process = self._processes[record.pid] = SimulatedProcess(
            record, self._log_folder, self._program, adopted=adopted
        )
        return process
