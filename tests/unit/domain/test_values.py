"""Checked values beyond those of the process runner's port."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import pytest

from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.values import Keys, Limits, Matching, OneOf, Value, limited


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


@dataclass(frozen=True)
class Inner(Value):
    size: int = limited(Limits(maximum=9, minimum=1), default=3)


@dataclass(frozen=True)
class Outer(Value):
    colour: Colour
    inner: Inner
    paths: tuple[Path, ...] = ()
    share: float = limited(Limits(above=0), default=1.0)


def test_values_in_values_travel():
    value = Outer(Colour.GREEN, Inner(4), (Path("/a"),))
    assert value.to_mapping() == {"colour": "green", "inner": {"size": 4}, "paths": ["/a"], "share": 1.0}
    assert Outer.from_json(value.to_json()) == value


def test_words_of_a_closed_set():
    assert Outer("red", Inner()).colour is Colour.RED  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="colour: must be one of red, green"):
        Outer("blue", Inner())  # type: ignore[arg-type]


def test_nested_complaints_name_the_inner_field():
    with pytest.raises(ConfigurationError, match="size: must be from 1 to 9"):
        Outer.from_mapping({"colour": "red", "inner": {"size": 10}})


@pytest.mark.parametrize(
    ("limits", "value", "complaint"),
    [
        (Limits(), 5, None),
        (Limits(1, 3), 2, None),
        (Limits(1, 3), 0, "must be from 1 to 3"),
        (Limits(1, 3), 4, "must be from 1 to 3"),
        (Limits(1), 0, "must be at least 1"),
        (Limits(above=0), 0, "must be greater than 0"),
        (Limits(above=0), 1, None),
        (Limits(0.5, 120), 0.4, "must be from 0.5 to 120"),
        (OneOf(("a", "b")), "a", None),
        (Matching("a+", "only a"), "aa", None),
        (Matching("a+", "only a"), "aab", "must be only a"),
        (OneOf(("a", "b")), "c", "must be one of a, b"),
    ],
)
def test_limits_complain_in_words(limits, value, complaint):
    assert limits.complaint(value) == complaint


@dataclass(frozen=True)
class Boxes(Value):
    by_name: Mapping[str, Inner] = field(
        default_factory=dict, metadata={"limits": Keys(Matching("[a-z]+", "a to z"), reserved=frozenset({"own"}))}
    )


def test_values_by_their_names():
    boxes = Boxes({"a": Inner(size=2)})
    assert Boxes.from_json(boxes.to_json()) == boxes
    assert Boxes.from_mapping({}) == Boxes()
    for bad, said in (
        ({"A": {}}, "by_name: must be a to z"),
        ({"own": {}}, "by_name: is the program's own name"),
        ({"a": {"size": 99}}, "size: must be from 1 to 9"),
        ([], "by_name: must be a table"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            Boxes.from_mapping({"by_name": bad})
