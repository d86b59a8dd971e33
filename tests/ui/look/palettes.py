"""The palettes that the program's colors are tested on, and contrast as a test of its own computes it."""

from __future__ import annotations

from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from gglib_desktop.views.look.theme import mended, own_palette

# Of each platform that brings its own: window, base, text, button, highlight and its text, link, placeholder.
_SYSTEMS = {
    "GNOME light": ("#f6f5f4", "#ffffff", "#2e3436", "#f6f5f4", "#3584e4", "#ffffff", "#1b6acb", "#802e3436"),
    "GNOME dark": ("#353535", "#2d2d2d", "#eeeeec", "#373737", "#15539e", "#ffffff", "#3584e4", "#80eeeeec"),
    "Breeze light": ("#eff0f1", "#ffffff", "#232629", "#fcfcfc", "#3daee9", "#ffffff", "#2980b9", "#a0a1a3"),
    "Breeze dark": ("#2a2e32", "#1b1e20", "#fcfcfc", "#31363b", "#3daee9", "#fcfcfc", "#1d99f3", "#616467"),
    "pale": ("#dddddd", "#eeeeee", "#777777", "#cccccc", "#ffee88", "#ffffff", "#88aaff", "#bbbbbb"),
}
_ROLES = (
    (QPalette.ColorRole.Window,),
    (QPalette.ColorRole.Base, QPalette.ColorRole.AlternateBase, QPalette.ColorRole.ToolTipBase),
    (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText,
     QPalette.ColorRole.ToolTipText),
    (QPalette.ColorRole.Button,),
    (QPalette.ColorRole.Highlight, QPalette.ColorRole.Accent),
    (QPalette.ColorRole.HighlightedText,),
    (QPalette.ColorRole.Link, QPalette.ColorRole.LinkVisited),
    (QPalette.ColorRole.PlaceholderText,),
)  # fmt: skip
NAMES = ("ours light", "ours dark", "Fusion", *_SYSTEMS)


def system_palette(name: str) -> QPalette:
    """As the platform gives it."""
    if name == "Fusion":
        return QApplication.style().standardPalette()
    palette = QPalette()
    for roles, colour in zip(_ROLES, _SYSTEMS[name], strict=True):
        for role in roles:
            palette.setColor(role, QColor(colour))
    return palette


def shown_palette(name: str) -> QPalette:
    """As the program shows it."""
    if name.startswith("ours"):
        return own_palette(dark=name == "ours dark")
    return mended(system_palette(name))


def contrast(text: QColor, background: QColor) -> float:
    """As WCAG 2 defines it, 1 to 21. A translucent text is seen on its background."""

    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    def luminance(red: float, green: float, blue: float) -> float:
        return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)

    share = text.alphaF()
    below = (background.redF(), background.greenF(), background.blueF())
    above = (text.redF(), text.greenF(), text.blueF())
    seen = (front * share + behind * (1 - share) for front, behind in zip(above, below, strict=True))
    lighter, darker = sorted((luminance(*seen), luminance(*below)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)
