"""Ids of places are made once, and never twice."""

from gglib_desktop.domain.documents.places import PlaceDraft, new_id


def test_an_id_is_made_of_a_name():
    assert new_id("The big box!", ()) == "the-big-box"
    assert new_id("…", ()) == "place"
    assert new_id("x" * 50, ()) == "x" * 40


def test_a_taken_id_gets_a_number_and_stays_short():
    assert new_id("Box", {"box", "box-2"}) == "box-3"
    assert new_id("x" * 50, {"x" * 40}) == "x" * 38 + "-2"


def test_a_key_is_not_shown():
    assert "secret" not in repr(PlaceDraft("there:a", key="secret"))
