"""A place that can be lost and comes back, as another computer does when its link breaks. Its servers are simulated."""

import signal
from pathlib import Path

from typing_extensions import override

from gglib_desktop.adapters.engines.llama_cpp.simulated import MockTimings, SimulatedLlama
from gglib_desktop.adapters.keys.key_store import KEY_FILE, KeptKey
from gglib_desktop.adapters.machine.threads import Threads
from gglib_desktop.adapters.places.simulated.place import SimulatedPlace
from gglib_desktop.adapters.places.simulated.process import SimulatedProcess
from gglib_desktop.adapters.runner.announced_servers import Site
from gglib_desktop.adapters.runner.recorded_runner import RecordedRunner
from gglib_desktop.domain.errors import RunnerUnavailable
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.failures import StopRung
from gglib_desktop.domain.servers.health import Probe, ProbeResult
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.ports.servers.place import Outage

SINCE = 1_700_000_000.0
WHY = "no route to host"


class LosableProcess(SimulatedProcess):
    """It goes on while its place is lost, and no signal reaches it."""

    place: "LosablePlace"
    _untold: int | None = None
    _unsent = False

    @override
    def send(self, number: signal.Signals, rung: StopRung) -> None:
        self._unsent = self.place.outage is not None
        if not self._unsent:
            super().send(number, rung)

    @override
    async def exits_within(self, seconds: float) -> bool:
        if self._unsent:
            raise RunnerUnavailable(WHY)
        return await super().exits_within(seconds)

    @override
    def end(self, status: int) -> None:
        if self.place.outage is not None:
            self._untold = status
        else:
            super().end(status)

    def tell(self) -> None:
        self._unsent = False
        if self._untold is not None:
            super().end(self._untold)


class LosablePlace(SimulatedPlace):
    """``lose`` and ``come_back`` do what the names say."""

    def lose(self) -> None:
        self.outage = Outage(SINCE, WHY)

    def come_back(self) -> None:
        self.outage = None
        for process in self._processes.values():
            assert isinstance(process, LosableProcess)
            process.tell()

    @override
    def _begun(self, record: ServerRecord, *, adopted: bool) -> SimulatedProcess:
        assert record.pid is not None
        process = LosableProcess(record, self._log_folder, self._program, adopted=adopted)
        process.place = self
        self._processes[record.pid] = process
        return process


class LosableRunner(RecordedRunner):
    """A runner over it alone, as ``far``."""

    def __init__(self, data_dir: Path, timings: MockTimings) -> None:
        threads, driver = Threads(), _Unheard(timings)
        self.place = driver.place = LosablePlace(data_dir, driver.program, environment={}, in_thread=threads.run)
        super().__init__(
            data_dir,
            {"far": Site(self.place, {"llama.cpp": driver})},
            threads=threads,
            stop_grace_s=lambda: 60.0,
            keys=KeptKey(data_dir / KEY_FILE),
        )


class _Unheard(SimulatedLlama):
    place: LosablePlace

    @override
    async def probe(self, server: ServerAddress, timeout_s: float) -> Probe:
        if self.place.outage is not None:
            return Probe(ProbeResult.REFUSED, "connection refused")
        return await super().probe(server, timeout_s)
