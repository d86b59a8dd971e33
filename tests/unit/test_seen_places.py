"""The table of places at the end of a run of the tests."""

import pytest
from _pytest.outcomes import Failed, Skipped

from tests.places import gathered_table, skip_place, table

SEEN = [
    ("podman", "skipped", "Skipped: podman does not run here: podman is not installed"),
    ("local", "passed", ""),
    ("local", "passed", ""),
    ("netns", "failed", ""),
    ("netns", "passed", ""),
]


def test_each_place_has_a_line_with_the_refusal_of_its_tool():
    assert list(table(SEEN)) == [
        "place local: passed (2 passed)",
        "place netns: failed (1 failed, 1 passed)",
        "place podman: skipped (1 skipped): podman does not run here: podman is not installed",
    ]


def test_without_any_run_there_is_no_line(tmp_path):
    assert list(gathered_table(tmp_path / "none")) == []


def test_a_required_place_is_not_skipped(monkeypatch):
    monkeypatch.setenv("GGLIB_REQUIRE", "ssh,podman")
    with pytest.raises(Failed, match="podman does not run here: no root"):
        skip_place("podman", "no root")
    with pytest.raises(Skipped, match="netns does not run here: no root"):
        skip_place("netns", "no root")
