"""How well one color can be told from another, and colors that can be told apart."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

from PySide6.QtGui import QColor

# WCAG 2.2, success criteria 1.4.3 and 1.4.11.
TEXT_CONTRAST = 4.5
CONTROL_CONTRAST = 3.0
_STEPS = 20
_MOST_COLOURS = 512


def contrast(one: QColor, other: QColor) -> float:
    """From 1 (the same) to 21, as WCAG defines it for text on a background. A translucent ``one`` lies on ``other``."""
    return _ratio(_luminance(*_parts(mixed(other, one, one.alphaF()))), _luminance(*_parts(other)))


def mixed(one: QColor, other: QColor, share: float) -> QColor:
    """``share`` of the second color, the rest of the first; opaque."""
    return QColor(*_mixed(_parts(one), _parts(other), share))


def readable(colour: QColor, *backgrounds: QColor, least: float = TEXT_CONTRAST) -> QColor:
    """The nearest color towards black or white that has this contrast on every background; at worst black or white."""
    behind = tuple(_parts(background) for background in backgrounds)
    return QColor(*_readable(_mixed(behind[0], _parts(colour), colour.alphaF()), behind, least))


_Parts: TypeAlias = tuple[int, int, int]
_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)


@lru_cache(_MOST_COLOURS)
def _readable(solid: _Parts, backgrounds: tuple[_Parts, ...], least: float) -> _Parts:
    behind = [_luminance(*background) for background in backgrounds]

    def worst(candidate: _Parts) -> float:
        return min(_ratio(_luminance(*candidate), background) for background in behind)

    for step in range(_STEPS + 1):
        for end in (_BLACK, _WHITE):
            candidate = _mixed(solid, end, step / _STEPS)
            if worst(candidate) >= least:
                return candidate
    return max(_BLACK, _WHITE, key=worst)


def _parts(colour: QColor) -> _Parts:
    return colour.red(), colour.green(), colour.blue()


def _mixed(one: _Parts, other: _Parts, share: float) -> _Parts:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _ratio(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


@lru_cache(_MOST_COLOURS)
def _luminance(red: int, green: int, blue: int) -> float:
    return 0.2126 * _linear(red) + 0.7152 * _linear(green) + 0.0722 * _linear(blue)


def _linear(part: int) -> float:
    share = part / 255
    return share / 12.92 if share <= 0.03928 else float(((share + 0.055) / 1.055) ** 2.4)
