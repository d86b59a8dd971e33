"""Simulated llama-servers: their engine, how their lives go, and what they are told by flags.

Flags of its own in ``extra_args`` change one server's life (times in seconds): ``--mock-load-s=2`` loads as long;
``--mock-fail-load=LINE`` dies while loading, with that log line; ``--mock-crash-after-s=3`` and
``--mock-freeze-after-s=2`` count from when it was ready; ``--mock-stop-s=4`` takes as long to stop;
``--mock-log-lines=100000`` prints as many numbered lines when it is ready; ``--mock-context=4096`` runs with that
context, whatever was requested. Other flags are refused as llama-server refuses unknown ones.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from gglib_desktop.adapters.engines.llama_cpp.driver import LlamaCppDriver
from gglib_desktop.adapters.places.simulated.process import SimulatedProcess
from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities, EngineDevice, EngineSource
from gglib_desktop.domain.options.client_names import alias_taken_out, names_in
from gglib_desktop.domain.options.drafting import DRAFT_SIMPLE
from gglib_desktop.domain.options.engine_options import DRAFT_MTP, NO_METHOD, SPEC_TYPE, engine_options
from gglib_desktop.domain.servers.access import ServerAddress, needs_key
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.health import Probe, ProbeResult
from gglib_desktop.domain.traffic.figures import Counters, SlotWork
from gglib_desktop.ports.servers.engine_driver import Seen

if TYPE_CHECKING:
    from gglib_desktop.domain.servers.dialect import Dialect

_CONTEXT_SIZE, _SLOTS = 8192, 4
_TEMPLATE = "{{ messages }}"
_CRASH_STATUS = -11
# Not before its first answer has been read.
_SOON_S = 0.001
_LOADED = "model loaded"
_IDLE = "all slots are idle"
_NO_MODEL = "gguf_init_from_reader: invalid magic characters, failed to load model"
_ALWAYS = "-m,--model --host --port --metrics --api-key --api-key-file"
_FLAGS = [names.split(",") for names in _ALWAYS.split()]
_FLAGS += [[*option.spec.flags, *option.spec.off_flags] for option in engine_options()]

SIMULATED_ENGINE = Engine(
    Path("llama-server"),
    "simulated",
    EngineCapabilities(
        {name: frozenset(names) for names in _FLAGS for name in names},
        spec_types=frozenset({NO_METHOD, DRAFT_MTP, DRAFT_SIMPLE}),
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
        """Applies one of our flags. Raises: ValueError for any other word."""
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
        return None if self.fail_load is None else max(_SOON_S, self.load_s / 2)

    @property
    def crashing_at_s(self) -> float | None:
        return None if self.crash_after_s is None else self.load_s + self.crash_after_s

    @property
    def freezing_at_s(self) -> float | None:
        return None if self.freeze_after_s is None else self.load_s + self.freeze_after_s

    def is_over_after(self, seconds: float) -> bool:
        return any(end is not None and end <= seconds for end in (self.failing_at_s, self.crashing_at_s))


def may_be_model(path: Path) -> bool:
    """False if the file certainly is no GGUF."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"GGUF"
    except OSError:
        return True


class SimulatedServer:
    """The program of one simulated process."""

    def __init__(self, process: SimulatedProcess, timings: MockTimings) -> None:
        self.process = process
        self.is_ready = False
        self.wrong_flag = ""
        self._has_answered = False
        self._timings = timings
        self.script = self._script()

    @property
    def busy_s(self) -> float:
        return self.script.load_s

    @property
    def answers(self) -> bool:
        return self.is_ready and not self.process.frozen and not self.process.poll()

    def begin(self) -> None:
        if self.wrong_flag:
            self.process.output.write(f"error: invalid argument: {self.wrong_flag}\n")
            self.process.end(1)
            return
        self._print(f"I srv    load_model: loading model '{self.process.record.config.model_path}'")

    def go_on(self) -> bool:
        if self.script.is_over_after(self.process.age_s) or self.wrong_flag:
            return False
        # By the log and not by age: a start time in whole seconds makes it look older than it is.
        tail = self.process.output.tail()
        self.is_ready = _LOADED.encode() in tail or _IDLE.encode() in tail
        self._has_answered = True
        self._plan()
        return True

    def terminate(self) -> None:
        self._print("I srv    operator(): operator(): cleaning up before exit...")
        self.process.at(self.process.age_s + self.script.stop_s, lambda: self.process.end(0))

    async def probe(self, timeout_s: float) -> Probe:
        if self.process.frozen:
            await self.process.exits_within(timeout_s)
        if self.process.poll() or not (self._has_answered or self.process.age_s >= self._timings.answer_s):
            return Probe(ProbeResult.REFUSED, "the port refuses connections")
        if not self._has_answered:
            self._has_answered = True
            self.process.begin_anew()
            self._plan()
        if self.process.frozen:
            return Probe(ProbeResult.TIMEOUT, f"no answer within {timeout_s:g} s")
        return Probe(ProbeResult.OK) if self.is_ready else Probe(ProbeResult.LOADING, "loading the model")

    def facts(self, seen: Seen) -> ServerFacts:
        config = self.process.record.config
        size = self.script.context or config.context_size or _CONTEXT_SIZE
        slots = max(0, config.parallel or 0)
        # Only report how the context is shared when the size was asked for.
        shared = not slots if config.context_size or self.script.context else None
        return ServerFacts(
            context_size=size // (slots or 1),
            slots=slots or _SLOTS,
            model_path=str(config.model_path),
            build="simulated",
            chat_template=config.chat_template or _TEMPLATE,
            context_shared=shared,
            drafts=SPEC_TYPE in seen.command_line,
            wants_key=needs_key(config),
            alias=min(names_in(alias_taken_out(shlex.split(seen.command_line))[0]), default=None),
        )

    def slots(self) -> tuple[SlotWork, ...]:
        """All are idle, for no client reaches them."""
        return tuple(map(SlotWork, range(max(0, self.process.record.config.parallel or 0) or _SLOTS)))

    # -- its life

    def _plan(self) -> None:
        script, process = self.script, self.process
        if not self.is_ready and script.ready_at_s is not None and script.ready_at_s <= process.age_s:
            self._on_ready()
        elif not self.is_ready:
            process.at(script.ready_at_s, self._on_ready)
        process.at(script.failing_at_s, self._on_load_failed)
        process.at(script.crashing_at_s, lambda: process.end(_CRASH_STATUS))
        process.at(script.freezing_at_s, self._freeze)
        process.at(max(process.age_s, script.load_s) + self._timings.log_every_s, self._on_pulse)

    def _on_ready(self) -> None:
        self.is_ready = True
        self._print(
            *(f"I srv  line {number}" for number in range(self.script.log_lines)),
            f"I srv  llama_server: {_LOADED}",
            f"I srv  llama_server: listening on http://127.0.0.1:{self.process.record.port}",
        )

    def _on_load_failed(self) -> None:
        self._print(f"E {self.script.fail_load}", "E srv  llama_server: exiting due to model loading error")
        self.process.end(1)

    def _freeze(self) -> None:
        self.process.frozen = True

    def _on_pulse(self) -> None:
        if not self.process.frozen:
            self._print(f"I srv  update_slots: {_IDLE}")
        self.process.at(self.process.age_s + self._timings.log_every_s, self._on_pulse)

    def _script(self) -> MockScript:
        config = self.process.record.config
        script = MockScript(self._timings.load_s, self._timings.stop_s)
        for word in config.extra_args:
            try:
                script = script.with_flag(word)
            except ValueError:
                self.wrong_flag = self.wrong_flag or word
        if script.fail_load is None and not may_be_model(config.model_path):
            script = dataclasses.replace(script, fail_load=_NO_MODEL)
        return script

    def _print(self, *texts: str) -> None:
        """Adds lines with the time stamps of llama-server: minutes, seconds, milliseconds, microseconds."""
        seconds, us = divmod(int(self.process.age_s * 1e6), 1_000_000)
        stamp = f"{seconds // 60}.{seconds % 60:02}.{us // 1000:03}.{us % 1000:03}"
        self.process.output.write("".join(f"{stamp} {text}\n" for text in texts))


class SimulatedLlama(LlamaCppDriver):
    """As llama-server's driver, for simulated processes: whatever is asked is answered from the simulation."""

    split = None

    def __init__(self, timings: MockTimings | None = None) -> None:
        async def engine() -> Engine:
            return SIMULATED_ENGINE

        super().__init__(engine)
        self._timings = timings or MockTimings()
        self._servers: dict[int, SimulatedServer] = {}

    def program(self, process: SimulatedProcess) -> SimulatedServer:
        """What a simulated process does."""
        server = self._servers[process.record.port] = SimulatedServer(process, self._timings)
        return server

    @override
    async def open(self) -> None:
        """No client is needed."""

    @override
    async def probe(self, server: ServerAddress, timeout_s: float) -> Probe:
        return await self._servers[server.port].probe(timeout_s)

    @override
    async def facts(self, server: ServerAddress, seen: Seen) -> ServerFacts | None:
        asked = self._servers[server.port]
        return asked.facts(seen) if asked.answers else None

    @override
    async def slots(self, server: ServerAddress, *, may_sleep: bool = False) -> Sequence[SlotWork] | None:
        asked = self._servers[server.port]
        return asked.slots() if asked.answers else None

    @override
    async def counters(self, server: ServerAddress, *, may_sleep: bool = False) -> Counters | None:
        return Counters(0, 0.0, 0, 0.0) if self._servers[server.port].answers else None

    @property
    @override
    def chat(self) -> None:
        """It has nothing to say."""
        return

    @override
    async def names(self, server: ServerAddress) -> tuple[str, ...]:
        return ()


class MockEngineCatalog:
    """Offers one engine that knows every option and does not exist."""

    @cached_property
    def dialect(self) -> Dialect:
        from gglib_desktop.domain.llama_cpp.dialect import LlamaCppDialect

        return LlamaCppDialect()

    async def find(self, configured: Path | None) -> Engine:
        return await self.inspect(configured or SIMULATED_ENGINE.path)

    async def inspect(self, path: Path) -> Engine:
        return replace(SIMULATED_ENGINE, path=path)

    async def devices(self, engine: Engine) -> Sequence[EngineDevice]:  # noqa: ARG002  # all are alike
        return (EngineDevice("Mock0", "Simulated card", 8 * 2**30),)
