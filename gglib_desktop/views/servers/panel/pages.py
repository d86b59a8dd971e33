"""The pages of a server's panel, behind tabs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from PySide6.QtCore import QCoreApplication, Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from gglib_desktop.viewmodels.servers.server import ServerPanelState, ServerViewModel
from gglib_desktop.views.servers.page import Page
from gglib_desktop.views.servers.panel.orders import Orders
from gglib_desktop.views.widgets.wheel_safe_boxes import WheelSafeTabWidget

translate = QCoreApplication.translate

_Maker: TypeAlias = Callable[[ServerViewModel, QWidget], Page]
_LEAST_LINES = 4


# Their modules are loaded with the first one of each kind.
def _overview(server: ServerViewModel, parent: QWidget) -> Page:
    from gglib_desktop.views.servers.overview.page import OverviewPage

    return OverviewPage(server, parent)


def _requests(server: ServerViewModel, parent: QWidget) -> Page:
    from gglib_desktop.views.servers.requests.page import RequestsPage

    assert server.requests is not None
    return RequestsPage(server.requests, parent)


def _chat(server: ServerViewModel, parent: QWidget) -> Page:
    from gglib_desktop.views.servers.chat.page import ChatPage

    return ChatPage(server, parent)


def _log(server: ServerViewModel, parent: QWidget) -> Page:
    from gglib_desktop.views.servers.log.view import LogView

    return LogView(server.log, parent)


def _settings(server: ServerViewModel, parent: QWidget) -> Page:
    from gglib_desktop.views.servers.settings.page import SettingsPage

    return SettingsPage(server, parent)


def _kinds() -> tuple[tuple[str, _Maker], ...]:
    """All pages, in the order of their tabs."""
    return (
        (translate("Pages", "Overview"), _overview),
        (translate("Pages", "Requests"), _requests),
        (translate("Pages", "Chat"), _chat),
        (translate("Pages", "Log"), _log),
        (translate("Pages", "Settings"), _settings),
    )


class Pages(WheelSafeTabWidget):
    """Makes a page when it is first shown. All get the same height; one that needs more scrolls."""

    pageShown = Signal()
    grown = Signal()  # widgets were made, which Tab is to go through before the next panel

    def __init__(self, server: ServerViewModel, orders: Orders, parent: QWidget) -> None:
        super().__init__(parent)
        self._server, self._orders = server, orders
        self._state = server.state
        self.setObjectName("pages")
        self.setDocumentMode(True)
        kinds = [(title, make) for title, make in _kinds() if make is not _requests or server.requests is not None]
        self._holders = {make: _Holder(make, self) for _title, make in kinds}
        for title, make in kinds:
            self.addTab(self._holders[make], title)
        self.currentChanged.connect(self._show_page)
        self._show_page()

    @property
    def shows_log(self) -> bool:
        return self.currentWidget() is self._holders[_log]

    @property
    def _page(self) -> Page:
        """The current page."""
        holder = self.currentWidget()
        assert isinstance(holder, _Holder)
        if holder.page is None:
            holder.page = holder.make(self._server, holder)
            holder.setWidget(holder.page)
            holder.page.restartRequested.connect(self._orders.restart)
            holder.page.grown.connect(self.grown)
            self.grown.emit()
        return holder.page

    def show_log(self) -> None:
        self.setCurrentWidget(self._holders[_log])
        self._page.setFocus()

    def show_state(self, state: ServerPanelState) -> None:
        self._state = state
        self._page.show_state(state)

    @Slot()
    def _show_page(self) -> None:
        self._page.show_state(self._state)
        self.pageShown.emit()


class _Holder(QScrollArea):
    """The place of a page, which may not have been made yet."""

    def __init__(self, make: _Maker, parent: QWidget) -> None:
        super().__init__(parent)
        self.make = make
        self.page: Page | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(self.fontMetrics().lineSpacing() * _LEAST_LINES)
