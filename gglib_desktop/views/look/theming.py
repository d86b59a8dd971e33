"""Switches between light, dark and the system's colors."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication

from gglib_desktop.domain.documents.settings import Theme
from gglib_desktop.views.look.style import LookStyle
from gglib_desktop.views.look.theme import is_dark, mended, own_palette


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Switches to these colors at the next turn of the event loop. SYSTEM follows later changes too."""
    theming = app.findChild(_Theming)
    if theming is None:
        theming = _Theming(app)
    theming.apply(theme)


class _Theming(QObject):
    """Belongs to the application: remembers the theme, and corrects the palette if the platform did not set it."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._theme = Theme.SYSTEM
        self._correction = QTimer(self, singleShot=True, interval=0)
        self._correction.timeout.connect(self._correct)
        self._style = LookStyle()
        app.setStyle(self._style)
        app.styleHints().colorSchemeChanged.connect(self._on_system_changed)

    def apply(self, theme: Theme) -> None:
        if theme is self._theme is Theme.SYSTEM:
            # At the start: before there is a widget whose colors would have to change.
            self._correct()
            return
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
        palette = self._app.palette()
        # Many a Linux desktop gives Qt no colors: what is left then are the style's.
        is_own = palette != self._app.style().standardPalette()
        better = mended(palette) if is_own and is_dark(palette) is wants_dark else own_palette(dark=wants_dark)
        if better != palette:
            self._app.setPalette(better)
