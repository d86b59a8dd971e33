"""Runners as they are used: a runner over one place, with the engine that serves there."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from gglib_desktop.adapters.engines.llama_cpp.driver import LlamaCppDriver
from gglib_desktop.adapters.engines.llama_cpp.simulated import MockTimings, SimulatedLlama
from gglib_desktop.adapters.keys.key_store import KEY_FILE, KeptKey
from gglib_desktop.adapters.machine.threads import Threads
from gglib_desktop.adapters.places.local.place import LocalPlace
from gglib_desktop.adapters.places.simulated.place import SimulatedPlace
from gglib_desktop.adapters.places.simulated.process import SimulatedProcess
from gglib_desktop.adapters.runner.announced_servers import Site
from gglib_desktop.adapters.runner.recorded_runner import RecordedRunner
from gglib_desktop.domain.documents.settings import DEFAULT_STOP_GRACE_S
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.ports.machine.key_store import KeyStore

# Supervision does not wait behind files on a dead network share, which take up the loop's threads.
_THREADS = 3


def local_runner(
    data_dir: Path,
    engine: Callable[[], Awaitable[Engine]],
    *,
    environment: Mapping[str, str],
    stop_grace_s: Callable[[], float] = lambda: DEFAULT_STOP_GRACE_S,
    keys: KeyStore | None = None,
) -> RecordedRunner:
    """Real llama-server processes on this computer.

    ``engine`` gives the program to start, or raises ConfigurationError. ``stop_grace_s`` is asked at each stop.
    ``keys`` keeps the key that some servers ask for; without it, a file in the data directory does.
    """
    threads = Threads(_THREADS)
    place = LocalPlace(data_dir, environment=environment, in_thread=threads.run)
    return RecordedRunner(
        data_dir,
        {"local": Site(place, LlamaCppDriver(engine))},
        threads=threads,
        stop_grace_s=stop_grace_s,
        keys=keys or KeptKey(data_dir / KEY_FILE),
    )


class MockRunner(RecordedRunner):
    """Simulated llama-servers: no process runs, everything is shown. Tests and chaos do things to them."""

    def __init__(
        self,
        data_dir: Path,
        *,
        timings: MockTimings | None = None,
        environment: Mapping[str, str] | None = None,
        keys: KeyStore | None = None,
    ) -> None:
        threads = Threads(_THREADS)
        driver = SimulatedLlama(timings)
        self._place = SimulatedPlace(data_dir, driver.program, environment=environment or {}, in_thread=threads.run)
        # They end in their own time, however long that is.
        super().__init__(
            data_dir,
            {"mock": Site(self._place, driver)},
            threads=threads,
            stop_grace_s=lambda: math.inf,
            keys=keys or KeptKey(data_dir / KEY_FILE),
        )

    def crash(self, handle: ProcessHandle, status: int = -9) -> None:
        """Ends a server as if it had died, or another program had killed it. Raises: NotRunning."""
        self._process(handle).end(status)

    def freeze(self, handle: ProcessHandle) -> None:
        """Makes a server answer nothing any more, as SIGSTOP does. Raises: NotRunning."""
        self._process(handle).frozen = True

    def thaw(self, handle: ProcessHandle) -> None:
        """Undoes ``freeze``. Raises: NotRunning."""
        self._process(handle).frozen = False

    def _process(self, handle: ProcessHandle) -> SimulatedProcess:
        return self._place.process(self._server(handle).process.pid)
