"""Which models the list shows, and in what order."""

from __future__ import annotations

from bisect import bisect_left, insort_left, insort_right
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeAlias

from gglib_desktop.domain.models.model import Model
from gglib_desktop.viewmodels.models.model_filter import Places, narrowed
from gglib_desktop.viewmodels.models.model_row import SORT_VALUES, FilterOption, ModelRow, SortKey, model_row
from gglib_desktop.viewmodels.models.search_texts import SearchTexts, Texts, side_by_side, texts_of

# A share of the list: fewer new models are put in their places one by one.
_FEW = 16
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
        self._order = self._order_with(side_by_side(made))

    def replace(self, ids: Iterable[int], made: Known, texts: Texts) -> None:
        """Lists the models ``ids`` alone. Those in ``made`` are new or have changed."""
        before = self.known
        both = {**before, **made}
        self.known = {model_id: both[model_id] for model_id in ids}
        self._texts.replace((made.keys() & before.keys()) | (before.keys() - self.known.keys()), texts)
        self._order = self._in_order(self.known)

    def sort(self, key: SortKey, *, descending: bool) -> None:
        self._key, self._descending = key, descending
        self._order = self._in_order(self.known)

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

    def _order_with(self, new: Sequence[int]) -> list[int]:
        """The models in their order, and some more."""
        order = self._order
        if self._key is SortKey.ADDED:
            return [*reversed(new), *order] if self._descending else [*order, *new]
        if len(new) > len(order) // _FEW:
            return self._in_order([*order, *new])
        value = SORT_VALUES[self._key]
        stated = bisect_left(order, True, key=lambda model_id: value(self.known[model_id][1]) is None)
        ordered, unknown = order[:stated], order[stated:]
        insert = insort_right
        if self._descending:
            ordered.reverse()
            insert = insort_left
        for model_id in new:
            if value(self.known[model_id][1]) is None:
                unknown.append(model_id)
            else:
                insert(ordered, model_id, key=lambda each: value(self.known[each][1]))
        if self._descending:
            ordered.reverse()
        return ordered + unknown

    def _in_order(self, ids: Iterable[int]) -> list[int]:
        """Sorted by what is chosen; those of which it is not known come last."""
        if self._key is SortKey.ADDED:
            ordered = side_by_side(ids)
            return ordered[::-1] if self._descending else ordered
        value, rows = SORT_VALUES[self._key], self.rows(ids)
        stated, unknown = rows, []
        if None in map(value, rows):
            stated = [row for row in rows if value(row) is not None]
            unknown = [row for row in rows if value(row) is None]
        stated.sort(key=value, reverse=self._descending)
        return side_by_side(row.id for row in stated + unknown)


def made_rows(models: Iterable[Model], place_name: Callable[[str], str]) -> tuple[Known, Texts]:
    """The models with rows made anew, and the texts to search. May run in a thread: each takes some 25 µs."""
    known = {model.id: (model, model_row(model, None, place_name(model.place))) for model in models}
    return known, texts_of([row for _model, row in known.values()])
