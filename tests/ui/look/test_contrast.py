"""Every pair of colors that the program shows can be told apart: 4.5 : 1 for text, 3 : 1 for controls (WCAG 2.2)."""

import pytest
from PySide6.QtGui import QColor, QPalette

from gglib_desktop.domain.servers.log_text import LogLevel
from gglib_desktop.domain.servers.states import Ended, Running, Starting, Stopping, Unreachable
from gglib_desktop.views.look.theme import (
    Figure,
    border_colour,
    card_colour,
    figure_colour,
    focus_colour,
    hairline_colour,
    is_dark,
    match_colours,
    mended,
    own_palette,
    quiet_colour,
    resting_colour,
    state_colour,
    track_colour,
)
from gglib_desktop.views.servers.log.rows import level_colour
from tests.ui.look.palettes import NAMES, contrast, shown_palette, system_palette

Role, Group = QPalette.ColorRole, QPalette.ColorGroup
STATE_WORDS = [state.word for state in (Starting, Stopping, Unreachable, *Running.__args__, *Ended.__args__)]
TEXT, CONTROL = 4.5, 3.0


@pytest.fixture(params=NAMES)
def palette(request, qapp) -> QPalette:
    return shown_palette(request.param)


def backgrounds(palette: QPalette) -> dict[str, QColor]:
    """Where text may lie."""
    return {
        "window": palette.color(Role.Window),
        "card": card_colour(palette),
        "list": palette.color(Role.Base),
        "other rows": palette.color(Role.AlternateBase),
    }


def too_weak(pairs: dict[str, tuple[QColor, QColor]], least: float) -> dict[str, str]:
    return {
        name: f"{text.name(QColor.NameFormat.HexArgb)} on {background.name()}: {contrast(text, background):.2f}"
        for name, (text, background) in pairs.items()
        if contrast(text, background) < least
    }


@pytest.mark.parametrize("group", [Group.Active, Group.Inactive])
def test_text_links_notes_and_placeholders_can_be_read_wherever_they_lie(palette, group):
    def colour(role: QPalette.ColorRole) -> QColor:
        return QColor(palette.color(group, role))

    everywhere = (Role.WindowText, Role.Text, Role.PlaceholderText, Role.Link, Role.LinkVisited)
    pairs = {
        f"{role.name} in the {place}": (colour(role), background)
        for role in everywhere
        for place, background in backgrounds(palette).items()
    }
    pairs["button"] = colour(Role.ButtonText), colour(Role.Button)
    pairs["tool tip"] = colour(Role.ToolTipText), colour(Role.ToolTipBase)
    pairs["selected row"] = colour(Role.HighlightedText), colour(Role.Highlight)
    pairs["accent"] = colour(Role.HighlightedText), colour(Role.Accent)
    assert too_weak(pairs, TEXT) == {}


def test_secondary_text_of_lists_can_be_read(palette):
    rows = {name: backgrounds(palette)[name] for name in ("list", "other rows")}
    rows["selected row without the keyboard"] = resting_colour(palette)
    assert too_weak({name: (quiet_colour(palette), rows[name]) for name in rows}, TEXT) == {}


def test_the_selected_row_can_be_told_and_read_while_the_keyboard_is_elsewhere(palette):
    resting = {"resting row": resting_colour(palette)}
    assert too_weak({name: (palette.color(Role.Text), resting[name]) for name in resting}, TEXT) == {}
    assert too_weak({"its bar": (focus_colour(palette), palette.color(Role.Base))}, CONTROL) == {}
    words = {word: (state_colour(word, palette), resting_colour(palette)) for word in STATE_WORDS}
    assert too_weak(words, CONTROL) == {}  # signs, not text


def test_words_of_states_can_be_read(palette):
    pairs = {
        f"{word} in the {place}": (state_colour(word, palette), background)
        for word in STATE_WORDS
        for place, background in backgrounds(palette).items()
    }
    assert too_weak(pairs, TEXT) == {}


def test_figures_can_be_read_and_their_bars_stand_out_of_the_empty_part(palette):
    pairs = {
        f"{figure.name} in the {place}": (figure_colour(figure, palette), background)
        for figure in Figure
        for place, background in backgrounds(palette).items()
    }
    assert too_weak(pairs, TEXT) == {}
    tracks = {figure.name: (figure_colour(figure, palette), track_colour(palette)) for figure in Figure}
    assert too_weak(tracks, CONTROL) == {}


def test_matches_of_a_search_can_be_read_in_every_row(palette):
    for selected in (False, True):
        background, text = match_colours(palette, selected=selected)
        assert too_weak({f"selected: {selected}": (text, background)}, TEXT) == {}


def test_lines_of_a_log_can_be_read_with_and_without_a_match(palette):
    pairs = {
        f"{level.name} on {background.name()}": (level_colour(level, palette), background)
        for level in LogLevel
        for background in (palette.color(Role.Base), match_colours(palette, selected=False)[0])
    }
    assert too_weak(pairs, TEXT) == {}


def test_borders_of_controls_stand_out(palette):
    around = {name: palette.color(name) for name in (Role.Window, Role.Base, Role.Button)}
    assert too_weak({str(name): (border_colour(palette), around[name]) for name in around}, CONTROL) == {}
    assert too_weak({"card": (border_colour(palette), card_colour(palette))}, CONTROL) == {}


def test_the_frame_of_what_has_the_keyboard_stands_out(palette):
    pairs = {place: (focus_colour(palette), background) for place, background in backgrounds(palette).items()}
    assert too_weak(pairs, CONTROL) == {}


def test_hairlines_and_empty_bars_are_seen_but_quiet(palette):
    for colour in (hairline_colour(palette), track_colour(palette)):
        assert 1.1 < contrast(colour, card_colour(palette)) < contrast(border_colour(palette), card_colour(palette))


def test_disabled_text_can_be_made_out_and_is_weaker(palette):
    for text, background in ((Role.WindowText, Role.Window), (Role.Text, Role.Base), (Role.ButtonText, Role.Button)):
        behind = palette.color(Group.Disabled, background)
        disabled = contrast(palette.color(Group.Disabled, text), behind)
        assert CONTROL <= disabled <= contrast(palette.color(text), palette.color(background)), text


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("ours")])
def test_a_system_s_palette_keeps_what_can_be_read(qapp, name):
    before, after = system_palette(name), mended(system_palette(name))
    assert is_dark(before) is is_dark(after)
    assert mended(after) == after
    for role in (Role.Window, Role.Base, Role.Button):
        assert before.color(role) == after.color(role)


@pytest.mark.parametrize("dark", [False, True])
def test_our_own_palettes_need_no_mending(qapp, dark):
    assert mended(own_palette(dark=dark)) == own_palette(dark=dark)
