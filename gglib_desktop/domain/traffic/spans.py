"""The few things that are told apart in the text of a chat: code blocks, and addresses on the web.

Nothing else in it means anything: it is text, whatever a model writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Style(StrEnum):
    """What a span is. ``OPEN`` begins a code block, and its text is the language; ``CLOSE`` ends it."""

    TEXT = "text"
    LINK = "link"
    OPEN = "open"
    CODE = "code"
    CLOSE = "close"


@dataclass(frozen=True)
class Span:
    """A piece of text of one kind."""

    style: Style
    text: str = ""


_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})([^\n`]*)\n?")
_PERHAPS_FENCE = re.compile(r"[ \t]*(`{0,2}|~{0,2}|(`{3,}|~{3,})[^\n`]*)")
# Without brackets and marks that more often stand beside an address than in it.
_LINK = re.compile(r"https?://[^\s<>\"'`()\[\]{}|\\^]*[^\s<>\"'`()\[\]{}|\\^.,;:!?*_]")
_PERHAPS_LINK = re.compile(r"h(t(t(p(s?(:(/(/\S*)?)?)?)?)?)?)?$")
# An address or a fence that is longer is shown as text.
_MOST_HELD = 2000


class SpanReader:
    """Finds the spans in a text that comes in pieces, however they are cut."""

    def __init__(self) -> None:
        self._held = ""
        self._at_line_start = True
        self._fence = ""

    def feed(self, text: str) -> Iterator[Span]:
        """What is certain by now. A beginning that may become something else is held back."""
        yield from self._read(text, is_last=False)

    def end(self) -> Iterator[Span]:
        """What had been held back."""
        yield from self._read("", is_last=True)

    def _read(self, text: str, *, is_last: bool) -> Iterator[Span]:
        text, self._held = self._held + text, ""
        for line in _LINE.findall(text):
            is_whole = is_last or line.endswith("\n")
            if self._at_line_start and not is_whole and len(line) < _MOST_HELD and _PERHAPS_FENCE.fullmatch(line):
                self._held = line
                return
            fence = _FENCE.fullmatch(line) if self._at_line_start and is_whole else None
            self._at_line_start = line.endswith("\n")
            if fence is not None and self._takes(fence[1], fence[2].strip()):
                yield Span(Style.OPEN, fence[2].strip()) if self._fence else Span(Style.CLOSE)
            elif self._fence:
                yield Span(Style.CODE, line)
            else:
                yield from self._text(line, is_whole=is_whole)

    def _takes(self, marks: str, language: str) -> bool:
        """Whether such a line begins a code block, or ends the present one."""
        if not self._fence:
            self._fence = marks
            return True
        if language or not marks.startswith(self._fence):
            return False
        self._fence = ""
        return True

    def _text(self, line: str, *, is_whole: bool) -> Iterator[Span]:
        perhaps = None if is_whole else _PERHAPS_LINK.search(_last_word(line))
        if perhaps is not None:
            line, self._held = line.removesuffix(perhaps[0]), perhaps[0]
        at = 0
        for link in _LINK.finditer(line):
            if link.start() > at:
                yield Span(Style.TEXT, line[at : link.start()])
            yield Span(Style.LINK, link[0])
            at = link.end()
        if at < len(line):
            yield Span(Style.TEXT, line[at:])


def _last_word(line: str) -> str:
    """Of a line that may go on; empty if a word has just ended. Only its end if it is very long."""
    end = line[-_MOST_HELD:]
    return "" if end[-1:].isspace() else end.split()[-1]
