"""The settings that are measured, with a bar for the speed of each."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import QHeaderView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget
from typing_extensions import override

from gglib_desktop.domain.advisor.progress import Arm
from gglib_desktop.views.launch.measuring.words import arm_state_text, setting_text, speed_text
from gglib_desktop.views.look.theme import Figure, figure_colour, quiet_colour
from gglib_desktop.views.look.type_scale import type_font
from gglib_desktop.views.widgets.row_table import RowTable, set_up_rows
from gglib_desktop.views.words.figures import not_known, percent_text, short_speed_text

_NO_PARENT = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex
_SPEED_ROLE = Qt.ItemDataRole.UserRole
_LINES = 5
_BAR_CHARACTERS = 22
_LEAST_TOP = 1.5


class ArmColumn(IntEnum):
    """The columns, from left to right."""

    SETTING = 0
    SPEED = 1
    TOKENS = 2
    ACCEPTED = 3
    REQUESTS = 4
    STATE = 5


class ArmTable(QAbstractTableModel):
    """A row for each setting, in the order in which they were first tried."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._arms: Sequence[Arm] = ()

    @property
    def top(self) -> float:
        """The speed at the end of the longest bar."""
        return max((arm.speed for arm in self._arms if arm.speed is not None), default=0.0)

    def show_arms(self, arms: Sequence[Arm]) -> None:
        known = len(self._arms)
        if arms == self._arms:
            return
        if len(arms) < known:
            self.beginResetModel()
            self._arms = arms
            self.endResetModel()
            return
        if len(arms) > known:
            self.beginInsertRows(QModelIndex(), known, len(arms) - 1)
        self._arms = arms
        if len(arms) > known:
            self.endInsertRows()
        self.dataChanged.emit(self.index(0, 0), self.index(len(arms) - 1, len(ArmColumn) - 1))

    @override
    def rowCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._arms)

    @override
    def columnCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(ArmColumn)

    @override
    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.ToolTipRole and section == ArmColumn.SPEED:
            return self.tr("Where the CPU computes, by its time; else by the clock")
        if role == Qt.ItemDataRole.ToolTipRole and section == ArmColumn.TOKENS:
            return self.tr("On the clock, which other programs slow down")
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return {
            ArmColumn.SETTING: self.tr("Drafting"),
            ArmColumn.SPEED: self.tr("Speed against off"),
            ArmColumn.TOKENS: self.tr("Speed"),
            ArmColumn.ACCEPTED: self.tr("Accepted"),
            ArmColumn.REQUESTS: self.tr("Requests"),
            ArmColumn.STATE: self.tr("State"),
        }[ArmColumn(section)]

    @override
    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        arm = self._arms[index.row()]
        if role == _SPEED_ROLE:
            return arm.speed
        if role == Qt.ItemDataRole.ToolTipRole:
            return arm.problem or None
        if role not in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            return None
        column = ArmColumn(index.column())
        text = _cell_text(arm, column)
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        title = self.headerData(column, Qt.Orientation.Horizontal)
        return text if column is ArmColumn.SETTING else f"{title}: {text}"


def _cell_text(arm: Arm, column: ArmColumn) -> str:
    match column:
        case ArmColumn.SETTING:
            return setting_text(arm.setting)
        case ArmColumn.SPEED:
            return speed_text(arm.speed)
        case ArmColumn.TOKENS:
            return not_known() if arm.tokens_per_s is None else short_speed_text(arm.tokens_per_s)
        case ArmColumn.ACCEPTED:
            return percent_text(None if arm.accepted is None else arm.accepted * 100) if arm.setting.drafts else ""
        case ArmColumn.REQUESTS:
            return str(arm.requests)
        case ArmColumn.STATE:
            return arm_state_text(arm.state)


class ArmTableView(RowTable):
    """Bars longer than the line of the speed without drafting are gains."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._table = ArmTable(self)
        self.setObjectName("adviceArms")
        self.setAccessibleName(self.tr("Measured settings"))
        self.setModel(self._table)
        self.setFont(type_font(figures=True))
        metrics = self.fontMetrics()
        set_up_rows(self, metrics.height() + 6)
        self.setItemDelegateForColumn(ArmColumn.SPEED, _Bars(self._table, self))
        self.setHorizontalScrollMode(RowTable.ScrollMode.ScrollPerPixel)
        self.setMinimumHeight(_LINES * (metrics.height() + 6))
        header = self.horizontalHeader()
        header.show()
        header.setSectionsClickable(False)
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(ArmColumn.SPEED, QHeaderView.ResizeMode.Interactive)
        header.setMinimumSectionSize(metrics.averageCharWidth() * 4)

    def show_arms(self, arms: Sequence[Arm]) -> None:
        self._table.show_arms(arms)
        self._widen_bars()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._widen_bars()

    def _widen_bars(self) -> None:
        """They get what the other columns leave, and never less than they need to be compared."""
        others = sum(self.columnWidth(each) for each in ArmColumn if each is not ArmColumn.SPEED)
        least = self.fontMetrics().averageCharWidth() * _BAR_CHARACTERS
        self.setColumnWidth(ArmColumn.SPEED, max(least, self.viewport().width() - others))


class _Bars(QStyledItemDelegate):
    """The speed as a bar with its figure. The line is the speed without drafting."""

    def __init__(self, table: ArmTable, parent: QWidget) -> None:
        super().__init__(parent)
        self._table = table

    @override
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        style = option.widget.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        speed, text = index.data(_SPEED_ROLE), index.data(Qt.ItemDataRole.DisplayRole)
        palette, metrics = option.palette, option.fontMetrics
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        figure_width = metrics.horizontalAdvance("00.00 × ")
        area = QRectF(option.rect).adjusted(4, 4, -4, -4)
        painter.save()
        painter.setPen(palette.color(QPalette.ColorRole.HighlightedText if is_selected else QPalette.ColorRole.Text))
        painter.drawText(area, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), text)
        bars = area.adjusted(figure_width, 2, 0, -2)
        if speed is not None and bars.width() > 0:
            self._paint_bar(painter, bars, speed, palette)
        painter.restore()

    def _paint_bar(self, painter: QPainter, area: QRectF, speed: float, palette: QPalette) -> None:
        whole = max(self._table.top, _LEAST_TOP)
        figure = Figure.GAIN if speed > 1 else Figure.LOSS if speed < 1 else Figure.MEMORY
        bar = QRectF(area.left(), area.top(), area.width() * min(speed / whole, 1.0), area.height())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(figure_colour(figure, palette))
        painter.drawRoundedRect(bar, 2, 2)
        at = area.left() + area.width() / whole
        painter.setPen(QPen(quiet_colour(palette), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(at, area.top() - 4), QPointF(at, area.bottom() + 4))
