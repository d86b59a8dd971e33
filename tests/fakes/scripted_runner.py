"""A runner that does exactly what a test says, in no time."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gglib_desktop.domain.errors import NotRunning, ProcessError
from gglib_desktop.domain.llama_cpp.diagnosis import diagnose
from gglib_desktop.domain.options.host import other_urls
from gglib_desktop.domain.servers.access import needs_key
from gglib_desktop.domain.servers.diagnosis import Diagnose
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.failures import ServerExit, StopRung
from gglib_desktop.domain.servers.health import Probe, ProbeResult, Usage
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig, ServerHealth
from gglib_desktop.domain.servers.split.workers import Worker
from gglib_desktop.domain.traffic.chat import AskChat
from gglib_desktop.domain.traffic.figures import Counters, MemoryUse, SlotWork
from gglib_desktop.domain.traffic.requests import RequestReader
from gglib_desktop.ports.servers.model_router import ModelRouter
from gglib_desktop.ports.servers.server_monitor import LogChunk, LostServer, ServerDescription, UnreachableServer

OK = Probe(ProbeResult.OK)
LOADING = Probe(ProbeResult.LOADING, "loading the model")
NO_ANSWER = Probe(ProbeResult.TIMEOUT, "no answer within 2 s")


@dataclass
class ScriptedServer:
    """One server. A test writes its fields, the supervisor reads them. ``asked``: the questions beside its health.

    ``delays_s``: how long the answers about its slots take.
    """

    handle: ProcessHandle
    config: ServerConfig
    answer: Probe = LOADING
    usage: Usage | None = field(default_factory=lambda: Usage(0.0, 1000))
    cpu_s_per_question: float = 0.0
    slots: Sequence[SlotWork] | None = ()
    counters: Counters | None = None
    memory: MemoryUse | None = None
    asked: list[str] = field(default_factory=list)
    delays_s: Iterator[float] = field(default_factory=lambda: itertools.repeat(0.0))
    stop_error: ProcessError | None = None
    ends_on_stop: bool = True
    questions: int = 0
    uses: int = 0
    asked_at: list[float] = field(default_factory=list)
    exited: asyncio.Future[ServerExit] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def end(self, status: int | None, rung: StopRung = StopRung.NONE) -> None:
        if not self.exited.done():
            self.exited.set_result(ServerExit(status, rung))


class ScriptedRunner:
    """Implements ProcessRunner and ServerMonitor. Starts wait until ``may_start`` is set."""

    def __init__(self) -> None:
        self.servers: list[ScriptedServer] = []
        self.may_start = asyncio.Event()
        self.may_start.set()
        self.start_error: ProcessError | None = None
        self.check_error: ProcessError | None = None
        self.finishes_cancelled_starts = False
        self.starts = 0
        self.cancelled_starts = 0
        self.log = b""
        self.lost: list[LostServer] = []
        self.out_of_reach: list[UnreachableServer] = []
        self.on_find: Callable[[], object] = lambda: None
        self.ask: AskChat | None = None
        self.routed: ModelRouter | None = None
        self.seen_workers: Sequence[Worker] = ()
        self.facts_said: ServerFacts | None = ServerFacts(context_size=2048, slots=4)

    @property
    def last(self) -> ScriptedServer:
        return self.servers[-1]

    # -- ProcessRunner

    async def start(self, config: ServerConfig) -> ProcessHandle:
        self.starts += 1
        try:
            await self.may_start.wait()
        except asyncio.CancelledError:
            self.cancelled_starts += 1
            if not self.finishes_cancelled_starts:
                raise
        if self.start_error is not None:
            raise self.start_error
        number = len(self.servers)
        handle = ProcessHandle(config.model_id, config.model_name, 100 + number, config.base_port + number, 1_000)
        self.servers.append(ScriptedServer(handle, config))
        return handle

    async def stop(self, handle: ProcessHandle) -> None:
        server = self._server(handle)
        if server.exited.done():
            raise NotRunning("gone")
        if server.stop_error is not None:
            raise server.stop_error
        if server.ends_on_stop:
            server.end(0, StopRung.SIGTERM)
        await asyncio.shield(server.exited)

    async def is_running(self, handle: ProcessHandle) -> bool:
        return not self._server(handle).exited.done()

    async def health(self, handle: ProcessHandle) -> ServerHealth:
        return ServerHealth(self._server(handle).answer == OK)

    async def list_running(self) -> Sequence[ProcessHandle]:
        return [server.handle for server in self.servers if not server.exited.done()]

    # -- ServerMonitor

    async def check(self, config: ServerConfig, *, instead_of: ProcessHandle) -> None:
        if self.check_error is not None:
            raise self.check_error

    async def probe(self, handle: ProcessHandle, timeout_s: float) -> Probe:
        server = self._server(handle)
        server.questions += 1
        server.asked_at.append(asyncio.get_running_loop().time())
        if server.usage is not None:
            server.usage = replace(server.usage, cpu_s=server.usage.cpu_s + server.cpu_s_per_question)
        return server.answer

    async def usage(self, handle: ProcessHandle) -> Usage | None:
        server = self._server(handle)
        server.uses += 1
        return server.usage

    async def facts(self, handle: ProcessHandle) -> ServerFacts | None:
        return self.facts_said

    async def memory(self, handle: ProcessHandle) -> MemoryUse | None:
        server = self._server(handle)
        server.asked.append("memory")
        return server.memory

    async def slots(self, handle: ProcessHandle) -> Sequence[SlotWork] | None:
        server = self._server(handle)
        server.asked.append("slots")
        await asyncio.sleep(next(server.delays_s))
        return server.slots

    async def counters(self, handle: ProcessHandle) -> Counters | None:
        server = self._server(handle)
        server.asked.append("counters")
        return server.counters

    def chat(self, handle: ProcessHandle) -> AskChat | None:
        return self.ask

    def workers(self, handle: ProcessHandle) -> Sequence[Worker]:
        return self.seen_workers

    def router(self, handle: ProcessHandle) -> ModelRouter | None:
        return self.routed

    async def wait_exit(self, handle: ProcessHandle) -> ServerExit:
        return await asyncio.shield(self._server(handle).exited)

    async def kill(self, handle: ProcessHandle) -> None:
        server = self._server(handle)
        if server.stop_error is not None:
            raise server.stop_error
        server.end(-9, StopRung.SIGKILL)

    def diagnose_for(self, config: ServerConfig) -> Diagnose:
        return diagnose

    def requests_reader(self, config: ServerConfig, *, began_at: float, state: str = "") -> RequestReader | None:
        return None

    def names_said(self, config: ServerConfig, command_line: str) -> tuple[str, ...]:
        return ()

    def endpoint(self, handle: ProcessHandle) -> str:
        return f"http://127.0.0.1:{handle.port}/v1"

    def describe(self, handle: ProcessHandle) -> ServerDescription:
        config = self._server(handle).config
        return ServerDescription(
            config=config,
            endpoint=self.endpoint(handle),
            other_endpoints=tuple(f"{url}/v1" for url in other_urls(config.host, handle.port, ["192.0.2.1"])),
            command_line=f"serve {handle.model_name}",
            log_name=f"log-{handle.pid}",
            api_key="a-key" if needs_key(config) else None,
        )

    def unreachable(self) -> Sequence[UnreachableServer]:
        return tuple(self.out_of_reach)

    def on_found(self, callback: Callable[[], object]) -> Callable[[], None]:
        self.on_find = callback
        return lambda: None

    def take_lost(self) -> Sequence[LostServer]:
        lost, self.lost = self.lost, []
        return lost

    async def read_log(self, log_name: str, offset: int, limit_bytes: int) -> LogChunk:
        return LogChunk(self.log, len(self.log))

    def on_log_growth(self, callback: Callable[[Mapping[str, int]], object]) -> Callable[[], None]:
        return lambda: None

    def spare_unread_logs(self, unread: Callable[[], Awaitable[Collection[str]]]) -> None:
        pass

    def _server(self, handle: ProcessHandle) -> ScriptedServer:
        return next(server for server in self.servers if server.handle == handle)
