"""What is found is what a look at every row would find."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gglib_desktop.domain.models.model import Model
from gglib_desktop.viewmodels.models.model_row import ModelRow, model_row
from gglib_desktop.viewmodels.models.search_texts import SearchTexts, texts_of

_ROW = model_row(Model(0, Path("/m/x.gguf"), None, None, 0.0, "x"), None)
_texts = st.text("ab\n", max_size=4)
_searches = st.lists(st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=3), min_size=1, max_size=5)


def rows_with(keys: dict[int, str]) -> list[ModelRow]:
    return [replace(_ROW, id=number, search_key=key) for number, key in keys.items()]


@given(
    before=st.dictionaries(st.integers(0, 300), _texts, max_size=150),
    later=st.dictionaries(st.integers(0, 300), _texts, max_size=20),
    gone=st.sets(st.integers(0, 300), max_size=20),
    first=_searches,
    searches=_searches,
)
def test_every_model_whose_text_has_all_words_is_found_and_no_other(before, later, gone, first, searches):
    texts = SearchTexts()
    texts.replace((), texts_of(rows_with(before)))
    for words in first:
        texts.find(words)
    texts.replace(gone | later.keys(), texts_of(rows_with(later)))
    known = {**{number: key for number, key in before.items() if number not in gone}, **later}
    for words in searches:
        found = texts.find(words)
        assert len(found) == len(set(found))
        assert set(found) == {number for number, key in known.items() if all(word in key for word in words)}


class CountingText(str):
    """Counts how often a word was sought in any of them."""

    __slots__ = ()
    sought = 0

    def __contains__(self, word: str) -> bool:  # type: ignore[override]
        CountingText.sought += 1
        return super().__contains__(word)


def test_the_next_letter_is_sought_only_in_what_was_found_before():
    texts = SearchTexts()
    texts.replace((), texts_of(rows_with({number: CountingText(f"model {number}") for number in range(1000)})))
    counts = []
    for words in (("9",), ("99",), ("99", "m"), ("99", "mo"), ("98",)):
        CountingText.sought = 0
        texts.find(words)
        counts.append(CountingText.sought)
    assert counts == [1000, 271, 19, 19, 1000]
