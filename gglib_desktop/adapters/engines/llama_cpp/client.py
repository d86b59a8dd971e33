"""Asks llama-server over HTTP."""

from __future__ import annotations

import asyncio
import functools
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx

from gglib_desktop.adapters.engines.openai.questions import Questions, value_of
from gglib_desktop.domain.llama_cpp.facts import facts_from, is_asleep, names_told
from gglib_desktop.domain.llama_cpp.figures import counters_told, slots_told
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.health import Probe, ProbeResult
from gglib_desktop.domain.traffic.figures import Counters, SlotWork

if TYPE_CHECKING:
    from gglib_desktop.adapters.engines.llama_cpp.chats import LlamaChats
    from gglib_desktop.adapters.http.chats import StreamedChats


class LlamaClient:
    """One keep-alive HTTP client for all servers of a runner. ``transport`` stands in for the network, in tests."""

    def __init__(
        self, *, transport: httpx.AsyncBaseTransport | None = None, chats: StreamedChats | None = None
    ) -> None:
        self._questions = Questions(transport=transport)
        self._chats = chats
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def aclose(self) -> None:
        """Closes every connection, which ends pending questions."""
        if "chats" in vars(self):
            self.chats.close()
        await self._questions.aclose()

    @functools.cached_property
    def chats(self) -> LlamaChats:
        """Made when it is first used."""
        from gglib_desktop.adapters.engines.llama_cpp.chats import LlamaChats

        return LlamaChats(self._chats)

    async def probe(self, server: ServerAddress, timeout_s: float) -> Probe:
        """One question to /health, which needs no key. Never raises."""
        answer = await self._questions.answer(server, "/health", timeout_s)
        if isinstance(answer, Probe):
            return answer
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            return Probe(ProbeResult.LOADING, "loading the model")
        status = value_of(answer)
        if isinstance(status, dict) and status.get("status") == "ok":
            return Probe(ProbeResult.OK)
        return Probe(ProbeResult.FOREIGN, f"something that is no llama-server answers (HTTP {answer.status_code})")

    async def facts(self, server: ServerAddress, log: str = "", *, wants_key: bool = False) -> ServerFacts | None:
        """The settings in force, from /props, /slots and the beginning of the ``log``; None without /props.

        Asks without the key first, unless the server is known to want it: this shows whether it refuses strangers.
        """
        answer = None if wants_key else await self._questions.get(server, "/props", key=None)
        wants_key = wants_key or (answer is not None and answer.status_code == httpx.codes.UNAUTHORIZED)
        if wants_key and server.key is not None:
            answer = await self._questions.get(server, "/props", key=server.key)
        if answer is not None and answer.status_code == httpx.codes.UNAUTHORIZED:
            return ServerFacts(wants_key=True, refused=True)
        props = value_of(answer)
        # The question would wake it, and load its model again.
        slots = None if is_asleep(props) else await self._questions.get(server, "/slots", key=server.key)
        facts = facts_from(props, value_of(slots), log)
        return None if facts is None else replace(facts, wants_key=wants_key)

    async def names(self, server: ServerAddress) -> tuple[str, ...]:
        """The names of the model for clients, from /v1/models; none if it gives the path of a file."""
        return names_told(value_of(await self._questions.get(server, "/v1/models", key=server.key)))

    async def slots(self, server: ServerAddress, *, may_sleep: bool = False) -> tuple[SlotWork, ...] | None:
        """What /slots tells; nothing of one that sleeps, and None without an answer in time."""
        sleeps, answer = await self._in_turn(server, "/slots", may_sleep=may_sleep)
        return () if sleeps else slots_told(value_of(answer))

    async def counters(self, server: ServerAddress, *, may_sleep: bool = False) -> Counters | None:
        """What /metrics tells; None without an answer in time, and of one that sleeps."""
        _sleeps, answer = await self._in_turn(server, "/metrics", may_sleep=may_sleep)
        return counters_told(answer.text) if answer is not None and answer.status_code == httpx.codes.OK else None

    async def _in_turn(
        self, server: ServerAddress, path: str, *, may_sleep: bool
    ) -> tuple[bool, httpx.Response | None]:
        """One question after the other: a server that computes may answer all of them only afterwards.

        ``may_sleep``: one that sleeps, or does not say, is not asked, because this would wake it. Returns whether it
        is known to sleep, and its answer.
        """
        try:
            async with self._questions.within(), self._turns[server.root]:
                if may_sleep:
                    sleeps = is_asleep(value_of(await self._questions.get(server, "/props", key=server.key)))
                    if sleeps is not False:
                        return sleeps is True, None
                return False, await self._questions.get(server, path, key=server.key)
        except TimeoutError:
            return False, None
