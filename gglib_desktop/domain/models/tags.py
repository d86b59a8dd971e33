"""The words by which a user sorts models."""

from __future__ import annotations

from collections.abc import Iterable

_SEPARATOR = ","


def parse_tags(text: str) -> tuple[str, ...]:
    """The tags in a text, separated by commas or line breaks, without #. Those that differ only in case count once."""
    tags: dict[str, str] = {}
    for part in text.replace("\n", _SEPARATOR).split(_SEPARATOR):
        tag = " ".join(part.split()).lstrip("# ")
        if tag:
            tags.setdefault(tag.casefold(), tag)
    return tuple(tags.values())


def tags_text(tags: Iterable[str]) -> str:
    """The tags as people type them."""
    return f"{_SEPARATOR} ".join(tags)
