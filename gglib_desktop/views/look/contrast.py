"""How well one color can be told from another, and colors that can be told apart."""

from __future__ import annotations

from PySide6.QtGui import QColor

# WCAG 2.2, success criteria 1.4.3 and 1.4.11.
TEXT_CONTRAST = 4.5
CONTROL_CONTRAST = 3.0
_STEPS = 20


def contrast(one: QColor, other: QColor) -> float:
    """From 1 (the same) to 21, as WCAG defines it for text on a background. A translucent ``one`` lies on ``other``."""
    darker, lighter = sorted((_luminance(mixed(other, one, one.alphaF())), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def mixed(one: QColor, other: QColor, share: float) -> QColor:
    """``share`` of the second color, the rest of the first; opaque."""
    pairs = ((one.red(), other.red()), (one.green(), other.green()), (one.blue(), other.blue()))
    return QColor(*(round(a + (b - a) * share) for a, b in pairs))


def readable(colour: QColor, *backgrounds: QColor, least: float = TEXT_CONTRAST) -> QColor:
    """The nearest color towards black or white that has this contrast on every background; at worst black or white."""
    candidates = [
        mixed(solid, end, step / _STEPS)
        for step in range(_STEPS + 1)
        for solid in (mixed(backgrounds[0], colour, colour.alphaF()),)
        for end in (QColor("black"), QColor("white"))
    ]

    def worst(candidate: QColor) -> float:
        return min(contrast(candidate, background) for background in backgrounds)

    return next((candidate for candidate in candidates if worst(candidate) >= least), max(candidates, key=worst))


def _luminance(colour: QColor) -> float:
    parts = (colour.redF(), colour.greenF(), colour.blueF())
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
