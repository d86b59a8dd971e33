"""What a real llama-server does for its clients, as its log tells it, compared with its answers and its counters."""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from gglib_desktop.adapters.engines.llama_cpp.catalog import LlamaEngineCatalog
from gglib_desktop.adapters.runner.kinds import local_runner
from gglib_desktop.adapters.runner.recorded_runner import RecordedRunner
from gglib_desktop.domain.servers.health import ProbeResult
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig
from gglib_desktop.domain.traffic.audit import Audit, Told, Verdict
from gglib_desktop.domain.traffic.drafting import drafting
from gglib_desktop.domain.traffic.requests import Finished, Refused, RequestEnd, RequestEvent, RequestRow
from tests.fakes.ports import some_base_port
from tests.fakes.waiting import DEADLINE_S, poll

pytestmark = pytest.mark.llama

QUESTION = {"prompt": "the quick brown fox", "n_predict": 20, "temperature": 0.6, "ignore_eos": True}


@dataclass(frozen=True)
class Answer:
    """What a client was told, and when, after it asked, the first token came."""

    timings: dict[str, Any]
    first_token_ms: float | None = None


class Server:
    """One server with its clients."""

    def __init__(self, runner: RecordedRunner, config: ServerConfig, handle: ProcessHandle) -> None:
        self._runner, self.handle, self._config = runner, handle, config
        self._url = f"http://127.0.0.1:{handle.port}"
        self._http = httpx.AsyncClient(verify=False, trust_env=False, timeout=DEADLINE_S)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def ask(self, **changes: object) -> Answer:
        reply = await self._http.post(f"{self._url}/completion", json=QUESTION | changes)
        assert reply.status_code == 200, reply.text
        return Answer(reply.json()["timings"])

    async def chat(self) -> Answer:
        question = {"messages": [{"role": "user", "content": "Hello?"}], "max_tokens": 12}
        reply = await self._http.post(f"{self._url}/v1/chat/completions", json=question)
        return Answer(reply.json()["timings"])

    async def listen(self, *, give_up: bool = False, **changes: object) -> Answer | None:
        asked_at, first = time.perf_counter(), None
        question = QUESTION | changes | {"stream": True}
        async with self._http.stream("POST", f"{self._url}/completion", json=question) as reply:
            async for line in reply.aiter_lines():
                if line:
                    first = first or (time.perf_counter() - asked_at) * 1e3
                    if give_up:
                        return None
                    chunk = json.loads(line.removeprefix("data: "))
                    if "timings" in chunk:
                        return Answer(chunk["timings"], first)
        raise AssertionError("no timings")

    async def refuse(self, content: str) -> None:
        headers = {"content-type": "application/json"}
        reply = await self._http.post(f"{self._url}/completion", content=content, headers=headers)
        assert reply.status_code >= 400

    async def is_told(self, requests: int) -> list[RequestEvent]:
        """What the log tells once so many requests are over in it."""

        async def told() -> Any:
            reader = self._runner.requests_reader(self._config, began_at=self.handle.started_at)
            assert reader is not None
            log = await self._runner.read_log(self._runner.describe(self.handle).log_name, 0, 10_000_000)
            # Nothing new comes, so the last lines are not waited for.
            events = [*reader.feed(log.data, time.time()), *reader.settle(time.time() + 60)]
            return events if sum(isinstance(event, Finished) for event in events) == requests else None

        events: list[RequestEvent] = await poll(told)
        return events


@pytest.fixture
async def runner(data_dir: Path, engine_path: Path) -> AsyncIterator[RecordedRunner]:
    catalog = LlamaEngineCatalog(dict(os.environ))
    async with local_runner(data_dir, lambda: catalog.inspect(engine_path), environment=dict(os.environ)) as runner:
        yield runner
        await asyncio.gather(*(runner.kill(handle) for handle in await runner.list_running()))


@pytest.fixture(params=[None, 3], ids=["plain", "drafting"])
async def server(request, runner, tiny_model) -> AsyncIterator[Server]:
    given = {"model_id": 1, "model_name": "Tiny", "model_path": tiny_model, "threads": 1, "parallel": 4}
    given |= {"base_port": some_base_port(), "context_size": 8192, "spec_draft_n_max": request.param}
    config = ServerConfig.from_mapping(given)
    handle = await runner.start(config)

    async def is_ready() -> Any:
        return (await runner.probe(handle, 5)).result is ProbeResult.OK

    await poll(is_ready)
    async with contextlib.aclosing(Server(runner, config, handle)) as server:
        yield server


def rows_of(events: list[RequestEvent]) -> list[RequestRow]:
    return [event.row for event in events if isinstance(event, Finished)]


def take_row(answer: Answer, rows: list[RequestRow]) -> RequestRow:
    """Takes the row with the figures of the answer out of those that are left."""
    told = answer.timings
    counts = (told["prompt_n"], told["cache_n"], told["predicted_n"], told.get("draft_n"), told.get("draft_n_accepted"))
    row = next(
        row
        for row in rows
        if (row.prompt_n, row.cached_n, row.gen_n, row.draft_n, row.accepted_n) == counts
        and row.prompt_ms == pytest.approx(told["prompt_ms"], abs=0.01)
        and row.gen_ms == pytest.approx(told["predicted_ms"], abs=0.01)
    )
    assert row.timed_n == round(told["predicted_per_second"] * told["predicted_ms"] / 1e3)
    rows.remove(row)
    return row


async def test_requests_are_told_as_they_were_answered_and_counted(runner, server):
    alone = [await server.listen(), await server.listen(n_predict=1), await server.listen(prompt="a dog " * 99)]
    answers = [*alone, await server.ask(), await server.ask(n_predict=0), await server.chat()]
    empty = await server.ask(prompt="")
    many = [
        server.listen(prompt="so it is " * n, n_predict=9 * n) if n % 2 else server.ask(prompt="and " * n, n_predict=n)
        for n in range(1, 13)
    ]
    answers += await asyncio.gather(*many)
    await server.refuse(json.dumps({"prompt": "long " * 9000}))
    await server.refuse('{"prompt": ')

    events = await server.is_told(len(answers) + 2)
    rows = rows_of(events)
    left = list(rows)
    taken = [take_row(answer, left) for answer in answers]
    assert [(row.end, row.gen_n) for row in left] == [(RequestEnd.OK, 0), (RequestEnd.REFUSED, None)]
    assert {row.end for row in taken} == {RequestEnd.OK}
    assert sum(isinstance(event, Refused) for event in events) == 1
    assert empty.timings["prompt_n"] == 0
    for answer, row in zip(alone, taken, strict=False):
        assert row.busy_slots == 1
        assert answer.timings["prompt_ms"] - 1 <= (row.ttft_ms or 0) <= (answer.first_token_ms or 0)
    assert max(row.busy_slots for row in rows) <= 4
    counted = await runner.counters(server.handle)
    assert (counted.gen_n, counted.prompt_n) == (sum(r.gen_n or 0 for r in rows), sum(r.prompt_n or 0 for r in rows))
    assert counted.cached_n == sum(row.cached_n or 0 for row in rows)
    assert Audit().compare(Told().plus(rows), counted, 0.0) is Verdict.COMPLETE
    assert counted.draft_n == sum(row.draft_n or 0 for row in rows)
    brings = drafting(rows, counted)
    assert (brings is not None) == (counted.draft_n > 0)


@pytest.mark.parametrize("server", [None], indirect=True)
async def test_tokens_of_cancelled_requests_are_only_in_the_counters(runner, server):
    answers = [await server.ask()]
    # One after the other: while others stream, the engine may notice none of them before its end.
    for n in range(1, 5):
        await server.listen(give_up=True, prompt="so it is " * n, n_predict=1500)
    # One that gives up while it waits for a slot, which the engine notices late or never.
    busy = [asyncio.create_task(server.ask(n_predict=300)) for _ in range(4)]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.02):
            await server.ask(prompt="too late", n_predict=2)
    answers += await asyncio.gather(*busy)

    async def all_ended() -> Any:
        slots = await runner.slots(server.handle)
        return slots is not None and not any(slot.is_busy for slot in slots)

    await poll(all_ended)
    log = await runner.read_log(runner.describe(server.handle).log_name, 0, 10_000_000)
    rows = rows_of(await server.is_told(log.data.count(b"processing task")))
    left = list(rows)
    assert {take_row(answer, left).end for answer in answers} == {RequestEnd.OK}
    cancelled = [row.end for row in left].count(RequestEnd.CANCELLED)
    assert cancelled >= 1
    counted, audit = await runner.counters(server.handle), Audit()
    assert audit.compare(Told().plus(rows), counted, 0.0) is Verdict.COMPLETE
    assert audit.gen_n >= cancelled
