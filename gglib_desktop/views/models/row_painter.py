"""Paints the rows of the model list, with search matches marked."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem
from typing_extensions import override

from gglib_desktop.viewmodels.models.model_list import ModelListViewModel, RowRole
from gglib_desktop.viewmodels.models.model_row import ModelRow
from gglib_desktop.views.look.icons import paint_icon
from gglib_desktop.views.look.theme import (
    focus_colour,
    match_colours,
    quiet_colour,
    resting_colour,
    state_colour,
    state_icon,
)
from gglib_desktop.views.look.type_scale import TypeSize
from gglib_desktop.views.widgets.row_table import PlainTips

_MARGIN = 8
_ICON = 12
_BADGE_MARGIN = 4
_BADGE_GAP = 3
_BADGE_RADIUS = 3
# At the selected row of a list without the keyboard.
_RESTING_BAR = 3
_MOST_TEXTS = 500
# Of enums, each look-up and each combination takes as long as painting a word.
_PANEL = QStyle.PrimitiveElement.PE_PanelItemViewItem
_ELIDE_MIDDLE, _ELIDE_RIGHT = Qt.TextElideMode.ElideMiddle, Qt.TextElideMode.ElideRight


def row_height(metrics: QFontMetrics) -> int:
    """The height of every row, in pixels: two lines and the margins."""
    return 2 * metrics.lineSpacing() + _MARGIN + 4


class _Inks(NamedTuple):
    """The colors of a row: of its text, of secondary text, behind matches and in them, and without the keyboard."""

    text: QColor
    faint: QColor
    mark: QColor
    marked: QColor
    resting: QColor
    resting_bar: QColor

    @classmethod
    def of(cls, palette: QPalette, *, selected: bool) -> _Inks:
        others = *match_colours(palette, selected=selected), resting_colour(palette), focus_colour(palette)
        if not selected:
            return cls(QColor(palette.color(QPalette.ColorRole.Text)), quiet_colour(palette), *others)
        text = QColor(palette.color(QPalette.ColorRole.HighlightedText))
        return cls(text, text, *others)


class _Face:
    """A font with cached measures of texts: from one key stroke to the next most rows stay visible."""

    def __init__(self, font: QFont, *, is_name: bool = False) -> None:
        self.font, self.is_name = font, is_name
        metrics = QFontMetrics(font)
        self.height, self.ascent = metrics.height(), metrics.ascent()
        self.width: Callable[[str], int] = lru_cache(_MOST_TEXTS)(metrics.horizontalAdvance)
        self.elided: Callable[[str, Qt.TextElideMode, int], str] = lru_cache(_MOST_TEXTS)(metrics.elidedText)


class _Faces:
    """The fonts of the parts of a row."""

    def __init__(self, font: QFont) -> None:
        # A copy: an option's own font ends together with the option.
        self.made_from = QFont(font)
        bold, small = QFont(font), QFont(font)
        bold.setWeight(QFont.Weight.DemiBold)
        small.setPointSizeF(font.pointSizeF() * TypeSize.SMALL.value)
        self.plain, self.name, self.small = _Face(self.made_from), _Face(bold, is_name=True), _Face(small)


class RowPainter(PlainTips):
    """Paints a model in two lines: state, name and quantization, then facts or the problem, and badges.

    If a word was found in none of these, the second line shows the text where it was found.
    """

    def __init__(self, models: ModelListViewModel, parent: QObject) -> None:
        super().__init__(parent)
        self._models = models
        self._faces = _Faces(QFont())
        self._inks: dict[tuple[int, QPalette.ColorGroup, bool], _Inks] = {}

    @override
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        # A key stroke in the search paints all visible rows. initStyleOption() would ask for eight roles of each.
        row: ModelRow = index.data(RowRole)
        palette, rect = option.palette, option.rect
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        rests = selected and not option.widget.hasFocus()
        selected = selected and not rests
        inks = self._inks_of(palette, selected=selected)
        if rests:
            painter.fillRect(rect, inks.resting)
            painter.fillRect(QRect(rect.left(), rect.top(), _RESTING_BAR, rect.height()), inks.resting_bar)
        elif selected:  # of other rows the style paints nothing
            option.widget.style().drawPrimitive(_PANEL, option, painter, option.widget)
        if self._faces.made_from != option.font:
            self._faces = _Faces(option.font)
        painter.save()
        area = rect.adjusted(_MARGIN, _MARGIN // 2, -_MARGIN, -_MARGIN // 2)
        first = QRect(area.left(), area.top(), area.width(), area.height() // 2)
        below = QRect(area.left(), first.bottom() + 1, area.width(), area.height() - first.height())
        self._paint_state(painter, first, row, None if selected else palette, inks.text)
        quantisation_width = self._faces.plain.width(row.quantisation)
        right = QRect(first.right() - quantisation_width, first.top(), quantisation_width + 1, first.height())
        self._draw(painter, right, row.quantisation, inks.faint, self._faces.plain, inks)
        below.adjust(_ICON + _MARGIN, 0, 0, 0)
        found = self._found_in(row)
        if row.badges and not row.problem and not found:
            below.setRight(self._paint_badges(painter, below, row, inks))
        text = row.problem or found or row.facts_and_place
        self._draw(painter, below, text, inks.text if row.problem else inks.faint, self._faces.plain, inks)
        first.adjust(_ICON + _MARGIN, 0, -quantisation_width - _MARGIN, 0)
        self._draw(painter, first, row.plain_name, inks.text, self._faces.name, inks)
        painter.restore()

    def _inks_of(self, palette: QPalette, *, selected: bool) -> _Inks:
        key = palette.cacheKey(), palette.currentColorGroup(), selected
        if key not in self._inks:
            self._inks[key] = _Inks.of(palette, selected=selected)
        return self._inks[key]

    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(120, row_height(option.fontMetrics))

    def _found_in(self, row: ModelRow) -> str:
        """The hidden text in which words were found: the repository or the notes, else the path."""
        visible = "\n".join((row.name, row.quantisation, row.facts_and_place, *row.badges)).lower()
        hidden = [word for word in self._models.words if word not in visible]
        if not hidden:
            return ""
        places = (row.repository, row.notes)
        return next((place for place in places if all(word in place.lower() for word in hidden)), row.path)

    def _paint_badges(self, painter: QPainter, line: QRect, row: ModelRow, inks: _Inks) -> int:
        """Paints them at the right end of the line; returns where the rest of the line ends."""
        small = self._faces.small
        height = min(small.height + 2, line.height() - 1)
        right = line.right()
        for text in reversed(row.badges):
            width = small.width(text) + 2 * _BADGE_MARGIN
            badge = QRect(right - width, line.center().y() - height // 2 + 1, width, height)
            painter.setPen(inks.faint)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.drawRoundedRect(QRectF(badge).adjusted(0.5, 0.5, -0.5, -0.5), _BADGE_RADIUS, _BADGE_RADIUS)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
            self._draw(painter, badge.adjusted(_BADGE_MARGIN, 0, 0, 0), text, inks.faint, small, inks)
            right -= width + _BADGE_GAP
        return right - _BADGE_GAP

    def _paint_state(
        self, painter: QPainter, line: QRect, row: ModelRow, palette: QPalette | None, ink: QColor
    ) -> None:
        place = QRect(line.left(), line.center().y() - _ICON // 2 + 1, _ICON, _ICON)
        if row.problem and row.state is None:
            paint_icon(painter, place, "warning", ink if palette is None else state_colour("Degraded", palette))
        elif row.state is not None:
            word = row.state.word
            paint_icon(painter, place, state_icon(word), ink if palette is None else state_colour(word, palette))

    def _draw(  # noqa: PLR0917  # called six times a row: by position it is as fast as it can be
        self, painter: QPainter, area: QRect, text: str, ink: QColor, face: _Face, inks: _Inks
    ) -> None:
        if not text:
            return
        # Paths are shortened in the middle: what tells them apart stands at their ends.
        side = _ELIDE_MIDDLE if "/" in text and not face.is_name else _ELIDE_RIGHT
        shown = face.elided(text, side, area.width())
        painter.setFont(face.font)
        painter.setPen(ink)
        x, top = area.left(), area.top() + (area.height() - face.height) // 2
        # At a point: in a rectangle Qt breaks the text into lines first, which takes as long again.
        painter.drawText(x, top + face.ascent, shown)
        for begin, end in matches(shown, self._models.words):
            left, right = (face.width(shown[:at]) for at in (begin, end))
            place = QRect(x + left, top, right - left, face.height)
            painter.fillRect(place, inks.mark)
            painter.setPen(inks.marked)
            painter.save()
            painter.setClipRect(place)
            painter.drawText(x, top + face.ascent, shown)
            painter.restore()


def matches(text: str, words: tuple[str, ...]) -> list[tuple[int, int]]:
    """The places of the lower-case words in a text, in order and without overlaps."""
    lower = text.lower()
    if len(lower) != len(text):
        # Some letters change their number in lower case; such a text counts, but is not marked.
        return []
    found: list[tuple[int, int]] = []
    for word in words:
        begin = lower.find(word)
        while begin >= 0:
            found.append((begin, begin + len(word)))
            begin = lower.find(word, begin + len(word))
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(found):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged
