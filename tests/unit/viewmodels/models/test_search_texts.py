"""What is found is what a look at every row would find."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gglib_desktop.domain.models.model import Model
from gglib_desktop.viewmodels.models.model_row import ModelRow, model_row
from gglib_desktop.viewmodels.models.search_texts import SearchTexts, text_blocks

_ROW = model_row(Model(0, Path("/m/x.gguf"), None, None, 0.0, "x"), None)
_texts = st.text("ab\n\0", max_size=4)


def rows_with(keys: dict[int, str]) -> list[ModelRow]:
    return [replace(_ROW, id=number, search_key=key) for number, key in keys.items()]


@given(
    before=st.dictionaries(st.integers(0, 300), _texts, max_size=150),
    later=st.dictionaries(st.integers(0, 300), _texts, max_size=20),
    gone=st.sets(st.integers(0, 300), max_size=20),
    words=st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=3),
)
def test_every_model_whose_text_has_all_words_is_found_and_no_other(before, later, gone, words):
    texts = SearchTexts()
    texts.replace((), text_blocks(rows_with(before)))
    texts.replace(gone | later.keys(), text_blocks(rows_with(later)))
    known = {**{number: key for number, key in before.items() if number not in gone}, **later}
    found = texts.find(words)
    assert len(found) == len(set(found))
    assert set(found) == {number for number, key in known.items() if all(word in key for word in words)}
