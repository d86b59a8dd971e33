"""A server that lives for one visit of a measurement."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gglib_desktop.domain.advisor.samples import Task
from gglib_desktop.domain.advisor.speed_key import speed_key
from gglib_desktop.domain.errors import ConfigurationError, HealthCheckFailed, StartFailed
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.health import PROBE_TIMEOUT_S, ProbeResult, loading_interval_s
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig
from gglib_desktop.domain.traffic.completion import Completion, CompletionRequest
from gglib_desktop.ports.servers.measuring import MeasuringRunner
from gglib_desktop.services.advisor.pace import TRIAL_TOKENS, WARM_UP_TOKENS, Pace
from gglib_desktop.services.advisor.prompts import prompt_for

_LONGEST_LOAD_S = 900.0
_WARM_UP_TASK_PROMPT = "The first words of an answer"


@dataclass(frozen=True)
class Cost:
    """What a question took. ``cpu_s`` None: its place does not tell."""

    wall_s: float
    cpu_s: float | None


class HeldServer:
    """One that is ready. ``load_s``: from its start until then."""

    def __init__(self, runner: MeasuringRunner, handle: ProcessHandle, load_s: float) -> None:
        complete = runner.completion(handle)
        if complete is None:
            raise ConfigurationError("engine", None, "drafting cannot be measured with this engine")
        self._complete = complete
        self._runner = runner
        self._handle = handle
        self.load_s = load_s
        self.speed_key = speed_key

    async def facts(self) -> ServerFacts | None:
        return await self._runner.facts(self._handle)

    async def warm_up(self, pace: Pace) -> float:
        """A short answer that does not count; the first server also shows how fast answers are. Returns its seconds."""
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        await self._complete(CompletionRequest(_WARM_UP_TASK_PROMPT, WARM_UP_TOKENS, 1))
        if not pace.long_characters:
            trial = CompletionRequest(_WARM_UP_TASK_PROMPT, TRIAL_TOKENS, 1)
            pace.learn(_WARM_UP_TASK_PROMPT, await self._complete(trial))
        return loop.time() - began_at

    async def ask(self, task: Task, pace: Pace) -> tuple[Sequence[Completion], Cost]:
        """The answers of all clients."""
        prompt, tokens = prompt_for(task, pace.long_characters), pace.tokens_for(task)
        loop = asyncio.get_running_loop()
        cpu_s, began_at = await self._cpu_s(), loop.time()
        if task.clients == 1:
            answers = [await self._complete(CompletionRequest(prompt, tokens, task.seed))]
        else:
            async with asyncio.TaskGroup() as group:
                seeds = range(task.seed, task.seed + task.clients)
                asked = [group.create_task(self._answer(CompletionRequest(prompt, tokens, each))) for each in seeds]
            answers = [each.result() for each in asked]
        wall_s, after_s = loop.time() - began_at, await self._cpu_s()
        return answers, Cost(wall_s, None if cpu_s is None or after_s is None else after_s - cpu_s)

    async def _answer(self, request: CompletionRequest) -> Completion:
        return await self._complete(request)

    async def accepted_at(self) -> tuple[float, ...]:
        """Of all its drafts, the share that was accepted at each position; empty where it does not tell."""
        counters = await self._runner.counters(self._handle)
        if counters is None or not counters.drafts:
            return ()
        return tuple(count / counters.drafts for count in counters.accepted_at)

    async def _cpu_s(self) -> float | None:
        usage = await self._runner.usage(self._handle)
        return None if usage is None else usage.cpu_s


@asynccontextmanager
async def serving(runner: MeasuringRunner, config: ServerConfig) -> AsyncIterator[HeldServer]:
    """A server from its start to its end, which is by force: it has nothing to save. Raises: ProcessError."""
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    handle = await runner.start(config)
    try:
        await _ready(runner, handle, began_at)
        yield HeldServer(runner, handle, loop.time() - began_at)
    finally:
        await _end(runner, handle)


async def _end(runner: MeasuringRunner, handle: ProcessHandle) -> None:
    """Also when it is canceled, and canceled once more."""
    ending = asyncio.ensure_future(runner.kill(handle))
    canceled = False
    while not ending.done():
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            canceled = True
    ending.result()
    if canceled:
        raise asyncio.CancelledError


async def _ready(runner: MeasuringRunner, handle: ProcessHandle, began_at: float) -> None:
    loop = asyncio.get_running_loop()
    while (probe := await runner.probe(handle, PROBE_TIMEOUT_S)).result is not ProbeResult.OK:
        if not await runner.is_running(handle):
            raise StartFailed(f"the engine ended while it loaded the model: {probe.message}")
        waited_s = loop.time() - began_at
        if waited_s > _LONGEST_LOAD_S:
            raise HealthCheckFailed(f"the engine did not get ready within {_LONGEST_LOAD_S:.0f} s")
        await asyncio.sleep(loading_interval_s(waited_s))
