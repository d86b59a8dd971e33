"""Qt's Fusion style with flat controls whose borders stand out from what is around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias, cast

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPalette, QPen
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QPlainTextEdit,
    QProxyStyle,
    QStyle,
    QStyleOption,
    QStyleOptionButton,
    QStyleOptionComboBox,
    QStyleOptionComplex,
    QStyleOptionFrame,
    QStyleOptionSpinBox,
    QStyleOptionTab,
    QTextEdit,
    QWidget,
)
from typing_extensions import override

from gglib_desktop.views.look.contrast import mixed
from gglib_desktop.views.look.theme import border_colour, focus_colour, hairline_colour

_CORNER = 4.0
_BOX_CORNER = 3.0
# A round line one pixel wide is nowhere as dark as its color.
_BOX_LINE = 1.4
_FOCUS_WIDTH = 2.0
_TAB_LINE = 3
_HOVER_SHARE, _PRESSED_SHARE, _DISABLED_SHARE = 0.06, 0.16, 0.55
_MOST_PALETTES = 64
# As numbers: of Qt's flags, one combination takes as long as drawing a line.
_STATE = QStyle.StateFlag
_ENABLED, _FOCUS, _BY_KEY = (
    flag.value for flag in (_STATE.State_Enabled, _STATE.State_HasFocus, _STATE.State_KeyboardFocusChange)
)
_PRESSED, _HOVER, _ON, _UNSURE = (
    flag.value for flag in (_STATE.State_Sunken, _STATE.State_MouseOver, _STATE.State_On, _STATE.State_NoChange)
)
_SELECTED, _RAISED_LATE = _STATE.State_Selected.value, _STATE.State_AutoRaise.value
_FLAT, _DEFAULT = (
    feature.value for feature in (QStyleOptionButton.ButtonFeature.Flat, QStyleOptionButton.ButtonFeature.DefaultButton)
)
_SPIN_BOX, _COMBO_BOX = QStyle.ComplexControl.CC_SpinBox, QStyle.ComplexControl.CC_ComboBox
_UP, _DOWN, _LIST = (
    QStyle.SubControl.SC_SpinBoxUp,
    QStyle.SubControl.SC_SpinBoxDown,
    QStyle.SubControl.SC_ComboBoxArrow,
)
_ANTIALIASED = QPainter.RenderHint.Antialiasing


class _Inks(NamedTuple):
    """The colors of a control in one palette, enabled or disabled."""

    border: QColor
    hairline: QColor
    focus: QColor
    button: QColor
    text: QColor
    field: QColor
    accent: QColor
    on_accent: QColor

    @classmethod
    def of(cls, palette: QPalette, *, enabled: bool) -> _Inks:
        group = QPalette.ColorGroup.Active if enabled else QPalette.ColorGroup.Disabled
        border, window = border_colour(palette), palette.color(group, QPalette.ColorRole.Window)
        return cls(
            border if enabled else mixed(border, window, _DISABLED_SHARE),
            hairline_colour(palette),
            focus_colour(palette),
            palette.color(group, QPalette.ColorRole.Button),
            palette.color(group, QPalette.ColorRole.ButtonText),
            palette.color(group, QPalette.ColorRole.Base) if enabled else window,
            palette.color(group, QPalette.ColorRole.Highlight),
            palette.color(group, QPalette.ColorRole.HighlightedText),
        )


_Paint: TypeAlias = Callable[[QStyleOption, QPainter, _Inks], bool]


class LookStyle(QProxyStyle):
    """Draws what a control is recognized by; sizes and everything else are Fusion's.

    Each method that is overridden costs every widget some microseconds whenever it is asked for, so few are.
    """

    def __init__(self) -> None:
        super().__init__("Fusion")
        self._paints: dict[QStyle.PrimitiveElement, _Paint] = {
            QStyle.PrimitiveElement.PE_PanelButtonCommand: _paint_button,
            QStyle.PrimitiveElement.PE_PanelButtonTool: _paint_tool_button,
            QStyle.PrimitiveElement.PE_PanelLineEdit: _paint_field,
            QStyle.PrimitiveElement.PE_IndicatorCheckBox: _paint_check_box,
            QStyle.PrimitiveElement.PE_IndicatorRadioButton: _paint_radio_button,
            QStyle.PrimitiveElement.PE_Frame: _paint_frame,
            QStyle.PrimitiveElement.PE_FrameTabWidget: _paint_page_edge,
            QStyle.PrimitiveElement.PE_FrameTabBarBase: _paint_page_edge,
        }
        self._inks: dict[tuple[int, bool], _Inks] = {}

    @override
    def drawPrimitive(
        self,
        element: QStyle.PrimitiveElement,
        option: QStyleOption,
        painter: QPainter,
        widget: QWidget | None = None,
    ) -> None:
        paint = self._paints.get(element)
        if paint is _paint_frame and isinstance(widget, QPlainTextEdit | QTextEdit):
            paint = _paint_editor_frame
        if paint is None:
            super().drawPrimitive(element, option, painter, widget)
            return
        painter.save()
        painter.setRenderHint(_ANTIALIASED)
        drawn = paint(option, painter, self._inks_of(option))
        painter.restore()
        if not drawn:
            super().drawPrimitive(element, option, painter, widget)

    @override
    def drawComplexControl(
        self,
        control: QStyle.ComplexControl,
        option: QStyleOptionComplex,
        painter: QPainter,
        widget: QWidget | None = None,
    ) -> None:
        def place(part: QStyle.SubControl) -> QRect:
            # The stub forbids None, Qt does not.
            return self.subControlRect(control, option, part, cast(QWidget, widget))

        painter.save()
        painter.setRenderHint(_ANTIALIASED)
        drawn = True
        if control == _SPIN_BOX and isinstance(option, QStyleOptionSpinBox) and option.frame:
            _paint_spin_box(option, painter, self._inks_of(option), place(_UP), place(_DOWN))
        elif control == _COMBO_BOX and isinstance(option, QStyleOptionComboBox) and not option.editable:
            _paint_combo_box(option, painter, self._inks_of(option), place(_LIST))
        else:
            drawn = False
        painter.restore()
        if not drawn:
            super().drawComplexControl(control, option, painter, widget)

    def _inks_of(self, option: QStyleOption) -> _Inks:
        enabled = bool(option.state.value & _ENABLED)
        key = option.palette.cacheKey(), enabled
        if key not in self._inks:
            if len(self._inks) >= _MOST_PALETTES:
                self._inks.clear()
            self._inks[key] = _Inks.of(option.palette, enabled=enabled)
        return self._inks[key]


def _paint_button(option: QStyleOption, painter: QPainter, inks: _Inks) -> bool:
    state = option.state.value
    if not isinstance(option, QStyleOptionButton):
        return False
    features = option.features.value
    if features & _FLAT and not state & (_PRESSED | _HOVER | _ON | _FOCUS):
        return True
    is_default = bool(features & _DEFAULT) and bool(state & _ENABLED)
    _paint_panel(painter, option, _pressable(option, inks), inks, accented=is_default)
    return True


def _paint_tool_button(option: QStyleOption, painter: QPainter, inks: _Inks) -> bool:
    state = option.state.value
    if not state & _RAISED_LATE or state & (_PRESSED | _HOVER | _ON | _FOCUS):
        _paint_panel(painter, option, _pressable(option, inks), inks)
    return True


def _paint_field(option: QStyleOption, painter: QPainter, inks: _Inks) -> bool:
    if not isinstance(option, QStyleOptionFrame) or option.lineWidth <= 0:
        # The field of a spin box, which has drawn the panel.
        return isinstance(option, QStyleOptionFrame)
    _paint_panel(painter, option, inks.field, inks, is_field=True)
    return True


def _paint_panel(
    painter: QPainter,
    option: QStyleOption,
    fill: QColor,
    inks: _Inks,
    *,
    is_field: bool = False,
    accented: bool = False,
) -> None:
    """A field shows the focus at any time, a button only to those who use the keyboard."""
    state = option.state.value
    focused = bool(state & _FOCUS) and (is_field or bool(state & _BY_KEY))
    width = _FOCUS_WIDTH if focused else 1.0
    inset = width / 2
    painter.setPen(QPen(inks.focus if focused or accented else inks.border, width))
    painter.setBrush(fill)
    painter.drawRoundedRect(QRectF(option.rect).adjusted(inset, inset, -inset, -inset), _CORNER, _CORNER)


def _pressable(option: QStyleOption, inks: _Inks) -> QColor:
    """The face of something that can be pressed."""
    state = option.state.value
    if state & (_PRESSED | _ON):
        return mixed(inks.button, inks.text, _PRESSED_SHARE)
    if state & _HOVER and state & _ENABLED:
        return mixed(inks.button, inks.text, _HOVER_SHARE)
    return inks.button


def _box(option: QStyleOption) -> QRectF:
    """The largest square in the middle, with room for half a line around it."""
    side = min(option.rect.width(), option.rect.height()) - 1
    square = QRectF(0, 0, side, side)
    square.moveCenter(QRectF(option.rect).center())
    return square


def _prepare_box(painter: QPainter, option: QStyleOption, inks: _Inks) -> None:
    state = option.state.value
    is_set = bool(state & (_ON | _UNSURE))
    focused = bool(state & _FOCUS) and bool(state & _BY_KEY)
    line = inks.focus if focused else inks.accent if is_set else inks.border
    painter.setPen(QPen(line, _FOCUS_WIDTH if focused else _BOX_LINE))
    fill = inks.accent if is_set else inks.field
    painter.setBrush(mixed(fill, inks.text, _PRESSED_SHARE) if state & _PRESSED else fill)


def _paint_check_box(option: QStyleOption, painter: QPainter, inks: _Inks) -> bool:
    state = option.state.value
    box = _box(option)
    _prepare_box(painter, option, inks)
    painter.drawRoundedRect(box, _BOX_CORNER, _BOX_CORNER)
    painter.setPen(QPen(inks.on_accent, box.width() / 7, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.setBrush(Qt.BrushStyle.NoBrush)

    def at(x: float, y: float) -> QPointF:
        return QPointF(box.left() + x * box.width(), box.top() + y * box.height())

    if state & _UNSURE:
        painter.drawLine(at(0.27, 0.5), at(0.73, 0.5))
    elif state & _ON:
        painter.drawPolyline([at(0.24, 0.53), at(0.43, 0.72), at(0.77, 0.32)])
    return True


def _paint_radio_button(option: QStyleOption, painter: QPainter, inks: _Inks) -> bool:
    state = option.state.value
    circle = _box(option)
    _prepare_box(painter, option, inks)
    painter.drawEllipse(circle)
    if state & _ON:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(inks.on_accent)
        painter.drawEllipse(circle.center(), circle.width() / 4.5, circle.height() / 4.5)
    return True


def _paint_frame(option: QStyleOption, painter: QPainter, inks: _Inks) -> bool:
    """Around lists and what else only has to be divided from the rest."""
    painter.setPen(inks.hairline)
    painter.drawRect(QRectF(option.rect).adjusted(0.5, 0.5, -0.5, -0.5))
    return True


def _paint_editor_frame(option: QStyleOption, painter: QPainter, inks: _Inks) -> bool:
    """Without round corners: the text's own background would cut them off."""
    painter.setPen(inks.focus if option.state.value & _FOCUS else inks.border)
    painter.drawRect(QRectF(option.rect).adjusted(0.5, 0.5, -0.5, -0.5))
    return True


def _paint_page_edge(option: QStyleOption, painter: QPainter, inks: _Inks) -> bool:
    """A page of tabs has no frame, only a line that the tabs stand on."""
    painter.fillRect(QRect(option.rect.left(), option.rect.top(), option.rect.width(), 1), inks.hairline)
    return True


def paint_tab(option: QStyleOptionTab, painter: QPainter) -> None:
    """What is behind the text of a tab: nothing, or a line below the shown one."""
    state, area, palette = option.state.value, option.rect, option.palette
    if state & _SELECTED:
        line = QRect(area.left(), area.bottom() + 1 - _TAB_LINE, area.width(), _TAB_LINE)
        painter.fillRect(line, focus_colour(palette))
    elif state & _HOVER and state & _ENABLED:
        text = palette.color(QPalette.ColorRole.WindowText)
        painter.fillRect(area, mixed(palette.color(QPalette.ColorRole.Window), text, _HOVER_SHARE))


def _paint_spin_box(option: QStyleOptionSpinBox, painter: QPainter, inks: _Inks, up: QRect, down: QRect) -> None:
    state = option.state.value
    _paint_panel(painter, option, inks.field, inks, is_field=True)
    step = QAbstractSpinBox.StepEnabledFlag
    for place, part, wanted in ((up, _UP, step.StepUpEnabled), (down, _DOWN, step.StepDownEnabled)):
        if option.activeSubControls == part and state & (_PRESSED | _HOVER):
            painter.fillRect(place.adjusted(1, 1, -1, -1), _pressable(option, inks))
        _paint_chevron(painter, place, inks.text if option.stepEnabled & wanted else inks.border, upwards=part is _UP)


def _paint_combo_box(option: QStyleOptionComboBox, painter: QPainter, inks: _Inks, arrow: QRect) -> None:
    _paint_panel(painter, option, _pressable(option, inks), inks)
    _paint_chevron(painter, arrow, inks.text)


def _paint_chevron(painter: QPainter, place: QRect, colour: QColor, *, upwards: bool = False) -> None:
    painter.setPen(QPen(colour, 1.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    half = min(place.width(), place.height()) * 0.24
    middle = QRectF(place).center()
    rise = half / 2 if upwards else -half / 2
    left, right = (QPointF(middle.x() + side, middle.y() + rise) for side in (-half, half))
    painter.drawPolyline([left, QPointF(middle.x(), middle.y() - rise), right])
