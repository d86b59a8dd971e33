"""The runner over simulated servers. Loaded only where they are asked for."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from typing_extensions import override

from gglib_desktop.adapters.engines.llama_cpp.simulated import MockEngineCatalog, MockTimings, SimulatedLlama
from gglib_desktop.adapters.keys.key_store import KEY_FILE, KeptKey
from gglib_desktop.adapters.machine.threads import Threads
from gglib_desktop.adapters.places.simulated.place import SimulatedPlace
from gglib_desktop.adapters.places.simulated.process import SimulatedProcess
from gglib_desktop.adapters.records.record_store import RecordStore
from gglib_desktop.adapters.runner.announced_servers import Site
from gglib_desktop.adapters.runner.recorded_runner import RECORDS, RecordedRunner
from gglib_desktop.domain.documents.settings import DEFAULT_LOG_BYTES
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.ports.machine.key_store import KeyStore
from gglib_desktop.ports.servers.engine_catalog import EngineCatalog

_log = logging.getLogger(__name__)
_PLACE, _ENGINE = "mock", "llama.cpp"


def simulated_catalog() -> EngineCatalog:
    """The one engine of simulated servers."""
    return MockEngineCatalog()


class _Records(RecordStore):
    """Earlier versions kept all simulated servers in one file. They go on too."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir / RECORDS)
        self._former = data_dir / "mock-servers.json"

    @override
    def records(self) -> Iterator[ServerRecord]:
        try:
            for each in json.loads(self._former.read_text(encoding="utf-8"))["servers"]:
                record = ServerRecord.from_mapping(each)
                self.write(record.replace(place=_PLACE, identity=record.run))
            self._former.unlink()
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ConfigurationError) as exc:
            _log.warning("set aside the unreadable record %s: %s", self._former, exc)
            self._former.rename(self._former.with_suffix(".unreadable"))
        yield from super().records()


class MockRunner(RecordedRunner):
    """Simulated llama-servers: no process runs, everything is shown. Tests and chaos do things to them."""

    def __init__(
        self,
        data_dir: Path,
        *,
        timings: MockTimings | None = None,
        environment: Mapping[str, str] | None = None,
        keys: KeyStore | None = None,
        log_bytes: Callable[[], int] = lambda: DEFAULT_LOG_BYTES,
    ) -> None:
        threads = Threads()
        driver = SimulatedLlama(timings)
        self._place = SimulatedPlace(
            data_dir, driver.program, environment=environment or {}, in_thread=threads.run, log_bytes=log_bytes
        )
        # They end in their own time, however long that is.
        super().__init__(
            data_dir,
            {_PLACE: Site(self._place, {_ENGINE: driver})},
            threads=threads,
            stop_grace_s=lambda: math.inf,
            keys=keys or KeptKey(data_dir / KEY_FILE),
        )
        self._records = _Records(data_dir)

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
