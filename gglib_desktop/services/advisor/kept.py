"""What was measured before, as far as it counts now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gglib_desktop.domain.advisor.advice import Advice, Changed, Conditions
from gglib_desktop.ports.models.advice_store import AdviceStore
from gglib_desktop.services.events import EventSource


@dataclass(frozen=True)
class KnownAdvice:
    """``changed``: why it does not count now, so that one has to measure again; None: it counts."""

    advice: Advice
    changed: Changed | None = None


class KeptAdvice:
    """All advice, in memory from ``load`` on. Tells subscribers when it changes."""

    def __init__(self, store: AdviceStore) -> None:
        self._store = store
        self._all: Sequence[Advice] = ()
        self._events: EventSource[None] = EventSource()
        self.subscribe = self._events.add

    async def load(self) -> None:
        """Raises: LibraryError."""
        self._all = await self._store.all()
        self._events.emit(None)

    async def keep(self, advice: Advice) -> None:
        """Raises: LibraryError."""
        await self._store.keep(advice)
        await self.load()

    def advice_for(self, conditions: Conditions) -> KnownAdvice | None:
        """The newest that counts, else the newest of the model; None: it was never measured there."""
        known = [
            KnownAdvice(each, conditions.changed_since(each.conditions))
            for each in self._all
            if (each.conditions.path, each.conditions.place) == (conditions.path, conditions.place)
        ]
        return next((each for each in known if each.changed is None), known[0] if known else None)

    def off_times(self, path: Path, speed_key: str) -> Sequence[float]:
        """Milliseconds per token without drafting, on the clock, for servers of that speed; none if unknown."""
        found = (each for each in self._all if each.conditions.path == path and each.speed_key == speed_key != "")
        return next((each.verdict.off_ms for each in found if each.verdict.doubt is None), ())
