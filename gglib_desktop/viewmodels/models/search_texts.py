"""The search in the list of models."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import compress, repeat
from operator import contains
from typing import NamedTuple

from gglib_desktop.viewmodels.models.model_row import ModelRow

_ROWS_OF_A_BLOCK = 64
# Neither a name nor a path contains it, and users do not type it.
_END = "\0"


class TextBlock(NamedTuple):
    """What some rows are found by, in one text, and the rows' ids."""

    ids: Sequence[int]
    text: str

    def without(self, gone: Collection[int]) -> TextBlock:
        kept = [(each, key) for each, key in zip(self.ids, self.text.split(_END), strict=True) if each not in gone]
        return TextBlock([each for each, _key in kept], _END.join(key for _each, key in kept))


def text_blocks(rows: Sequence[ModelRow]) -> list[TextBlock]:
    """Takes milliseconds for thousands, and may run in a thread."""
    parts = (rows[first : first + _ROWS_OF_A_BLOCK] for first in range(0, len(rows), _ROWS_OF_A_BLOCK))
    return [
        TextBlock([row.id for row in part], _END.join(row.search_key.replace(_END, " ") for row in part))
        for part in parts
    ]


class SearchTexts:
    """Finds models by words, without a look at any row.

    Thousands of rows lie all over memory: to fetch each of them takes longer than to look through their texts.
    """

    def __init__(self) -> None:
        self._blocks: list[TextBlock] = []

    def replace(self, gone: Collection[int], new: Iterable[TextBlock]) -> None:
        """Forgets the models that are ``gone``, then knows those in ``new``."""
        if gone:
            self._blocks = [
                block if frozenset(block.ids).isdisjoint(gone) else block.without(gone) for block in self._blocks
            ]
        self._blocks += new

    def find(self, words: Sequence[str]) -> list[int]:
        """The models in whose text every one of the lower-case words occurs, at least one word."""
        *others, last = words
        found: list[int] = []
        for ids, text in self._blocks:
            if all(map(text.__contains__, words)):
                some, keys = ids, text.split(_END)
                for word in others:
                    has = list(map(contains, keys, repeat(word)))
                    some, keys = list(compress(some, has)), list(compress(keys, has))
                found += compress(some, map(contains, keys, repeat(last)))
        return found
