"""The runner over servers that are measured, which do not outlive this program. Loaded only for that."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from gglib_desktop.adapters.engines.llama_cpp.measured import MeasuredLlama
from gglib_desktop.adapters.keys.key_store import KEY_FILE, KeptKey
from gglib_desktop.adapters.machine.threads import Threads
from gglib_desktop.adapters.places.local.held_place import HeldPlace
from gglib_desktop.adapters.runner.announced_servers import Site
from gglib_desktop.adapters.runner.recorded_runner import RECORDS, RecordedRunner
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.domain.traffic.completion import Completion, CompletionRequest
from gglib_desktop.ports.servers.measuring import Complete, CompletingDriver

EXPERIMENTS = "experiments"
_GRACE_S = 1.0
_LOG_BYTES = 4 * 2**20


class MeasuredRunner(RecordedRunner):
    """A ``MeasuringRunner``: its servers can also be asked for answers of a known length."""

    def completion(self, handle: ProcessHandle) -> Complete | None:
        server = self._servers.get(handle)
        if server is None or not isinstance(server.driver, CompletingDriver):
            return None

        driver, address = server.driver, server.address

        async def complete(request: CompletionRequest) -> Completion:
            return await driver.complete(address, request)

        return complete


def measured_runner(data_dir: Path, engine: Engine, *, environment: Mapping[str, str]) -> MeasuredRunner:
    """Over a folder of its own in the data directory, so that it works beside a window. ``engine`` serves there."""

    async def given(engine: Engine) -> Engine:
        return engine

    own_dir, threads = data_dir / EXPERIMENTS, Threads()
    place = HeldPlace(own_dir, own_dir / RECORDS, environment=environment, in_thread=threads.run, log_bytes=_LOG_BYTES)
    return MeasuredRunner(
        own_dir,
        {"local": Site(place, {"llama.cpp": MeasuredLlama(partial(given, engine))})},
        threads=threads,
        stop_grace_s=lambda: _GRACE_S,
        keys=KeptKey(own_dir / KEY_FILE),
    )
