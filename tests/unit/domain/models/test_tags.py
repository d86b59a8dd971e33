"""The words by which a user sorts models."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gglib_desktop.domain.models.tags import parse_tags, tags_text


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("", ()),
        (" , ,\n", ()),
        ("coding", ("coding",)),
        ("coding,  very   fast ,", ("coding", "very fast")),
        ("one\ntwo, three", ("one", "two", "three")),
        ("Fast, fast, FAST, slow", ("Fast", "slow")),
        ("#coding, # fast, c#", ("coding", "fast", "c#")),
        ("Straße, STRASSE", ("Straße",)),
    ],
)
def test_tags_are_parted_by_commas_and_stand_once(text, tags):
    assert parse_tags(text) == tags


@given(st.text(alphabet=st.sampled_from("aA#, \nß")))
def test_what_was_read_is_read_again_as_the_same(text):
    tags = parse_tags(text)
    assert parse_tags(tags_text(tags)) == tags
