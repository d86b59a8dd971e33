"""Our light and our dark palette, and colors that fit any palette: of cards, borders, states and figures."""

from __future__ import annotations

from enum import Enum

from PySide6.QtGui import QColor, QPalette

from gglib_desktop.views.look.contrast import CONTROL_CONTRAST, TEXT_CONTRAST, contrast, mixed, readable

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
    _Role.PlaceholderText: "#646b76",
    _Role.ToolTipBase: "#ffffff",
    _Role.ToolTipText: "#1b1e23",
}
_DARK = {
    _Role.Window: "#23262b",
    _Role.WindowText: "#e7e9ec",
    _Role.Base: "#191b1f",
    _Role.AlternateBase: "#1f2126",
    _Role.Text: "#e7e9ec",
    _Role.Button: "#363a41",
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
    _Role.PlaceholderText: "#a8aeb7",
    _Role.ToolTipBase: "#3a3e45",
    _Role.ToolTipText: "#e7e9ec",
}
_DISABLED_TEXT = {False: "#7a818c", True: "#8f959f"}
_DISABLED_HIGHLIGHT = {False: "#c3c9d2", True: "#4a4f57"}

# Of text, and what may lie behind it.
_ANYWHERE = (_Role.Window, _Role.Base, _Role.AlternateBase)
_TEXT_PAIRS = (
    (_Role.WindowText, _ANYWHERE),
    (_Role.Text, _ANYWHERE),
    (_Role.ButtonText, (_Role.Button,)),
    (_Role.ToolTipText, (_Role.ToolTipBase,)),
    (_Role.PlaceholderText, _ANYWHERE),
    (_Role.Link, _ANYWHERE),
    (_Role.LinkVisited, _ANYWHERE),
)
_GROUPS = (QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive)

# How much of a dark card is white: it is lighter than the window, and the fields in it are darker.
_CARD_LIGHT = 0.06
_HAIRLINE_SHARE = 0.18
_TRACK_SHARE = 0.12
_RESTING_SHARE = 0.16

# Behind matches, on a light list and on a dark one.
_MATCH_COLOURS = ("#ffe58a", "#574600")
# A match in the selected row, whatever the color of the selection is.
_SELECTED_MATCH = ("#ffd84d", "#1b1e23")
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
    "Checking": ("#1a5bbf", "#82b4ff"),
    "Not authorized": ("#9c3d05", "#ff9f5c"),
    "No such model": ("#7d4d00", "#f2bd4b"),
    "Answers nonsense": ("#ae1c1c", "#ff8f87"),
}


class Figure(Enum):
    """What a colored figure, line or bar is about. The value: its color in a light window and in a dark one."""

    GENERATION = ("#1a5bbf", "#82b4ff")
    PROMPT = ("#0b626b", "#56cdd8")
    DRAFTING = ("#6a3fb0", "#c4a7ff")
    MEMORY = ("#4b5f7d", "#a9bad3")
    GAIN = ("#12692f", "#5fd68a")
    LOSS = ("#ae1c1c", "#ff8f87")


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


def mended(palette: QPalette) -> QPalette:
    """The same colors, but for those that cannot be read: a system's palette may have some.

    Disabled text only gets the contrast of a control, so that it still looks disabled.
    """
    better = QPalette(palette)
    for group in _GROUPS:
        for text, backgrounds in _TEXT_PAIRS:
            behind = [palette.color(group, role) for role in backgrounds]
            if backgrounds is _ANYWHERE:
                behind.append(card_colour(palette))
            better.setColor(group, text, readable(palette.color(group, text), *behind))
        for role in (_Role.Highlight, _Role.Accent):
            on_top = palette.color(group, _Role.HighlightedText)
            better.setColor(group, role, readable(palette.color(group, role), on_top))
    disabled = QPalette.ColorGroup.Disabled
    for text, backgrounds in _TEXT_PAIRS[:3]:
        behind = [palette.color(disabled, role) for role in backgrounds]
        better.setColor(disabled, text, readable(palette.color(disabled, text), *behind, least=CONTROL_CONTRAST))
    return better


def state_colour(word: str, palette: QPalette) -> QColor:
    """The text color on the window's background for a state's word."""
    light, dark = _STATE_COLOURS[word]
    return QColor(dark if is_dark(palette) else light)


def figure_colour(figure: Figure, palette: QPalette) -> QColor:
    """For text, lines and bars, on a card or on the window. Never the only sign of what a figure means."""
    light, dark = figure.value
    return QColor(dark if is_dark(palette) else light)


def card_colour(palette: QPalette) -> QColor:
    """The background of cards in a window with this palette."""
    if is_dark(palette):
        return mixed(palette.color(_Role.Window), QColor("white"), _CARD_LIGHT)
    return palette.color(_Role.Base)


def hairline_colour(palette: QPalette) -> QColor:
    """For lines that only divide: around cards, between rows, the grid of a chart."""
    return mixed(palette.color(_Role.Window), palette.color(_Role.WindowText), _HAIRLINE_SHARE)


def track_colour(palette: QPalette) -> QColor:
    """The empty part of a bar."""
    return mixed(palette.color(_Role.Window), palette.color(_Role.WindowText), _TRACK_SHARE)


def border_colour(palette: QPalette) -> QColor:
    """For the lines by which a control is recognized: 3 : 1 against what is inside and outside of it."""
    around = [*(palette.color(role) for role in (_Role.Window, _Role.Base, _Role.Button)), card_colour(palette)]
    return readable(mixed(around[0], palette.color(_Role.WindowText), 0.4), *around, least=CONTROL_CONTRAST)


def focus_colour(palette: QPalette) -> QColor:
    """For the frame around what has the keyboard."""
    around = [*(palette.color(role) for role in (_Role.Window, _Role.Base)), card_colour(palette)]
    return readable(palette.color(_Role.Highlight), *around, least=CONTROL_CONTRAST)


def resting_colour(palette: QPalette) -> QColor:
    """Behind the selected row of a list that does not have the keyboard; its text is that of other rows."""
    return mixed(palette.color(_Role.Base), palette.color(_Role.Highlight), _RESTING_SHARE)


def match_colours(palette: QPalette, *, selected: bool) -> tuple[QColor, QColor]:
    """Search matches in lists: the background and the text."""
    if selected:
        background, text = _SELECTED_MATCH
        return QColor(background), QColor(text)
    return QColor(_MATCH_COLOURS[is_dark(palette)]), palette.color(_Role.Text)


def quiet_colour(palette: QPalette) -> QColor:
    """The color of secondary text in lists: nearer to the background than text, but still at least 4.5 : 1."""
    text, base, resting = palette.color(_Role.Text), palette.color(_Role.Base), resting_colour(palette)
    for share in (0.65, 0.75, 0.85):
        quiet = mixed(base, text, share)
        if min(contrast(quiet, base), contrast(quiet, resting)) >= TEXT_CONTRAST:
            return quiet
    return text


def state_icon(word: str) -> str:
    """The name of a state's icon: each state has its own shape, because not everyone can tell colors apart."""
    return f"state-{word.lower().replace(' ', '-')}"
