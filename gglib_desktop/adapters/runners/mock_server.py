"""One simulated server: how its life goes, and what it is told by flags.

Flags of its own in ``extra_args`` change one server's life (times in seconds): ``--mock-load-s=2`` loads as long;
``--mock-fail-load=LINE`` dies while loading, with that log line; ``--mock-crash-after-s=3`` and
``--mock-freeze-after-s=2`` count from when it was ready; ``--mock-stop-s=4`` takes as long to stop;
``--mock-log-lines=100000`` prints as many numbered lines when it is ready; ``--mock-context=4096`` runs with that
context, whatever was asked for. Other flags are refused as llama-server
refuses those that it does not know.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gglib_desktop.adapters.runners.model_file import check_model_file
from gglib_desktop.adapters.runners.port_allocator import PortAllocator
from gglib_desktop.adapters.runners.records import ServerRecord
from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities, EngineSource
from gglib_desktop.domain.errors import PortTaken
from gglib_desktop.domain.options.engine_options import DRAFT_MTP, engine_options
from gglib_desktop.domain.servers.exits import ServerExit, StopRung
from gglib_desktop.domain.servers.server import ServerConfig

_ALWAYS = "-m,--model --host --port --metrics --spec-type --api-key --api-key-file"
_FLAGS = [names.split(",") for names in _ALWAYS.split()]
_FLAGS += [[*option.spec.flags, *option.spec.off_flags] for option in engine_options()]
SIMULATED_ENGINE = Engine(
    Path("llama-server"),
    "simulated",
    EngineCapabilities(
        {name: frozenset(names) for names in _FLAGS for name in names},
        spec_types=frozenset({"none", DRAFT_MTP}),
    ),
    EngineSource.MOCK,
)


@dataclass(frozen=True)
class MockTimings:
    """Seconds until a new server answers, then until its model is loaded; from stop to the end; between log lines."""

    answer_s: float = 0.02
    load_s: float = 0.3
    stop_s: float = 0.05
    log_every_s: float = 1.0


@dataclass(frozen=True)
class MockScript:
    """The life of one server. Times count from its first answer; None never happens."""

    load_s: float
    stop_s: float
    fail_load: str | None = None
    crash_after_s: float | None = None
    freeze_after_s: float | None = None
    log_lines: int = 0
    context: int | None = None

    def with_flag(self, word: str) -> MockScript:
        """What follows from one of our flags. Raises: ValueError for any other word."""
        flag, equals, text = word.partition("=")
        name = flag.removeprefix("--mock-").replace("-", "_")
        if not flag.startswith("--mock-") or not equals or name not in {f.name for f in dataclasses.fields(self)}:
            raise ValueError(word)
        convert: Callable[[str], Any] = {"fail_load": str, "log_lines": int, "context": int}.get(name, float)
        return dataclasses.replace(self, **{name: convert(text)})

    @property
    def ready_at_s(self) -> float | None:
        return self.load_s if self.fail_load is None else None

    @property
    def failing_at_s(self) -> float | None:
        return None if self.fail_load is None else self.load_s / 2

    @property
    def crashing_at_s(self) -> float | None:
        return None if self.crash_after_s is None else self.load_s + self.crash_after_s

    @property
    def freezing_at_s(self) -> float | None:
        return None if self.freeze_after_s is None else self.load_s + self.freeze_after_s

    def is_over_after(self, seconds: float) -> bool:
        return any(end is not None and end <= seconds for end in (self.failing_at_s, self.crashing_at_s))


class MockServer:
    """One simulated server. Kept after its end, so that its log and the reason stay known."""

    def __init__(self, record: ServerRecord, script: MockScript, *, adopted: bool) -> None:
        assert record.started_at is not None
        self.handle = record.handle()
        self.record = record
        self.script = script
        self.adopted = adopted
        self._loop = asyncio.get_running_loop()
        self.began_at = self._loop.time() - (max(0.0, time.time() - record.started_at) if adopted else 0.0)
        self.exited: asyncio.Future[ServerExit] = self._loop.create_future()
        self.stopped_by = StopRung.NONE
        self.is_ready = False
        self.frozen = False
        self.last_ok: int | None = None
        self.key: str | None = None
        self._timers: set[asyncio.TimerHandle] = set()

    @property
    def age_s(self) -> float:
        return self._loop.time() - self.began_at

    @property
    def answers(self) -> bool:
        return self.is_ready and not self.frozen and not self.exited.done()

    def at(self, age_s: float | None, action: Callable[[], None]) -> None:
        """Does something at that age, None never, unless the server has ended by then."""
        if age_s is None:
            return

        def act() -> None:
            self._timers.discard(timer)
            action()

        timer = self._loop.call_later(max(0.0, age_s - self.age_s), act)
        self._timers.add(timer)

    def end_timers(self) -> None:
        while self._timers:
            self._timers.pop().cancel()


def may_be_model(path: Path) -> bool:
    """False when the file is certainly no GGUF."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"GGUF"
    except OSError:
        return True


async def port_for(config: ServerConfig, ports: PortAllocator, running: Callable[[], Iterable[MockServer]]) -> int:
    """A port for a configuration whose model file can be read: none that a simulated server pretends to have.

    Raises: as PortAllocator.choose, ConfigurationError for the file.
    """
    await asyncio.to_thread(check_model_file, config.model_path)
    owners = {server.handle.port: server.handle for server in running()}
    if config.port in owners:
        owner = owners[config.port]
        raise PortTaken(owner.port, f"the simulated server of {owner.model_name} (pid {owner.pid})")
    return await ports.choose(config, avoid=frozenset(owners))
