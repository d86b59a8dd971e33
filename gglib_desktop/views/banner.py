"""A line across the window for what went wrong or is worth knowing."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from gglib_desktop.domain.errors import GglibError
from gglib_desktop.domain.settings_document import SettingsNews
from gglib_desktop.views.icons import icon
from gglib_desktop.views.wording import words_for_error

_NOTICE_MS = 8000
# Long enough to notice what went, and to get to the button by keyboard.
_UNDO_MS = 30_000


class Banner(QFrame):
    """Shows one message until it is dismissed or replaced; a notice stands below it for a while and goes by itself."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setBackgroundRole(QPalette.ColorRole.AlternateBase)
        self.setAutoFillBackground(True)
        self._text = QLabel(self)
        self._text.setObjectName("bannerText")
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._undo = QPushButton(self.tr("Undo"), self)
        self._undo.setObjectName("undo")
        self._undo.clicked.connect(self._on_undo)
        close = QToolButton(self)
        close.setObjectName("closeBanner")
        close.setAccessibleName(self.tr("Close message"))
        close.setToolTip(close.accessibleName())
        close.setIcon(icon("dismiss"))
        close.setAutoRaise(True)
        close.clicked.connect(self._clear)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 4, 4, 4)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._undo, 0, Qt.AlignmentFlag.AlignBottom)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self._notice_over = QTimer(self, singleShot=True, interval=_NOTICE_MS)
        self._notice_over.timeout.connect(self._end_notice)
        self._standing = self._about_settings = self._notice = ""
        self._take_back: Callable[[], None] | None = None
        self.hide()

    def show_notice(self, text: str, undo: Callable[[], None] | None = None) -> None:
        """Shows what needs no answer, for a few seconds; a little longer what ``undo`` takes back."""
        self._notice, self._take_back = text, undo
        self._notice_over.start(_NOTICE_MS if undo is None else _UNDO_MS)
        self._render()

    def show_text(self, text: str) -> None:
        """A notice that can be taken back stays below it."""
        self._standing = text
        if self._take_back is None:
            self._notice = ""
            self._notice_over.stop()
        self._render()

    @Slot(object)
    def show_settings_news(self, news: SettingsNews) -> None:
        """Errors and unknown keys stand until they are dismissed, or mended."""
        from gglib_desktop.views.settings_words import settings_news_text  # noqa: PLC0415  # rare

        text = settings_news_text(news)
        if news.error is not None or news.unknown:
            self._about_settings = text
            self.show_text(text)
            return
        if news.mended and self._standing == self._about_settings:
            self._standing = ""
        self.show_notice(text)

    def _render(self) -> None:
        self._text.setText("\n".join(text for text in (self._standing, self._notice) if text))
        self._undo.setVisible(self._take_back is not None)
        self.setVisible(bool(self._standing or self._notice))

    @Slot()
    def _on_undo(self) -> None:
        take_back = self._take_back
        self._end_notice()
        if take_back is not None:
            take_back()

    @Slot()
    def _end_notice(self) -> None:
        self._notice, self._take_back = "", None
        self._notice_over.stop()
        self._render()

    @Slot()
    def _clear(self) -> None:
        self._standing = self._notice = ""
        self._take_back = None
        self._notice_over.stop()
        self._render()

    @Slot(object)
    def show_error(self, error: GglibError) -> None:
        words = words_for_error(error)
        self.show_text(f"{words.summary} {words.hint}".strip())
