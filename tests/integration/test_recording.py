"""What a real engine did for its clients is in the history once, also when the program is killed in the middle."""

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from gglib_desktop.adapters.requests.sqlite_requests import SqliteRequestStore
from gglib_desktop.api import create_runner
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.traffic.requests import RequestEnd, RequestRow
from gglib_desktop.ports.servers.request_store import RequestScope
from tests.fakes.ports import some_base_port
from tests.fakes.waiting import poll

pytestmark = pytest.mark.llama


class Programs:
    """Records, one program after the other, over one data directory."""

    def __init__(self, data_dir: Path, engine: Path) -> None:
        self.data_dir = data_dir
        self._words = [sys.executable, "-m", "tests.fakes.recording_program", str(data_dir), str(engine)]
        self._process: subprocess.Popen[str] | None = None

    def begin(self, *config: str) -> str:
        """The endpoint of its server."""
        root = Path(__file__).parents[2]
        process = subprocess.Popen(
            [*self._words, *config], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
        )
        self._process = process
        assert process.stdout is not None
        return process.stdout.readline().strip()

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate()

    def end(self) -> None:
        assert self._process is not None
        self._process.communicate()


class Clients:
    """Asks a server, and remembers what it answered."""

    def __init__(self, endpoint: str, http: httpx.AsyncClient) -> None:
        self._url = endpoint.removesuffix("/v1")
        self._http = http
        self.timings: list[dict[str, Any]] = []
        self.asked: Counter[str] = Counter()

    async def ask(self, n_predict: int, prompt: str = "one two three") -> None:
        self.asked["ok"] += 1
        body = {"prompt": prompt, "n_predict": n_predict, "ignore_eos": True, "seed": 1}
        answer = await self._http.post(f"{self._url}/completion", json=body)
        self.timings.append(answer.json()["timings"])

    async def give_up(self, after_tokens: int) -> None:
        """Streams, and closes the connection after some tokens."""
        self.asked["cancelled"] += 1
        body = {"prompt": "a b c", "n_predict": 8000, "ignore_eos": True, "stream": True}
        async with self._http.stream("POST", f"{self._url}/completion", json=body) as answer:
            lines = answer.aiter_lines()
            for _token in range(after_tokens):
                await anext(lines)

    async def ask_too_much(self) -> None:
        self.asked["refused"] += 1
        await self._http.post(f"{self._url}/completion", json={"prompt": "x " * 20_000})

    async def ask_badly(self) -> None:
        self.asked["without a slot"] += 1
        await self._http.post(f"{self._url}/completion", content=b"{")

    async def counters(self) -> dict[str, float]:
        """Once all requests are over."""

        async def idle() -> dict[str, float]:
            text = (await self._http.get(f"{self._url}/metrics")).text
            lines = [line.rpartition(" ") for line in text.splitlines() if line.startswith("llamacpp:")]
            found = {name.removeprefix("llamacpp:"): float(value) for name, _space, value in lines}
            return {} if found["requests_processing"] else found

        return await poll(idle)


@pytest.fixture
def programs(data_dir: Path, engine_path: Path) -> Iterator[Programs]:
    programs = Programs(data_dir, engine_path)
    yield programs
    with contextlib.suppress(ProcessLookupError):
        programs.kill()
    asyncio.run(end_servers(data_dir, engine_path))


async def end_servers(data_dir: Path, engine: Path) -> None:
    async with create_runner("local", data_dir=data_dir, engine=engine) as runner:
        for handle in await runner.list_running():
            await runner.kill(handle)


async def kept(data_dir: Path) -> tuple[Sequence[RequestRow], int]:
    store = SqliteRequestStore(data_dir / "requests.sqlite")
    history = await store.history(RequestScope())
    await store.aclose()
    return [each.row for each in history.requests], history.refused


async def test_rows_and_refusals_are_those_of_the_clients_whatever_happens_to_the_program(
    programs, data_dir, tiny_model
):
    config = ServerConfig(
        7, "Tiny", tiny_model, some_base_port(), context_size=8192, threads=1, parallel=2, spec_draft_n_max=2
    )
    async with httpx.AsyncClient(timeout=60) as http:
        clients = Clients(await asyncio.to_thread(programs.begin, config.to_json()), http)
        await asyncio.gather(clients.ask(20), clients.ask(40), clients.ask_badly(), clients.give_up(10))
        under_way = asyncio.gather(clients.ask(150), clients.ask(100), clients.ask_too_much())
        await asyncio.to_thread(programs.kill)
        await asyncio.gather(under_way, clients.ask(30), clients.ask_badly())
        await asyncio.to_thread(programs.begin)
        await asyncio.gather(clients.give_up(3), clients.ask(25), clients.ask_badly())
        await clients.ask(5)
        counters = await clients.counters()
        await asyncio.to_thread(programs.end)
    rows, refused = await kept(data_dir)
    ends = Counter(row.end.value for row in rows)
    assert ends + Counter({"without a slot": refused}) == clients.asked
    told = sorted((_figures(row) for row in rows if row.end is RequestEnd.OK), key=_order)
    for row, answer in zip(told, sorted(map(_timings, clients.timings), key=_order), strict=True):
        assert row == pytest.approx(answer, abs=1)
        assert row[:5] == answer[:5]
    cancelled_n = counters["tokens_predicted_total"] - sum(row.gen_n or 0 for row in rows)
    assert cancelled_n >= ends["cancelled"]


def _figures(row: RequestRow) -> list[Any]:
    return [row.gen_n, row.prompt_n, row.cached_n, row.draft_n, row.accepted_n, row.prompt_ms, row.gen_ms]


def _timings(answer: dict[str, Any]) -> list[Any]:
    names = ("predicted_n", "prompt_n", "cache_n", "draft_n", "draft_n_accepted", "prompt_ms", "predicted_ms")
    return [answer.get(name) for name in names]


def _order(figures: list[Any]) -> tuple[int, float]:
    return figures[0], figures[-1]
