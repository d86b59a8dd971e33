"""Light, dark or the system's colors, and the colors of server states."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from gglib_desktop.domain.documents.settings import Theme

_Role = QPalette.ColorRole

_LIGHT = {
    _Role.Window: "#f2f3f5",
    _Role.WindowText: "#1b1e23",
    _Role.Base: "#ffffff",
    _Role.AlternateBase: "#f5f6f8",
    _Role.Text: "#1b1e23",
    _Role.Button: "#e9ebee",
    _Role.ButtonText: "#1b1e23",
    _Role.BrightText: "#ffffff",
    _Role.Light: "#ffffff",
    _Role.Midlight: "#f5f6f8",
    _Role.Mid: "#b4b9c1",
    _Role.Dark: "#989ea8",
    _Role.Shadow: "#5c626c",
    _Role.Highlight: "#2563c9",
    _Role.HighlightedText: "#ffffff",
    _Role.Accent: "#2563c9",
    _Role.Link: "#1a5bbf",
    _Role.LinkVisited: "#6a3fb0",
    _Role.PlaceholderText: "#6b727d",
    _Role.ToolTipBase: "#ffffff",
    _Role.ToolTipText: "#1b1e23",
}
_DARK = {
    _Role.Window: "#303338",
    _Role.WindowText: "#e7e9ec",
    _Role.Base: "#181a1d",
    _Role.AlternateBase: "#1e2024",
    _Role.Text: "#e7e9ec",
    _Role.Button: "#3d4148",
    _Role.ButtonText: "#e7e9ec",
    _Role.BrightText: "#ffffff",
    _Role.Light: "#5b616b",
    _Role.Midlight: "#4a4f57",
    _Role.Mid: "#1f2125",
    _Role.Dark: "#18191c",
    _Role.Shadow: "#0c0d0e",
    _Role.Highlight: "#2f6ad0",
    _Role.HighlightedText: "#ffffff",
    _Role.Accent: "#2f6ad0",
    _Role.Link: "#82b4ff",
    _Role.LinkVisited: "#c4a7ff",
    _Role.PlaceholderText: "#969ca6",
    _Role.ToolTipBase: "#383c42",
    _Role.ToolTipText: "#e7e9ec",
}
_LEAST_CONTRAST = 4.5
_DISABLED_TEXT = {False: "#7a818c", True: "#8f959f"}
_DISABLED_HIGHLIGHT = {False: "#c3c9d2", True: "#4a4f57"}

# Behind matches, on a light list and on a dark one.
_MATCH_COLOURS = ("#ffe58a", "#574600")
# A state's word has a color for a light window and one for a dark window. Each is at least 4.5 : 1 against the window.
_STATE_COLOURS = {
    "Starting": ("#1a5bbf", "#82b4ff"),
    "Loading": ("#1a5bbf", "#82b4ff"),
    "Healthy": ("#12692f", "#5fd68a"),
    "Busy": ("#0b626b", "#56cdd8"),
    "Degraded": ("#7d4d00", "#f2bd4b"),
    "Unresponsive": ("#9c3d05", "#ff9f5c"),
    "Stopping": ("#545b66", "#b3b9c2"),
    "Stopped": ("#545b66", "#b3b9c2"),
    "Failed": ("#ae1c1c", "#ff8f87"),
    "Crashed": ("#ae1c1c", "#ff8f87"),
    "Unreachable": ("#9c3d05", "#ff9f5c"),
}


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Switches to these colors at the next turn of the event loop. SYSTEM follows later changes too."""
    theming = app.findChild(_Theming)
    if theming is None:
        theming = _Theming(app)
    theming.apply(theme)


def is_dark(palette: QPalette) -> bool:
    """Whether text is lighter than the window behind it."""
    return palette.color(_Role.Window).lightness() < palette.color(_Role.WindowText).lightness()


def own_palette(*, dark: bool) -> QPalette:
    """Our colors, for platforms that do not have such ones."""
    palette = QPalette()
    for role, colour in (_DARK if dark else _LIGHT).items():
        palette.setColor(role, QColor(colour))
    for role in (_Role.WindowText, _Role.Text, _Role.ButtonText, _Role.ToolTipText, _Role.PlaceholderText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(_DISABLED_TEXT[dark]))
    for role in (_Role.Highlight, _Role.Accent):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(_DISABLED_HIGHLIGHT[dark]))
    return palette


def state_colour(word: str, palette: QPalette) -> QColor:
    """The text color on the window's background for a state's word."""
    light, dark = _STATE_COLOURS[word]
    return QColor(dark if is_dark(palette) else light)


def match_colour(palette: QPalette) -> QColor:
    """The background of search matches in lists."""
    return QColor(_MATCH_COLOURS[is_dark(palette)])


def quiet_colour(palette: QPalette) -> QColor:
    """The color of secondary text in lists: nearer to the background than text, but still at least 4.5 : 1."""
    text, base = palette.color(_Role.Text), palette.color(_Role.Base)
    for share in (0.65, 0.75, 0.85):
        mixed = _mixed(base, text, share)
        if _contrast(mixed, base) >= _LEAST_CONTRAST:
            return mixed
    return text


def _contrast(one: QColor, other: QColor) -> float:
    """From 1 (the same) to 21, as WCAG defines it for text on a background."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: QColor) -> float:
    parts = (colour.redF(), colour.greenF(), colour.blueF())
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mixed(one: QColor, other: QColor, share: float) -> QColor:
    """``share`` of the second color, the rest of the first."""
    pairs = ((one.red(), other.red()), (one.green(), other.green()), (one.blue(), other.blue()))
    return QColor(*(round(a + (b - a) * share) for a, b in pairs))


def state_icon(word: str) -> str:
    """The name of a state's icon: each state has its own shape, because not everyone can tell colors apart."""
    return f"state-{word.lower()}"


class _Theming(QObject):
    """Belongs to the application: remembers the theme, and corrects the palette if the platform did not set it."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._theme = Theme.SYSTEM
        self._correction = QTimer(self, singleShot=True, interval=0)
        self._correction.timeout.connect(self._correct)
        app.setStyle("Fusion")
        app.styleHints().colorSchemeChanged.connect(self._on_system_changed)

    def apply(self, theme: Theme) -> None:
        self._theme = theme
        hints = self._app.styleHints()
        if theme is Theme.SYSTEM:
            hints.unsetColorScheme()
        else:
            hints.setColorScheme(Qt.ColorScheme.Dark if theme is Theme.DARK else Qt.ColorScheme.Light)
        # If the platform supports the call, its palette comes one turn later.
        self._correction.start()

    def _on_system_changed(self) -> None:
        self._correction.start()

    def _correct(self) -> None:
        if self._theme is Theme.SYSTEM:
            self._app.setPalette(QPalette())
            wants_dark = self._app.styleHints().colorScheme() is Qt.ColorScheme.Dark or is_dark(self._app.palette())
        else:
            wants_dark = self._theme is Theme.DARK
        if is_dark(self._app.palette()) is not wants_dark:
            self._app.setPalette(own_palette(dark=wants_dark))
