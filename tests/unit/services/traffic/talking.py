"""Servers whose logs a test writes, in a language of its own.

"launch 7", "release 7", "done 7" and "refuse" are lines of it; "done 7 20" says that it generated 20 tokens.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from typing_extensions import override

from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.traffic.requests import Finished, Launched, Refused, RequestEnd, RequestEvent, RequestRow
from gglib_desktop.ports.servers.server_monitor import LogChunk
from tests.fakes.scripted_runner import ScriptedRunner


class ToyReader:
    """A request is over 2 s after the word "release" if nothing more is said."""

    def __init__(self, began_at: float, state: str = "") -> None:
        self.began_at, self._open, self._released = json.loads(state) if state else (began_at, [], {})
        self._rest = b""

    def feed(self, data: bytes, now: float) -> Sequence[RequestEvent]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [event for line in lines for event in self._read(line.decode(), now)]

    def settle(self, now: float) -> Sequence[RequestEvent]:
        due = [int(task) for task, since in self._released.items() if now - since >= 2]
        return [event for task in due for event in self._close(task, RequestEnd.CANCELLED, now)]

    def end(self, now: float) -> Sequence[RequestEvent]:
        return [event for task in list(self._open) for event in self._close(task, RequestEnd.CANCELLED, now)]

    def skip(self, now: float) -> Sequence[RequestEvent]:
        self._rest = b""
        return [Finished(now, RequestRow(now, RequestEnd.NOT_RECORDED))]

    @property
    def pending_bytes(self) -> int:
        return len(self._rest)

    @property
    def state(self) -> str:
        return json.dumps([self.began_at, self._open, self._released])

    def _read(self, line: str, now: float) -> Sequence[RequestEvent]:
        word, number, *generated = f"{line} -".split(" ")[:3]
        match word:
            case "launch":
                self._open.append(int(number))
                return [Launched(now, 0, int(number))]
            case "release":
                self._released[number] = now
            case "done" if int(number) in self._open:
                gen_n = int(generated[0]) if generated[0].isdigit() else None
                return self._close(int(number), RequestEnd.OK, now, gen_n)
            case "refuse":
                return [Refused(now)]
        return []

    def _close(self, task: int, end: RequestEnd, now: float, gen_n: int | None = None) -> list[RequestEvent]:
        self._open.remove(task)
        self._released.pop(str(task), None)
        return [Finished(now, RequestRow(self.began_at, end, task, gen_n=gen_n))]


class TalkingRunner(ScriptedRunner):
    def __init__(self) -> None:
        super().__init__()
        self.logs: dict[str, bytes] = {}
        self.begins: dict[str, int] = {}
        """How much of the beginning of a log is let go."""
        self.listeners: list[Callable[[Mapping[str, int]], object]] = []
        self.unread: Callable[[], Awaitable[Collection[str]]] | None = None
        self.reads = 0

    def write(self, run: str, text: str) -> None:
        self.logs[run] = self.logs.get(run, b"") + text.encode()
        for listener in self.listeners:
            listener({run: len(self.logs[run])})

    @override
    async def read_log(self, log_name: str, offset: int, limit_bytes: int) -> LogChunk:
        await asyncio.sleep(0)
        self.reads += 1
        log = self.logs.get(log_name, b"")
        wanted = offset if offset <= len(log) else 0
        start = max(wanted, self.begins.get(log_name, 0))
        data = log[start : start + limit_bytes]
        return LogChunk(data, start + len(data), skipped=start - wanted)

    @override
    def requests_reader(self, config: ServerConfig, *, began_at: float, state: str = "") -> ToyReader:
        return ToyReader(began_at, state)

    @override
    def on_log_growth(self, callback: Callable[[Mapping[str, int]], object]) -> Callable[[], None]:
        self.listeners.append(callback)
        return lambda: self.listeners.remove(callback)

    @override
    def spare_unread_logs(self, unread: Callable[[], Awaitable[Collection[str]]]) -> None:
        self.unread = unread
