"""Makes the rows of the list of models while the library changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeAlias

from gglib_desktop.domain.models.model import Model
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.models.arrangement import Arrangement, Known, made_rows
from gglib_desktop.viewmodels.models.search_texts import Texts

# More rows than these are made in a thread: each takes 25 to 100 µs.
_MOST_AT_ONCE = 32
_Take: TypeAlias = Callable[[Sequence[Model], Known, Texts, bool], None]


class RowMaker:
    """Makes rows of the models that are new or have changed, many of them in a thread."""

    def __init__(
        self, arrangement: Arrangement, scope: TaskScope, take: _Take, place_name: Callable[[str], str]
    ) -> None:
        """``take`` gets all models, the rows that were made, their texts, and whether models were only added.

        ``place_name`` gives the name of a place by its id, empty for this computer.
        """
        self.place_name = place_name
        self._arrangement = arrangement
        self._scope = scope
        self._take = take
        self._wanted: Sequence[Model] = ()
        self._taken: Sequence[Model] = ()
        self._then: Callable[[], None] | None = None
        self.making: asyncio.Task[None] | None = None

    def list(self, models: Sequence[Model]) -> None:
        """``models`` are all that there are now."""
        self._wanted = models
        if self.making is not None:
            return
        new = self._without_row(models)
        if len(new) > _MOST_AT_ONCE:
            self.making = self._scope.start(self._make_many(), name="list models")
        else:
            self._give(models, *made_rows(new, self.place_name))

    def show_places(self) -> None:
        """Places may have other names now."""
        known = self._arrangement.known.values()
        stale = [model for model, row in known if row.place and row.place != self.place_name(model.place)]
        if stale:
            self._take(self._taken, *made_rows(stale, self.place_name), False)

    def when_listed(self, then: Callable[[], None]) -> None:
        """Calls it once no rows are being made; of several only the last."""
        self._then = then
        if self.making is None:
            self._call()

    def close(self) -> None:
        if self.making is not None:
            self.making.cancel()

    async def _make_many(self) -> None:
        try:
            wanted: Sequence[Model] | None = None
            while wanted is not self._wanted:
                wanted = self._wanted
                self._give(wanted, *await asyncio.to_thread(made_rows, self._without_row(wanted), self.place_name))
        finally:
            self.making = None
        self._call()

    def _call(self) -> None:
        then, self._then = self._then, None
        if then is not None:
            then()

    def _give(self, models: Sequence[Model], made: Known, texts: Texts) -> None:
        # A first scan adds to thousands of models ten times a second: what it costs must not grow with them.
        grown = self._begins_as_taken(models)
        self._taken = models
        self._take(models, made, texts, grown)

    def _begins_as_taken(self, models: Sequence[Model]) -> bool:
        """Compared by identity, in microseconds."""
        return models[: len(self._taken)] == self._taken

    def _without_row(self, models: Sequence[Model]) -> Sequence[Model]:
        """Those that are new, or of which something has changed."""
        new = []
        for model in models[len(self._taken) :] if self._begins_as_taken(models) else models:
            before = self._arrangement.known.get(model.id)
            if before is None or (before[0] is not model and before[0] != model):
                new.append(model)
        return new
