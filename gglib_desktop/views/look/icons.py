"""Our monochrome icons, painted in the colors of the current palette, sharp at any scale."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QIconEngine, QPainter, QPalette, QPixmap, QPixmapCache
from PySide6.QtSvg import QSvgRenderer
from typing_extensions import override

from gglib_desktop.views.look.resources import resource
from gglib_desktop.views.look.theme import state_colour, state_icon

_APP_ICON = "gglib-desktop"
# QIcon deletes its engine in C++, but Python must not collect the overriding methods before that.
_engines: list[QIconEngine] = []


@cache
def icon(name: str) -> QIcon:
    """The icon ``resources/icons/<name>.svg``. It follows the palette; the same name gives the same icon."""
    return QIcon(_kept(_SvgIconEngine(name)))


@cache
def colored_state_icon(word: str) -> QIcon:
    """The icon of a state, in its color."""
    return QIcon(_kept(_SvgIconEngine(state_icon(word), word)))


def app_icon() -> QIcon:
    """The program's own icon, in full color."""
    return icon(_APP_ICON)


def paint_icon(painter: QPainter, rect: QRect, name: str, colour: QColor) -> None:
    """Paints an icon in one color, as large as ``rect`` allows, in its middle; for delegates and badges."""
    side = min(rect.width(), rect.height())
    if side <= 0:
        return
    square = QRect(0, 0, side, side)
    square.moveCenter(rect.center())
    scale = painter.deviceTransform().m11() or 1.0
    painter.drawPixmap(square, _pixmap(name, QSize(side, side) * scale, colour))


class _SvgIconEngine(QIconEngine):
    """Reads the palette whenever it paints, so that a change of theme needs no new icons."""

    def __init__(self, name: str, state_word: str = "") -> None:
        super().__init__()
        self._name = name
        self._state_word = state_word

    @override
    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        paint_icon(painter, rect, self._name, self._colour(mode))

    # This size is in device pixels. Not scaledPixmap: its size changed from device to logical pixels within Qt 6.
    @override
    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return _pixmap(self._name, size, self._colour(mode))

    @override
    def clone(self) -> QIconEngine:
        return _kept(_SvgIconEngine(self._name, self._state_word))

    def _colour(self, mode: QIcon.Mode) -> QColor:
        if self._state_word and mode in {QIcon.Mode.Normal, QIcon.Mode.Active}:
            return state_colour(self._state_word, QGuiApplication.palette())
        return _colour(mode)

    @override
    def iconName(self) -> str:
        return f"gglib-{self._name}"

    @override
    def key(self) -> str:
        return "gglib-svg"

    @override
    def isNull(self) -> bool:
        return False


def _kept(engine: QIconEngine) -> QIconEngine:
    _engines.append(engine)
    return engine


def _colour(mode: QIcon.Mode) -> QColor:
    palette = QGuiApplication.palette()
    if mode is QIcon.Mode.Disabled:
        return palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText)
    if mode is QIcon.Mode.Selected:
        return palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.HighlightedText)
    return palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.ButtonText)


def _pixmap(name: str, size: QSize, colour: QColor) -> QPixmap:
    """Cached in Qt's own cache, which ends with the application."""
    key = f"gglib-icon/{name}/{size.width()}x{size.height()}/{colour.name(QColor.NameFormat.HexArgb)}"
    pixmap = QPixmap()
    if not QPixmapCache.find(key, pixmap):
        pixmap = _rendered(name, size, colour)
        QPixmapCache.insert(key, pixmap)
    return pixmap


def _rendered(name: str, size: QSize, colour: QColor) -> QPixmap:
    pixmap = QPixmap(size)
    pixmap.fill(Qt.GlobalColor.transparent)
    if pixmap.isNull():
        return pixmap
    painter = QPainter(pixmap)
    painter.setOpacity(colour.alphaF())
    side = min(size.width(), size.height())
    square = QRectF((size.width() - side) / 2, (size.height() - side) / 2, side, side)
    QSvgRenderer(QByteArray(_source(name).replace(b"currentColor", colour.name().encode()))).render(painter, square)
    painter.end()
    return pixmap


@cache
def _source(name: str) -> bytes:
    return resource(f"icons/{name}.svg")
