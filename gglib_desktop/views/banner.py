"""A line across the window for what went wrong or is worth knowing."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from gglib_desktop.domain.errors import GglibError
from gglib_desktop.views.icons import icon
from gglib_desktop.views.wording import words_for_error

_NOTICE_MS = 8000


class Banner(QFrame):
    """Shows one message until it is dismissed or replaced; a notice goes by itself."""

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
        close = QToolButton(self)
        close.setObjectName("closeBanner")
        close.setAccessibleName(self.tr("Close message"))
        close.setToolTip(close.accessibleName())
        close.setIcon(icon("dismiss"))
        close.setAutoRaise(True)
        close.clicked.connect(self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 4, 4, 4)
        layout.addWidget(self._text, 1)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self._notice_over = QTimer(self, singleShot=True, interval=_NOTICE_MS)
        self._notice_over.timeout.connect(self.hide)
        self.hide()

    def show_notice(self, text: str) -> None:
        """Shows what needs no answer, for a few seconds."""
        self.show_text(text)
        self._notice_over.start()

    def show_text(self, text: str) -> None:
        self._notice_over.stop()
        self._text.setText(text)
        self.show()

    @Slot(object)
    def show_error(self, error: GglibError) -> None:
        words = words_for_error(error)
        self.show_text(f"{words.summary} {words.hint}".strip())
