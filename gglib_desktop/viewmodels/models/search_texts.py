"""The search in the list of models."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Sequence
from itertools import compress, repeat
from operator import contains
from typing import NamedTuple

from gglib_desktop.viewmodels.models.model_row import ModelRow


def side_by_side(ids: Iterable[int]) -> list[int]:
    """Numbers made anew lie side by side in memory, which each key stroke in the search goes through."""
    return array("q", ids).tolist()


class Texts(NamedTuple):
    """Models by their ids, and what each of them is found by."""

    ids: list[int]
    keys: list[str]

    def with_word(self, word: str) -> Texts:
        has = list(map(contains, self.keys, repeat(word)))
        return Texts(list(compress(self.ids, has)), list(compress(self.keys, has)))


def texts_of(rows: Sequence[ModelRow]) -> Texts:
    """Takes milliseconds for thousands, and may run in a thread."""
    return Texts(side_by_side(row.id for row in rows), [row.search_key for row in rows])


class SearchTexts:
    """Finds models by words, without a look at any row.

    Thousands of rows lie all over memory: to fetch each of them takes longer than to look through their texts.
    """

    def __init__(self) -> None:
        self._all = Texts([], [])
        self._words: Sequence[str] = ()
        self._found = self._all

    def replace(self, gone: Collection[int], new: Texts) -> None:
        """Forgets the models that are ``gone``, then knows those in ``new``."""
        ids, keys = self._all
        if gone:
            stays = [each not in gone for each in ids]
            ids, keys = list(compress(ids, stays)), list(compress(keys, stays))
        self._all = Texts([*ids, *new.ids], [*keys, *new.keys])
        self._words, self._found = (), self._all

    def find(self, words: Sequence[str]) -> Sequence[int]:
        """The models in whose text every one of the lower-case words occurs."""
        # A search that goes on where the last one ended looks only at what that one found.
        if not all(any(before in word for word in words) for before in self._words):
            self._words, self._found = (), self._all
        for word in words:
            if word not in self._words:
                self._found = self._found.with_word(word)
        self._words = words
        return self._found.ids
