"""Removes from a pasted text what web pages, word processors and terminals put into it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from itertools import pairwise

# Dashes and minus signs other than the keyboard's hyphen.
_DASHES = "\u2010-\u2015\u2212\ufe58\ufe63\uff0d"
_DASH = re.compile(f"[{_DASHES}]")
_FLAG = re.compile(rf"(?<![^\s\"'`\[(])([-{_DASHES}]{{1,3}})([A-Za-z][\w{_DASHES}-]*)")
_NEGATIVE = re.compile(rf"(?<!\S)[{_DASHES}](?=\.?\d)")
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|nbsp|#\d{1,7}|#x[0-9a-fA-F]{1,6});")
# Without joiners: names in some scripts need them.
_INVISIBLE = re.compile("\x1b\\[[0-9;?]*[A-Za-z]|[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_LINE_END = re.compile("\r\n|[\v\f\u0085\u2028\u2029]")
_DOUBLE_QUOTE = re.compile("[“”„‟]")
_APOSTROPHE = re.compile(r"(?<!\w)[‘’‚‛]|[‘’‚‛](?!\w)")
# It consumes escaped characters, so that those begin no tag.
_QUOTED = re.compile(r"""('[^']*'|"(?:[^"\\]|\\.)*+"|\\.)""", re.DOTALL)
_LINE_NUMBER = re.compile(r"[^\S\n]*(\d{1,5})(?:[|:.)│]|(?=\s|$))")


def plain(text: str, knows: Callable[[str], bool]) -> str:
    """The text as it was typed: plain quotation marks and dashes, no HTML, no line numbers, nothing invisible.

    Text in plain quotation marks stays as it is. ``knows`` tells whether a word is a flag: many programs turn two
    dashes into one.
    """
    if any(map(_ENTITY.search, _QUOTED.split(text)[::2])):
        text = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
    pieces = _QUOTED.split(text)
    pieces[::2] = [_typed(piece, knows) for piece in pieces[::2]]
    return _without_line_numbers("".join(pieces))


def unquoted(text: str) -> str:
    """The text without the quotation marks around the whole of it, which other programs show a command in."""
    whole = text.strip().rstrip(";,")
    inner = whole[1:-1]
    is_quoted = whole[:1] in {'"', "'"} and whole[-1:] == whole[:1] and whole[:1] not in inner
    return inner if is_quoted and " -" in inner and "\n" not in inner else text


def _typed(text: str, knows: Callable[[str], bool]) -> str:
    text = _LINE_END.sub("\n", _INVISIBLE.sub("", text))
    text = _APOSTROPHE.sub("'", _DOUBLE_QUOTE.sub('"', text))
    return _NEGATIVE.sub("-", _FLAG.sub(lambda found: _flag(found, knows), text))


def _flag(found: re.Match[str], knows: Callable[[str], bool]) -> str:
    dashes, name = found[1], _DASH.sub("-", found[2])
    if not _DASH.search(dashes):
        return dashes + name
    short, long = "-" + name, "--" + name
    if len(dashes) > 1 or (not knows(short) and (knows(long) or len(name) > 1)):
        return long
    return short


def _without_line_numbers(text: str) -> str:
    """Without line numbers, if they count up one by one."""
    lines = text.split("\n")
    found = [_LINE_NUMBER.match(line) for line in lines]
    counted: set[int] = set()
    for (before, earlier), (at, later) in pairwise((place, each) for place, each in enumerate(found) if each):
        if at == before + 1 and int(later[1]) == int(earlier[1]) + 1:
            counted |= {before, at}
    ends = [each.end() if each and place in counted else 0 for place, each in enumerate(found)]
    return "\n".join(line[end:] for line, end in zip(lines, ends, strict=True))
