"""Which models the list shows, and in what order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import compress
from typing import Any, TypeAlias

from gglib_desktop.domain.models.model import Model
from gglib_desktop.viewmodels.models.model_filter import Places, narrowed
from gglib_desktop.viewmodels.models.model_row import SORT_VALUES, FilterOption, ModelRow, SortKey, model_row
from gglib_desktop.viewmodels.models.search_texts import SearchTexts, Texts, side_by_side, texts_of

# Backspace comes back to what was found before: a list of 10,000 takes 80 KB.
_MOST_FINDS = 16
Known: TypeAlias = dict[int, tuple[Model, ModelRow]]


class Arrangement:
    """All models with their rows, their order, and what a filter and a search leave of them.

    Rows lie all over memory, where fetching thousands takes milliseconds. So lists hold ids.
    """

    def __init__(self) -> None:
        self.known: Known = {}
        self._key = SortKey.ADDED
        self._descending = False
        self._order: list[int] = []
        # The order's two halves, and what the first one is sorted by.
        self._stated: list[int] = []
        self._values: list[Any] = []
        self._unknown: list[int] = []
        self._passing: Sequence[int] = ()
        self._texts = SearchTexts()
        self._finds: dict[tuple[str, ...], Sequence[int]] = {}

    def rows(self, ids: Iterable[int] | None = None) -> list[ModelRow]:
        """Those of all models, or of some."""
        return [self.known[model_id][1] for model_id in (self.known if ids is None else ids)]

    def add(self, made: Known, texts: Texts) -> None:
        """Takes models that are new. ``narrow`` must follow, as after each change of models or order."""
        self.known.update(made)
        self._texts.replace((), texts)
        self._put_in_order(side_by_side(made))

    def replace(self, ids: Iterable[int], made: Known, texts: Texts) -> None:
        """Lists the models ``ids`` alone. Those in ``made`` are new or have changed."""
        before = self.known
        both = {**before, **made}
        self.known = {model_id: both[model_id] for model_id in ids}
        self._texts.replace((made.keys() & before.keys()) | (before.keys() - self.known.keys()), texts)
        self._put_all_in_order()

    def sort(self, key: SortKey, *, descending: bool) -> None:
        self._key, self._descending = key, descending
        self._put_all_in_order()

    def narrow(self, chosen: Collection[FilterOption], places: Places) -> None:
        """Leaves the models that a filter wants; all of them if nothing is chosen."""
        self._passing = self._order
        self._finds.clear()
        if chosen:
            self._passing = side_by_side(row.id for row in narrowed(self.rows(self._order), chosen, places))

    def find(self, words: tuple[str, ...]) -> Sequence[int]:
        """What the filter leaves and has all the lower-case words, in order."""
        if not words:
            self._finds.clear()
            return self._passing
        if words not in self._finds:
            if len(self._finds) == _MOST_FINDS:
                self._finds.clear()
            self._finds[words] = self._found(words)
        return self._finds[words]

    def _found(self, words: Sequence[str]) -> Sequence[int]:
        found = self._texts.find(words)
        if len(found) == len(self.known):
            return self._passing
        return list(filter(frozenset(found).__contains__, self._passing))

    def _put_in_order(self, new: Sequence[int]) -> None:
        """Sorts some more models in; those of which it is not known come last."""
        if self._key is SortKey.ADDED:
            self._stated = [*reversed(new), *self._stated] if self._descending else [*self._stated, *new]
        else:
            values = list(map(SORT_VALUES[self._key], self.rows(new)))
            known = [value is not None for value in values]
            self._unknown += [model_id for model_id, is_known in zip(new, known, strict=True) if not is_known]
            values = [*self._values, *compress(values, known)]
            ids = [*self._stated, *compress(new, known)]
            # What is in order already is hardly compared again.
            order = sorted(range(len(ids)), key=values.__getitem__, reverse=self._descending)
            self._values = [values[place] for place in order]
            self._stated = side_by_side(ids[place] for place in order)
        self._order = self._stated + self._unknown

    def _put_all_in_order(self) -> None:
        self._stated, self._values, self._unknown = [], [], []
        self._put_in_order(side_by_side(self.known))


def made_rows(models: Iterable[Model], place_name: Callable[[str], str]) -> tuple[Known, Texts]:
    """The models with rows made anew, and the texts to search. May run in a thread: each takes some 25 µs."""
    known = {model.id: (model, model_row(model, None, place_name(model.place))) for model in models}
    return known, texts_of([row for _model, row in known.values()])
