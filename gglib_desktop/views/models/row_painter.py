"""Paints the rows of the model list, with what was sought marked in them."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem
from typing_extensions import override

from gglib_desktop.viewmodels.models.model_list import ModelListViewModel, RowRole
from gglib_desktop.viewmodels.models.model_row import ModelRow
from gglib_desktop.views.look.icons import paint_icon
from gglib_desktop.views.look.theme import match_colour, quiet_colour, state_colour, state_icon
from gglib_desktop.views.widgets.row_table import PlainTips

_MARGIN = 8
_ICON = 12
_BADGE_SCALE = 0.85
_BADGE_MARGIN = 4
_BADGE_GAP = 3
_BADGE_RADIUS = 3
# Behind matches in the selected row, in the colour of its text.
_MATCH_ON_SELECTION_ALPHA = 90


def row_height(metrics: QFontMetrics) -> int:
    """The height of every row, in pixels: two lines and the margins."""
    return 2 * metrics.lineSpacing() + _MARGIN + 4


class RowPainter(PlainTips):
    """Paints a model in two lines: state, name and quantisation, then facts or the problem, and badges.

    Where a word was found in nothing of that, the second line is what it was found in.
    """

    def __init__(self, models: ModelListViewModel, parent: QObject) -> None:
        super().__init__(parent)
        self._models = models

    @override
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row: ModelRow = index.data(RowRole)
        self.initStyleOption(option, index)
        option.text = ""
        option.widget.style().drawPrimitive(
            QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget
        )
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        ink = option.palette.color(QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text)
        faint = ink if selected else quiet_colour(option.palette)
        mark = QColor(ink) if selected else match_colour(option.palette)
        if selected:
            mark.setAlpha(_MATCH_ON_SELECTION_ALPHA)
        painter.save()
        area = option.rect.adjusted(_MARGIN, _MARGIN // 2, -_MARGIN, -_MARGIN // 2)
        first = QRect(area.left(), area.top(), area.width(), area.height() // 2)
        second = QRect(area.left(), first.bottom() + 1, area.width(), area.height() - first.height())
        self._paint_state(painter, first, row, None if selected else option.palette, ink)
        quantisation_width = QFontMetrics(option.font).horizontalAdvance(row.quantisation)
        right = QRect(first.right() - quantisation_width, first.top(), quantisation_width + 1, first.height())
        self._draw(painter, right, row.quantisation, faint, option.font, mark=mark)
        below = second.adjusted(_ICON + _MARGIN, 0, 0, 0)
        found = self._found_in(row)
        if not row.problem and not found:
            below.setRight(self._paint_badges(painter, below, row, faint, option.font, mark=mark))
        text = row.problem or found or row.facts
        self._draw(painter, below, text, ink if row.problem else faint, option.font, mark=mark)
        bold = QFont(option.font)
        bold.setWeight(QFont.Weight.DemiBold)
        name = first.adjusted(_ICON + _MARGIN, 0, -quantisation_width - _MARGIN, 0)
        self._draw(painter, name, row.name, ink, bold, mark=mark)
        painter.restore()

    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(120, row_height(option.fontMetrics))

    def _found_in(self, row: ModelRow) -> str:
        """What words were found in that is not shown anyway: the repository or the notes, else the path."""
        visible = "\n".join((row.name, row.quantisation, row.facts, *row.badges)).lower()
        hidden = [word for word in self._models.words if word not in visible]
        if not hidden:
            return ""
        places = (row.repository, row.notes)
        return next((place for place in places if all(word in place.lower() for word in hidden)), row.path)

    def _paint_badges(
        self, painter: QPainter, line: QRect, row: ModelRow, ink: QColor, font: QFont, *, mark: QColor
    ) -> int:
        """Paints them at the right end of the line; returns where the rest of it ends."""
        small = QFont(font)
        small.setPointSizeF(font.pointSizeF() * _BADGE_SCALE)
        metrics = QFontMetrics(small)
        height = min(metrics.height() + 2, line.height() - 1)
        right = line.right()
        for text in reversed(row.badges):
            width = metrics.horizontalAdvance(text) + 2 * _BADGE_MARGIN
            badge = QRect(right - width, line.center().y() - height // 2 + 1, width, height)
            painter.setPen(ink)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.drawRoundedRect(QRectF(badge).adjusted(0.5, 0.5, -0.5, -0.5), _BADGE_RADIUS, _BADGE_RADIUS)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
            self._draw(painter, badge.adjusted(_BADGE_MARGIN, 0, 0, 0), text, ink, small, mark=mark)
            right -= width + _BADGE_GAP
        return right - _BADGE_GAP if row.badges else right

    def _paint_state(
        self, painter: QPainter, line: QRect, row: ModelRow, palette: QPalette | None, ink: QColor
    ) -> None:
        place = QRect(line.left(), line.center().y() - _ICON // 2 + 1, _ICON, _ICON)
        if row.problem and row.state is None:
            paint_icon(painter, place, "warning", ink if palette is None else state_colour("Degraded", palette))
        elif row.state is not None:
            word = row.state.word
            paint_icon(painter, place, state_icon(word), ink if palette is None else state_colour(word, palette))

    def _draw(self, painter: QPainter, area: QRect, text: str, ink: QColor, font: QFont, *, mark: QColor) -> None:
        metrics = QFontMetrics(font)
        # Of names and paths both ends matter, of all else the beginning.
        side = Qt.TextElideMode.ElideMiddle if "/" in text or font.bold() else Qt.TextElideMode.ElideRight
        shown = metrics.elidedText(text, side, area.width())
        for begin, end in matches(shown, self._models.words):
            left, right = (metrics.horizontalAdvance(shown[:at]) for at in (begin, end))
            height = metrics.height()
            top = area.top() + (area.height() - height) // 2
            painter.fillRect(QRect(area.left() + left, top, right - left, height), mark)
        painter.setFont(font)
        painter.setPen(ink)
        painter.drawText(area, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)


def matches(text: str, words: tuple[str, ...]) -> list[tuple[int, int]]:
    """Where any of the lower-case words stands in a text, in order and without overlaps."""
    lower = text.lower()
    if len(lower) != len(text):
        # A few letters change their number when they are made small; such a text counts, but is not marked.
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
