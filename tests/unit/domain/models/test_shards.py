"""Names of parts, and what is said when some are missing."""

from pathlib import PurePath

import pytest

from gglib_desktop.domain.models.shards import ShardName, missing_parts_text, shard_name, split_problem


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("m-00001-of-00003.gguf", ShardName("m", 1, 3)),
        ("a-b-Q4_K_M-00010-of-00010.GGUF", ShardName("a-b-Q4_K_M", 10, 10, ".GGUF")),
        ("m-00000-of-00003.gguf", None),
        ("m-00004-of-00003.gguf", None),
        ("m-1-of-3.gguf", None),
        ("m.gguf", None),
        ("out-of-00003.gguf", None),
    ],
)
def test_a_part_is_told_by_its_name(name, expected):
    assert shard_name(name) == expected


def test_parts_name_each_other():
    assert ShardName("m", 1, 3).part(2) == "m-00002-of-00003.gguf"


@pytest.mark.parametrize(
    ("absent", "text"),
    [
        ([2], "part 2 of 30 is missing: m-00002-of-00030.gguf"),
        ([1, 3], "parts 1 and 3 of 30 are missing"),
        ([1, 3, 4], "parts 1, 3 and 4 of 30 are missing"),
        ([1, 2, 3, 4, 5, 6, 7], "parts 1, 2, 3, 4, 5 and 2 more of 30 are missing"),
    ],
)
def test_missing_parts_are_named(absent, text):
    assert missing_parts_text(absent, ShardName("m", 1, 30)) == text


@pytest.mark.parametrize(
    ("name", "metadata", "problem"),
    [
        ("m-00002-of-00003.gguf", {"split.no": 1, "split.count": 3}, None),
        ("m.gguf", {"split.no": 0, "split.count": 1}, None),
        ("m.gguf", {}, None),
        ("m.gguf", {"split.count": True}, None),
        ("m.gguf", {"split.no": 0, "split.count": 3},
         "this is part 1 of 3, but its name does not end in -00001-of-00003.gguf"),
        ("m.gguf", {"split.count": 3}, "this is one of 3 parts, but its name does not end in -00001-of-00003.gguf"),
        ("m-00001-of-00002.gguf", {"split.no": 0, "split.count": 3},
         "m-00001-of-00002.gguf is really part 1 of 3"),
        ("m-00002-of-00003.gguf", {"split.no": 0, "split.count": 3},
         "m-00002-of-00003.gguf is really part 1 of 3"),
        ("m-00001-of-00003.gguf", {"split.no": 7, "split.count": 3}, None),
    ],
)  # fmt: skip
def test_a_part_whose_name_disagrees_with_its_header_is_no_model(name, metadata, problem):
    assert split_problem(PurePath("/m", name), metadata) == problem
