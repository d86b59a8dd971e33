"""What an answer to the question for models tells, whatever it is."""

import pytest

from gglib_desktop.domain.endpoints.look import MOST_MODELS, EndpointLook, Trouble, look_at, models_listed, shown

LISTED = {"object": "list", "data": [{"id": "big"}, {"id": "small"}]}


def test_the_models_that_are_listed():
    assert look_at(200, LISTED) == EndpointLook(models=("big", "small"))


@pytest.mark.parametrize(
    ("status", "content", "told"),
    [
        (401, None, EndpointLook(Trouble.KEY_WANTED, "401")),
        (403, LISTED, EndpointLook(Trouble.KEY_WANTED, "403")),
        (429, None, EndpointLook(Trouble.NOT_NOW, "429")),
        (503, None, EndpointLook(Trouble.NOT_NOW, "503")),
        (404, LISTED, EndpointLook(Trouble.STATUS, "404")),
        (200, None, EndpointLook(Trouble.NO_JSON)),
        (200, [], EndpointLook(Trouble.NO_LIST)),
    ],
)
def test_answers_that_list_none(status, content, told):
    assert look_at(status, content) == told


def test_a_key_that_was_shown_is_refused():
    assert look_at(401, None, with_key=True).trouble is Trouble.KEY_REFUSED


def test_a_web_page():
    assert look_at(200, None, kind="Text/HTML; charset=utf-8") == EndpointLook(Trouble.HTML)


def test_a_redirect_says_where_it_leads():
    assert look_at(307, LISTED, location="https://b/v1/") == EndpointLook(Trouble.REDIRECT, "https://b/v1/")


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ({"data": []}, ()),
        ({"object": "list", "data": None}, ()),
        ({"data": None}, None),
        ({"object": "list"}, None),
        ({"data": {"id": "a"}}, None),
        ({"data": [5, {"id": 5}]}, None),
        ({"data": [{"id": "a"}, 5, {"id": "a"}, {"id": "b"}]}, ("a", "b")),
        ({"data": [{"id": "a\x1b[2J"}, {"id": "b" * 400}, {"id": ""}, {"id": "c"}]}, ("c",)),
        (5, None),
    ],
)
def test_lists(content, names):
    assert models_listed(content) == names


def test_a_list_without_end_is_not_taken_whole():
    assert len(models_listed({"data": [{"id": str(each)} for each in range(MOST_MODELS + 5)]}) or ()) == MOST_MODELS


@pytest.mark.parametrize(
    ("location", "text"),
    [
        ("https://me:secret@b.example/v1?key=secret#x", "https://b.example/v1"),
        ("/login?next=/v1", "/login"),
        ("//b.example/", "//b.example/"),
        ("https://b.example", "https://b.example"),
        ("a\x1b\n" + "b" * 500, "a\ufffd\ufffd" + "b" * 297),
        ("", ""),
    ],
)
def test_an_address_from_a_stranger(location, text):
    assert shown(location) == text
