"""A reader for the YAML that people keep commands in: compose files, llama-swap, Kubernetes.

It knows mappings, lists, both kinds of quotes, block scalars, both in one line as in JSON, and anchors with their
aliases; not tags and documents. It never fails: what it does not know is text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from gglib_desktop.domain.commandline.posix_words import escaped_character

_KEY = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'#\[{&*!|>%@`-][^#]*?|-[^\s#][^#]*?)\s*:(?:\s+|$)""")
_ITEM = re.compile(r"-(?:\s+|$)")
_BLOCK = re.compile(r"([|>])[+-]?\d?[+-]?\s*(?:#.*)?$")
_ANCHOR = re.compile(r"&([\w.-]+)(?:\s+|$)")
_ALIAS = re.compile(r"\*([\w.-]+)\s*(?:#.*)?$")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_FLOW_COMMENT = re.compile(r"""("(?:[^"\\]|\\.)*+"|'(?:[^']|'')*+'|\\.)|(?:^|\s)#.*$""")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
_OPENING, _CLOSING, _FLOW_COMMA, _FLOW_COLON = map(
    re.compile, (r"\s*([\[{])", r"\s*([\]}])", r"\s*([,\s]*)", r"\s*(:)")
)
_FLOW_SCALAR = re.compile(
    r"""\s*("(?:[^"\\]|\\.)*+"|'(?:[^']|'')*+'|[^\s,\[\]{}"':](?:[^,\[\]{}:\n]|:(?!\s))*|[^\s,\]}])"""
)
# Nobody nests so deep, and Python could not follow for ever.
_DEEPEST = 50
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "e": "\x1b", "N": "\x85", "_": "\xa0", "L": "\u2028"}


def read_yaml(text: str) -> tuple[Any, list[str]]:
    """Mappings, lists and strings (nothing else has a type here), and the lines that did not fit into them."""
    lines = [(len(line) - len(line.lstrip()), line.strip()) for line in text.split("\n")]
    reader = _Reader([(indent, line) for indent, line in lines if not line.startswith("---")])
    return reader.node(0), reader.rest()


class _Reader:
    def __init__(self, lines: list[tuple[int, str]]) -> None:
        self._lines = lines
        self._at = 0
        self._depth = 0
        self._anchors: dict[str, Any] = {}

    def node(self, least: int) -> Any:
        """The value whose lines are indented by at least that much, empty text where there is none."""
        self._pass_over_blanks()
        if self._at >= len(self._lines) or self._lines[self._at][0] < least:
            return ""
        indent, line = self._lines[self._at]
        self._depth += 1
        try:
            if self._depth <= _DEEPEST and _ITEM.match(line):
                return self._list(indent)
            if self._depth <= _DEEPEST and _KEY.match(line):
                return self._mapping(indent)
        finally:
            self._depth -= 1
        self._at += 1
        return self._scalar(line, least)

    def rest(self) -> list[str]:
        return [line for _indent, line in self._lines[self._at :] if line]

    def _pass_over_blanks(self) -> None:
        while self._at < len(self._lines) and (not self._lines[self._at][1] or self._lines[self._at][1][0] == "#"):
            self._at += 1

    def _list(self, indent: int) -> list[Any]:
        items: list[Any] = []
        while (line := self._line_at(indent)) is not None and (found := _ITEM.match(line)):
            inner = indent + found.end()
            # The rest of the line is a line of its own, further in.
            self._lines[self._at] = (inner, line[found.end() :])
            anchor = _ANCHOR.match(line, found.end())
            if anchor:
                self._lines[self._at] = (inner, line[anchor.end() :])
            if _BLOCK.match(line, found.end()):
                self._at += 1
                items.append(self._block(line[found.end()], indent + 1))
            else:
                items.append(self.node(indent + 1))
            if anchor:
                self._anchors[anchor[1]] = items[-1]
        return items

    def _mapping(self, indent: int) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while (line := self._line_at(indent)) is not None and (found := _KEY.match(line)):
            self._at += 1
            anchor = _ANCHOR.match(line, found.end())
            value = self._value(line[(anchor or found).end() :], indent)
            if anchor:
                self._anchors[anchor[1]] = value
            key = unquoted(found[1])
            if key == "<<":
                merged = value if isinstance(value, list) else [value]
                for base in (each for each in merged if isinstance(each, dict)):
                    entries = {**base, **entries}
            else:
                entries[key] = value
        return entries

    def _value(self, rest: str, indent: int) -> Any:
        """What stands behind a key, or below it."""
        if _BLOCK.match(rest):
            return self._block(rest[0], indent + 1)
        if rest and rest[0] != "#":
            return self._scalar(rest, indent + 1)
        # A list may begin where its key does.
        follows = self._line_at(indent)
        return self.node(indent if follows and _ITEM.match(follows) else indent + 1)

    def _line_at(self, indent: int) -> str | None:
        self._pass_over_blanks()
        if self._at < len(self._lines) and self._lines[self._at][0] == indent:
            return self._lines[self._at][1]
        return None

    def _block(self, style: str, least: int) -> str:
        taken: list[tuple[int, str]] = []
        while self._at < len(self._lines) and (self._lines[self._at][0] >= least or not self._lines[self._at][1]):
            taken.append(self._lines[self._at])
            self._at += 1
        left = min((indent for indent, line in taken if line), default=0)
        text = "\n".join(" " * (indent - left) + line if line else "" for indent, line in taken).rstrip("\n")
        return text if style == "|" else re.sub(r"\n(?! )", " ", text)

    def _scalar(self, text: str, least: int) -> Any:
        if (aliased := self._aliased(text)) is not text:
            return aliased
        if text[:1] in {'"', "'"}:
            return self._quoted(text, least)
        if text[:1] in {"[", "{"} and not text.startswith("{{"):
            return _Flow(self._until_closed(text), self._aliased).value()
        text = _COMMENT.sub("", text)
        while (
            self._at < len(self._lines)
            and self._lines[self._at][0] >= least
            and self._lines[self._at][1]
            and not _KEY.match(self._lines[self._at][1])
        ):
            text += " " + _COMMENT.sub("", self._next_line())
        return text.strip()

    def _until_closed(self, text: str) -> str:
        """The text with the lines that close its brackets, without comments."""
        pieces: list[str] = []
        depth = 0
        while True:
            pieces.append(_FLOW_COMMENT.sub(lambda found: found[1] or "", text))
            bare = _FLOW_COMMENT.sub("", text)
            depth += sum(map(bare.count, "[{")) - sum(map(bare.count, "]}"))
            if depth <= 0 or self._at >= len(self._lines):
                return " ".join(pieces)
            text = self._next_line()

    def _aliased(self, item: str) -> Any:
        alias = _ALIAS.match(item)
        return self._anchors.get(alias[1], item) if alias else item

    def _quoted(self, text: str, least: int) -> str:
        pattern = re.compile(r'"((?:[^"\\]|\\.)*)"' if text[0] == '"' else r"'((?:[^']|'')*)'")
        while not (found := pattern.match(text)):
            if self._at >= len(self._lines) or self._lines[self._at][0] < least:
                return text
            text += " " + self._next_line()
        return unquoted(found[0])

    def _next_line(self) -> str:
        self._at += 1
        return self._lines[self._at - 1][1]


def unquoted(text: str) -> str:
    """A scalar without its quotes."""
    if text[:1] == "'":
        return text[1:-1].replace("''", "'")
    return _ESCAPE.sub(_character, text[1:-1]) if text[:1] == '"' else text


def _character(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    return (escaped_character(code) or found[0]) if code else _ESCAPES.get(found[4], found[4])


class _Flow:
    """Lists and mappings in one line, which JSON writes as well. What is not closed ends with the text."""

    def __init__(self, text: str, aliased: Callable[[str], Any]) -> None:
        self._text = text
        self._at = 0
        self._aliased = aliased

    def value(self, depth: int = 0) -> Any:
        opening = self._take(_OPENING) if depth < _DEEPEST else ""
        if opening == "[":
            return list(self._items(depth))
        if opening == "{":
            return dict(self._entries(depth))
        return self._aliased(self._scalar())

    def _scalar(self) -> str:
        return unquoted(self._take(_FLOW_SCALAR).rstrip())

    def _items(self, depth: int) -> Iterator[Any]:
        while not self._closes():
            yield self.value(depth + 1)

    def _entries(self, depth: int) -> Iterator[tuple[str, Any]]:
        while not self._closes():
            key = self._scalar()
            yield key, self.value(depth + 1) if self._take(_FLOW_COLON) else ""

    def _closes(self) -> bool:
        """Passes over what separates values; whether none follows in this list or mapping."""
        self._take(_FLOW_COMMA)
        return bool(self._take(_CLOSING)) or self._at >= len(self._text)

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return found[1] if found else ""
