"""The place of a page behind its tab, and the window of its own that it can be moved to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget
from typing_extensions import override

from gglib_desktop.viewmodels.servers.panel import PanelViewModel
from gglib_desktop.viewmodels.servers.server import ServerPanelState
from gglib_desktop.views.look.card import HALF_GRID
from gglib_desktop.views.servers.page import Page
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.widgets.layout.flow_row import FlowRow

PageMaker: TypeAlias = Callable[[PanelViewModel, QWidget], Page]
_LEAST_LINES = 4
_LEAST_WINDOW = QSize(640, 480)


class Holder(QScrollArea):
    """The place of a page, which may not have been made yet, or be in a window of its own."""

    moved = Signal()  # into a window, or back

    def __init__(self, make: PageMaker, parent: QWidget) -> None:
        super().__init__(parent)
        self.make = make
        self.page: Page | None = None
        self._window: _PageWindow | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(self.fontMetrics().lineSpacing() * _LEAST_LINES)

    @property
    def is_detached(self) -> bool:
        return self._window is not None

    def detach(self, server: PanelViewModel, title: str) -> None:
        """Moves the page into a window with this title behind the server's. The page comes back when that is closed."""
        page = self.takeWidget()
        assert isinstance(page, Page)
        assert page is self.page
        self._window = _PageWindow(server, page, title, self)
        self._window.closed.connect(self._put_back)
        self.setWidget(_Away(self._window, self))
        self._window.show()
        self._window.activateWindow()
        page.take_focus()
        self.moved.emit()

    def show_window(self) -> None:
        """Brings the page's window to the front."""
        if self._window is not None:
            self._window.come()

    @Slot()
    def _put_back(self) -> None:
        window, self._window = self._window, None
        assert window is not None
        assert self.page is not None
        # Not at once, as by setWidget(): its button may have been what closed the window.
        self.takeWidget().deleteLater()
        self.setWidget(self.page)
        window.deleteLater()
        self.page.show()
        if self.page.isVisible():
            self.page.take_focus()
        self.moved.emit()


class _PageWindow(QWidget):
    """Hears of the server also while its panel is folded."""

    closed = Signal()

    def __init__(self, server: PanelViewModel, page: Page, title: str, parent: QWidget) -> None:
        # With a parent, so that it ends with the panel.
        super().__init__(parent, Qt.WindowType.Window)
        self._page, self._title = page, title
        self.setObjectName("pageWindow")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(HALF_GRID, HALF_GRID, HALF_GRID, HALF_GRID)
        layout.addWidget(page)
        self.resize(page.size().expandedTo(_LEAST_WINDOW))
        page.show()
        close = QShortcut(QKeySequence.StandardKey.Close, self)
        close.activated.connect(self.close)
        server.stateChanged.connect(self._render)
        self._render(server.state)
        # Not above the main window for ever, as a dialog is. Not winId(): it makes all parents windows of the system.
        self.create()
        self.windowHandle().setTransientParent(None)  # type: ignore[arg-type]  # the stubs forget the null pointer

    def come(self) -> None:
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    @Slot(object)
    def _render(self, state: ServerPanelState) -> None:
        self.setWindowTitle(f"{state.title} – {self._title}")
        self._page.show_state(state)

    @override
    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.closed.emit()


class _Away(QWidget):
    """What stands in the place of a page that is in a window of its own."""

    def __init__(self, window: _PageWindow, parent: QWidget) -> None:
        super().__init__(parent)
        text = WrapLabel(self.tr("This page is in a window of its own."), self)
        show = push_button("showPageWindow", self.tr("Show window"), self)
        back = push_button("putPageBack", self.tr("Put back"), self)
        layout = QVBoxLayout(self)
        layout.addWidget(text)
        layout.addWidget(FlowRow((show, back), self))
        layout.addStretch()
        show.clicked.connect(window.come)
        back.clicked.connect(window.close)
        self.setFocusProxy(show)
