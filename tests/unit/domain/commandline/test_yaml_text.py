"""YAML as PyYAML's parser reads it, in C and without: the same trees, and no text that takes long or much memory."""

import contextlib
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gglib_desktop.domain.commandline.files.yaml_text import NotYaml, documents
from gglib_desktop.domain.commandline.reading import read_command_line
from gglib_desktop.domain.errors import ConfigurationError
from tests.fakes.counted import calls_of

# A few dozen calls for each character is what PyYAML's parser in Python takes; its look-ahead is 1,024 characters.
CALLS_PER_CHARACTER = 60
LENGTH = 5_000


@pytest.fixture(params=["in C", "in Python"], autouse=True)
def parser(request, monkeypatch):
    if request.param == "in Python":
        monkeypatch.delattr(yaml, "CBaseLoader", raising=False)


@pytest.mark.parametrize(
    ("text", "trees"),
    [
        ("", []),
        ("hello # comment", ["hello"]),
        (
            "a: 1\nb:\n  - x\n  -\n    y: z\nc: [1, 'two', \"three\"]",
            [{"a": "1", "b": ["x", {"y": "z"}], "c": ["1", "two", "three"]}],
        ),
        ("a: {x: 1}\n'q': \"multi\n  line\"", [{"a": {"x": "1"}, "q": "multi line"}]),
        ("a: |\n  one\n   two\n\n  three\nb: >-\n  x\n  y\nc: |", [{"a": "one\n two\n\nthree", "b": "x y", "c": ""}]),
        ('a: >\n  x\n  y\nb: "z\\n"', [{"a": "x y", "b": "z\n"}]),
        ("a:\n- x\n- y\nb: z", [{"a": ["x", "y"], "b": "z"}]),
        ("---\na: [x,\n  y]\n---\nb: yes\n...", [{"a": ["x", "y"]}, {"b": "yes"}]),
        ("- >\n  a\n  b\n- - c\n  - d", [["a b", ["c", "d"]]]),
        ('a: "\\x41\\u00e9\\U0001F600\\n"', [{"a": "Aé😀\n"}]),
        ("a:\nb: c\nb: []", [{"a": "", "b": []}]),
        ("a: !!int 1\n[b]: c\n? {d: e}\n: f", [{"a": "1"}]),
        (
            "a: &x\n  k: 1\n  l: 2\nb: &y 3 # three\nc:\n  <<: *x\n  l: 4\nd: [*y, *x, *no]\ne: *no",
            [
                {
                    "a": {"k": "1", "l": "2"},
                    "b": "3",
                    "c": {"k": "1", "l": "4"},
                    "d": ["3", {"k": "1", "l": "2"}, "*no"],
                    "e": "*no",
                }
            ],
        ),
        (
            "- &x\n  k: 1\n- &y\n  l: 2\n- &z text\n- <<: [*x, *y, *z]\n  m: *z\n- *x",
            [[{"k": "1"}, {"l": "2"}, "text", {"k": "1", "l": "2", "m": "text"}, {"k": "1"}]],
        ),
        # what is open yet, or was said in another document, has no name
        ("&x [*x]\n---\n*x", [["*x"], "*x"]),
    ],
)
def test_yaml(text, trees):
    assert list(documents(text)) == trees


@pytest.mark.parametrize(
    "text",
    [
        "open: 'never",
        "b: [1",
        "a: 'x\nb: y",
        "a:\n    b: c\n  d: e",
        'a: "\\q"',
        'a: "\\UFFFFFFFF"',
        "a: [ , x]",
        "a: b: c",
        "a:\n\t- b",
        "a: `b`",
        "a: \x07",
        "a: \ud800",
        "%YAML 1." + "9" * 5_000 + "\n--- a",
        "- " * 51 + "a",
        "[" * 51 + "]" * 51,
        "a" * 250_001,
        "- &a0 {k: v}\n" + "".join(f"- &a{n} {{<<: *a{n - 1}, k{n}: v}}\n" for n in range(1, 500)),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_yaml_or_too_much_of_it_is_refused(text):
    with pytest.raises(NotYaml):
        list(documents(text))


def test_what_stands_before_a_mistake_is_given():
    assert next(documents('["a", "b"])\nif x: y: `z`\n')) == ["a", "b"]


HOSTILE = {
    "lists in one another": "[" * LENGTH,
    "mappings in one another": "{" * LENGTH,
    "lists on a line": "- " * (LENGTH // 2),
    "keys on a line": "? " * (LENGTH // 2),
    "as deep as may be": ("[" * 49 + "]" * 49 + ",") * (LENGTH // 99),
    "laughs": "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1},' * 9}]\n" for n in range(1, LENGTH // 70)),
    "merged laughs": "- &a0 {k: v}\n"
    + "".join(f"- &a{n} {{<<: [{f'*a{n - 1},' * 9}]}}\n" for n in range(1, LENGTH // 70)),
    "keys": "a: b\n" * (LENGTH // 5),
    "pairs": "[" + "a: b, " * (LENGTH // 6) + "]",
    "documents": "---\n" * (LENGTH // 4),
    "anchors": "".join(f"- &a{n} x\n" for n in range(LENGTH // 10)),
    "a quotation without end": '"' + "a\\n" * (LENGTH // 3),
    "a word": "a" * LENGTH,
    "words": "a " * (LENGTH // 2),
    "a comment": "# " * (LENGTH // 2),
    "blank lines": "a: |\n" + "\n" * LENGTH,
}


@pytest.mark.no_cover  # it is about length: counting its lines would double its time
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_costs_no_more_than_it_is_long(text):
    trees: list[Any] = []

    def read() -> None:
        with contextlib.suppress(NotYaml):
            trees.extend(documents(text))

    assert calls_of(read) < CALLS_PER_CHARACTER * len(text)
    assert entries_of(trees) <= len(text)


def entries_of(trees: list[Any]) -> int:
    """How many entries all lists and mappings have together that are in memory."""
    found: dict[int, int] = {}
    waiting: list[Any] = [trees]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict | list) and id(node) not in found:
            found[id(node)] = len(node)
            waiting += node.values() if isinstance(node, dict) else node
    return sum(found.values())


@pytest.mark.no_cover  # it is about length: counting its lines would double its time
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_command_in_a_hostile_file_is_found_or_refused(text):
    try:
        line = read_command_line(f"command: llama-server -m x.gguf\nother:\n{text}")
    except ConfigurationError:
        return
    assert line.model == "x.gguf"


@pytest.mark.no_cover  # what happened to be tried is no proof
@given(st.text(alphabet=" \n\t-:?[]{},&*!|>'\"%@`#<ab\\x0\ud800\x85", max_size=60))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(NotYaml):
        list(documents(text))
