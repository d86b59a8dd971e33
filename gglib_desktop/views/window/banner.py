"""A line across the window for problems and news."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from gglib_desktop.domain.documents.settings_document import SettingsNews
from gglib_desktop.domain.errors import GglibError
from gglib_desktop.views.look.icons import icon
from gglib_desktop.views.words.errors import words_for_error
from gglib_desktop.views.words.settings import settings_news_text

_NOTICE_MS = 8000
# Long enough to notice what is gone, and to reach the button by keyboard.
_OFFER_MS = 30_000


class Banner(QFrame):
    """Shows one message until it is dismissed or replaced. A notice below it disappears after a while."""

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
        self._buttons = {
            name: self._button(name, text)
            for name, text in (
                ("undo", self.tr("Undo")),
                ("showBroken", self.tr("Show in folder")),
                ("removeBroken", self.tr("Remove from list")),
            )
        }
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
        for button in self._buttons.values():
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignBottom)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self._notice_over = QTimer(self, singleShot=True, interval=_NOTICE_MS)
        self._notice_over.timeout.connect(self._end_notice)
        self._standing = self._about_settings = self._notice = ""
        self._offers: Mapping[str, Callable[[], None]] = {}
        self.hide()

    def _button(self, name: str, text: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.clicked.connect(self._on_offer)
        return button

    def show_notice(self, text: str, **offers: Callable[[], None]) -> None:
        """Shows a text for a few seconds, or a little longer with ``offers``: the names of buttons and their actions.

        The buttons are ``undo``, ``showBroken`` and ``removeBroken``.
        """
        self._notice, self._offers = text, offers
        self._notice_over.start(_OFFER_MS if offers else _NOTICE_MS)
        self._render()

    def show_text(self, text: str) -> None:
        """A notice with offers stays below it."""
        self._standing = text
        if not self._offers:
            self._notice = ""
            self._notice_over.stop()
        self._render()

    @Slot(object)
    def show_settings_news(self, news: SettingsNews) -> None:
        """Errors and unknown keys stay until they are dismissed, or mended."""
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
        for name, button in self._buttons.items():
            button.setVisible(name in self._offers)
        self.setVisible(bool(self._standing or self._notice))

    @Slot()
    def _on_offer(self) -> None:
        act = self._offers.get(self.sender().objectName())
        self._end_notice()
        if act is not None:
            act()

    @Slot()
    def _end_notice(self) -> None:
        self._notice, self._offers = "", {}
        self._notice_over.stop()
        self._render()

    @Slot()
    def _clear(self) -> None:
        self._standing = self._notice = ""
        self._offers = {}
        self._notice_over.stop()
        self._render()

    @Slot(object)
    def show_error(self, error: GglibError) -> None:
        self.show_text(words_for_error(error).text)
