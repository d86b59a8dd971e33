"""What the list is narrowed to."""

from dataclasses import replace
from pathlib import Path

import pytest

from gglib_desktop.domain.gguf.capabilities import Capability
from gglib_desktop.domain.models.model import Model
from gglib_desktop.viewmodels.models.model_filter import ELSEWHERE, Places, choices, narrowed
from gglib_desktop.viewmodels.models.model_row import (
    FileState,
    FilterField,
    FilterOption,
    ModelRow,
    SizeClass,
    model_row,
)
from tests.fakes.library import some_facts

GIB = 2**30
PLACES = Places([Path("/data"), Path("/data/deep")])


def row(name: str, path: str, gib: float = 1, quantisation: str = "Q8_0", **fields: object) -> ModelRow:
    can = tuple((capability, "said so") for capability in str(fields.pop("can", "")).split())
    facts = replace(some_facts(name, quantisation=quantisation), file_size_bytes=int(gib * GIB), capabilities=can)
    return model_row(replace(Model(1, Path(path), facts, None, 0.0, name), **fields), None)  # type: ignore[arg-type]


ROWS = (
    row("a", "/data/a.gguf", can="moe vision"),
    row("b", "/data/deep/b.gguf", 5, "F16", can="moe"),
    row("c", "/database/c.gguf", 16, can="embedding", missing=True, problem="gone"),
    row("d", "/d.gguf", 40, "F16", problem="broken"),
    model_row(Model(1, Path("/data/e.gguf"), None, "broken", 0.0, "e"), None),
)


def options(field: FilterField, *values: str) -> list[FilterOption]:
    return [FilterOption(field, value) for value in values]


@pytest.mark.parametrize(
    ("chosen", "left"),
    [
        ([], "abcde"),
        (options(FilterField.CAPABILITY, Capability.MOE), "ab"),
        (options(FilterField.CAPABILITY, Capability.MOE, Capability.VISION), "a"),
        (options(FilterField.QUANTISATION, "F16"), "bd"),
        (options(FilterField.QUANTISATION, "F16", "Q8_0"), "abcd"),
        (options(FilterField.SIZE, SizeClass.SMALL, SizeClass.HUGE), "ad"),
        (options(FilterField.FILE, FileState.USABLE), "ab"),
        (options(FilterField.FILE, FileState.MISSING), "c"),
        (options(FilterField.FILE, FileState.BROKEN), "de"),
        (options(FilterField.FOLDER, "/data"), "abe"),
        (options(FilterField.FOLDER, "/data/deep"), "b"),
        (options(FilterField.FOLDER, ELSEWHERE), "cd"),
        (options(FilterField.FOLDER, ELSEWHERE, "/data/deep"), "bcd"),
        (options(FilterField.FOLDER, "/gone"), ""),
        (options(FilterField.QUANTISATION, "F16") + options(FilterField.SIZE, SizeClass.HUGE), "d"),
    ],
)
def test_a_model_needs_every_capability_and_one_value_of_each_other_field(chosen, left):
    assert "".join(each.name for each in narrowed(ROWS, frozenset(chosen), PLACES)) == left


def test_the_choices_are_what_there_is_in_an_order_for_people():
    assert choices(ROWS, PLACES) == (
        *options(FilterField.CAPABILITY, "moe", "vision", "embedding"),
        *options(FilterField.QUANTISATION, "F16", "Q8_0"),
        *options(FilterField.SIZE, "under 4 GiB", "4 to 8 GiB", "16 to 32 GiB", "32 GiB and more"),
        *options(FilterField.FOLDER, "/data", "/data/deep", ELSEWHERE),
        *options(FilterField.FILE, "usable", "missing", "broken"),
    )
    assert choices((), PLACES) == ()
    assert FilterOption(FilterField.FOLDER, ELSEWHERE) not in choices(ROWS, Places([Path("/")]))


@pytest.mark.parametrize(
    ("gib", "size"),
    [
        (0, SizeClass.SMALL),
        (4, SizeClass.MEDIUM),
        (7.99, SizeClass.MEDIUM),
        (8, SizeClass.LARGE),
        (16, SizeClass.VERY_LARGE),
        (32, SizeClass.HUGE),
        (900, SizeClass.HUGE),
    ],
)
def test_sizes_are_classed_by_what_computers_hold(gib, size):
    assert SizeClass.of(int(gib * GIB)) is size


def test_models_of_one_kind_share_their_marks():
    assert row("x", "/x.gguf").marks is row("y", "/y/y.gguf").marks


def test_a_quantization_that_makes_a_name_unique_is_shown_once():
    known = some_facts("Phi", quantisation="Q4_K_M")
    made = model_row(Model(1, Path("/x.gguf"), known, None, 0.0, "Phi Q4_K_M"), None)
    assert (made.plain_name, made.quantisation) == ("Phi", "Q4_K_M")
    assert made.accessible_text.startswith("Phi Q4_K_M, ")


def test_a_row_has_badges_in_a_fixed_order_and_is_found_by_its_repository():
    known = replace(
        some_facts("Tiny", mtp_layers=1),
        capabilities=(("tools", ""), ("embedding", ""), ("moe", ""), ("vision", "")),
        source_repository="Publisher/Repo",
    )
    made = model_row(Model(1, Path("/x.gguf"), known, None, 0.0, "Tiny"), None)
    assert made.badges == ("MTP", "MoE", "Vision", "Embedding")
    assert made.accessible_text.endswith("Llama · MTP · MoE · Vision · Embedding")
    assert "\npublisher/repo\n" in made.search_key


def test_places_are_a_choice_only_where_there_are_others():
    here = model_row(Model(1, Path("/data/a.gguf"), None, None, 0.0, "a"), None)
    there = model_row(Model(2, Path("/data/a.gguf"), None, None, 0.0, "b", place="attic"), None, "The attic")
    assert not any(each.field is FilterField.PLACE for each in choices([here], PLACES))
    places = [each for each in choices([here, there], PLACES) if each.field is FilterField.PLACE]
    assert [each.value for each in places] == ["attic", "local"]
    assert narrowed([here, there], {places[0]}, PLACES) == [there]
    assert (there.accessible_text, there.facts_and_place) == ("b, on The attic", "on The attic")
