"""Words of a command, and what stands between them."""

from __future__ import annotations

from dataclasses import dataclass, field


class Unclosed(ValueError):  # noqa: N818  # a state of the text, not an error of ours
    """A quotation mark has no partner."""


@dataclass(frozen=True)
class Word:
    """One word without its quotes. ``unresolved``: it holds, as it was written, a variable without a known value.

    ``items`` are the members if the word is a list, or assigns one.
    """

    text: str
    unresolved: bool = False
    items: tuple[Word, ...] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Operator:
    """What separates words: the end of a command, or a redirection, whose target is the next word."""

    text: str

    @property
    def redirects(self) -> bool:
        return "<" in self.text or ">" in self.text


Token = Word | Operator


def list_of(items: tuple[Word, ...]) -> Word:
    """A list as one word."""
    return Word(" ".join(each.text for each in items), any(each.unresolved for each in items), items)
