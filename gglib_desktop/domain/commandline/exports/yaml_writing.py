"""YAML that every reader takes for the same: what could be anything but text stands between double quotes.

Version 1.1, which PyYAML writes, and 1.2, which programs in Go read, differ in what a word without quotes may be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_ONE_LINE = 2**31 - 1
_TAG = "tag:yaml.org,2002:"
# A single letter may mean yes or no.
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]+")

Tree = Mapping[str, "Tree"] | Sequence["Tree"] | str | int


class Block(str):
    """A text over several lines, which keeps them where YAML has a form for it."""

    __slots__ = ()


def yaml_text(*documents: Tree, comments: Sequence[str] = ()) -> str:
    """The documents, with lines of comments before the first."""
    import yaml

    text = yaml.serialize_all(
        map(_node, documents),
        # The same in C takes a tenth of the time. PyYAML may have been built without it.
        Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper),
        width=_ONE_LINE,
        allow_unicode=True,
        explicit_start=len(documents) > 1 or None,
    )
    return "".join(f"# {comment}\n" for comment in comments) + str(text)


def _node(tree: Tree) -> Any:
    import yaml

    if isinstance(tree, str):
        return _text_node(tree)
    if isinstance(tree, bool):
        return yaml.ScalarNode(f"{_TAG}bool", "true" if tree else "false")
    if isinstance(tree, int):
        return yaml.ScalarNode(f"{_TAG}int", str(tree))
    if isinstance(tree, Mapping):
        pairs = [(_text_node(name), _node(value)) for name, value in tree.items()]
        return yaml.MappingNode(f"{_TAG}map", pairs, flow_style=False)
    return yaml.SequenceNode(f"{_TAG}seq", [_node(item) for item in tree], flow_style=False)


def _text_node(text: str) -> Any:
    import yaml

    style = None if _PLAIN.fullmatch(text) else '"'
    if isinstance(text, Block) and all(map(str.isprintable, text.split("\n"))):
        style = "|"
    return yaml.ScalarNode(f"{_TAG}str", str(text), style=style)
