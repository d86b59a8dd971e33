"""What an endpoint tells about its work, and when it is asked."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace

from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.health import HEALTHY_INTERVAL_S
from gglib_desktop.domain.traffic.figures import Counters, ServerFigures, SlotWork
from gglib_desktop.domain.traffic.work import ServerWork
from gglib_desktop.ports.servers.endpoint_client import AskedEngine, Recognized

BUSY_S = 1.0
# One that may sleep is asked less and less from then on: questions about its work would keep it awake.
IDLE_S = 60.0
# What was told longer ago is not known any more.
FRESH_S = 10.0
# No server has more; one that says so would make us paint them.
_MOST_SLOTS = 256


class EndpointWork:
    """Asks one endpoint of a known kind. ``facts`` is what it reports about itself, as far as that can be."""

    def __init__(self, known: Recognized, address: ServerAddress) -> None:
        self.engine: AskedEngine = known.engine
        self.facts = _bounded(known.facts)
        self.told = False
        self._address = address
        self._work = ServerWork(_now(), self.facts.slots)
        self._told_at = -math.inf
        self._asked_at = -math.inf
        self._prompt: float | None = None
        # Of an engine that has no slots.
        self._most_requests = 0
        self.wake()

    @property
    def due_at(self) -> float:
        """When to ask again; infinite for one that tells nothing."""
        if self._work.busy_slots:
            return self._asked_at + BUSY_S
        idle_s = self._asked_at - self._active_at
        # As long as it has been idle: it sleeps at most that much later than it would without us.
        rest_s = idle_s if self.engine.may_sleep and idle_s > IDLE_S else HEALTHY_INTERVAL_S
        return self._asked_at + rest_s

    def wake(self) -> None:
        """The user looks, or has just used it."""
        self._active_at = _now()
        self._asked_at = min(self._asked_at, self._active_at - HEALTHY_INTERVAL_S)

    async def ask(self) -> None:
        """A question or two about what it does."""
        self._asked_at = _now()
        slots = await self.engine.slots(self._address, may_sleep=self.engine.may_sleep)
        if slots is not None and len(slots) <= _MOST_SLOTS:
            self._told_at = _now()
            self._work.sampled(slots, self._asked_at, self._told_at)
        counters = await self.engine.counters(self._address, may_sleep=self.engine.may_sleep)
        if counters is not None:
            if slots is None and counters.processing is not None:
                self._take_requests(min(counters.processing, _MOST_SLOTS))
            self._count(counters)
        self.told = self.told or slots is not None or counters is not None
        if self._work.busy_slots:
            self._active_at = _now()

    def figures(self) -> ServerFigures:
        """What is known now."""
        now = _now()
        if self._told_at < now - FRESH_S:
            return ServerFigures()
        figures = replace(self._work.figures(now), prompt=self._prompt)
        if not self._most_requests:
            return figures
        counters = self._work.counters
        return replace(figures, slots=(), waiting=counters.deferred if counters is not None else None)

    def _take_requests(self, count: int) -> None:
        """Of an engine without slots: so many requests are at work, none of which tells how far it is."""
        self._most_requests = max(self._most_requests, count, 1)
        self._told_at = _now()
        every = (SlotWork(each, is_busy=each < count, gen_n=None) for each in range(self._most_requests))
        self._work.sampled(every, self._asked_at, self._told_at)

    def _count(self, counters: Counters) -> None:
        before, now = self._work.counters, _now()
        self._work.counted(counters, now)
        if before is None:
            return
        read_n = counters.prompt_n - before.prompt_n
        read_s = (counters.prompt_s or 0.0) - (before.prompt_s or 0.0)
        if read_n > 0 and read_s > 0:
            self._prompt = read_n / read_s
        if counters.gen_n != before.gen_n or read_n:
            self._active_at = now


def _bounded(facts: ServerFacts) -> ServerFacts:
    is_sane = facts.slots is None or 0 <= facts.slots <= _MOST_SLOTS
    return facts if is_sane else replace(facts, slots=None)


def _now() -> float:
    return asyncio.get_running_loop().time()
