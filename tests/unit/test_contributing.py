"""CONTRIBUTING.md names files that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# A command makes it.
_MADE = re.compile(r"\.venv/")
_TREE = re.compile(r"^  ([\w.]+/?) ", re.MULTILINE)


def named_paths() -> list[str]:
    """What stands in code or behind a link and has a slash or a file's ending."""
    code = [word for span in re.findall(r"`([^`\n]+)`", TEXT) for word in span.split()]
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    words = (word.split("=")[-1].strip('"') for word in code + links)
    paths = {word for word in words if re.fullmatch(r"[\w.][\w./-]*(/|\.(py|md|toml|lock|txt))", word) or "/" in word}
    return sorted(path for path in paths if not _MADE.match(path))


def test_it_names_some():
    assert len(named_paths()) > 40


@pytest.mark.parametrize("path", named_paths())
def test_a_path_that_it_names_exists(path):
    assert any((folder / path).exists() for folder in (ROOT, ROOT / "gglib_desktop"))


def test_a_function_that_it_names_exists():
    named = set(re.findall(r"`(\w+)\(\)`", TEXT))
    there = {
        name
        for path in (ROOT / "gglib_desktop").rglob("*.py")
        for name in re.findall(r"^\s*(?:async )?(?:def|class) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(named) > 4
    assert named <= there


@pytest.mark.parametrize("name", _TREE.findall(TEXT))
def test_the_tree_that_it_draws_is_the_one_that_there_is(name):
    assert (ROOT / "gglib_desktop" / name).exists()


def test_every_module_beside_the_layers_is_in_the_tree():
    there = {path.name for path in (ROOT / "gglib_desktop").glob("*.py")} - {"__init__.py"}
    assert there <= set(_TREE.findall(TEXT))
