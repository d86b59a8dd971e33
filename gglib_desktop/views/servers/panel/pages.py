"""The pages of a server's panel, behind tabs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from PySide6.QtCore import QCoreApplication, Signal, Slot
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from gglib_desktop.domain.servers.states import Loading, Unresponsive
from gglib_desktop.viewmodels.servers.server import ServerPanelState, ServerViewModel
from gglib_desktop.views.servers.panel.page import Page
from gglib_desktop.views.widgets.tab_order import tab_after
from gglib_desktop.views.widgets.wheel_safe_boxes import WheelSafeTabWidget

translate = QCoreApplication.translate

_Maker: TypeAlias = Callable[[ServerViewModel, QWidget], Page]


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


def _kinds() -> tuple[tuple[str, _Maker], ...]:
    """All pages, in the order of their tabs."""
    return (
        (translate("Pages", "Overview"), _overview),
        (translate("Pages", "Requests"), _requests),
        (translate("Pages", "Chat"), _chat),
        (translate("Pages", "Log"), _log),
    )


class Pages(WheelSafeTabWidget):
    """Makes a page when it is first shown. Also shows how busy the server is, beside the tabs."""

    pageShown = Signal()

    def __init__(self, server: ServerViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._server = server
        self._state = server.state
        self.setObjectName("pages")
        self.setDocumentMode(True)
        self._activity = QLabel(self)
        self._activity.setObjectName("activity")
        self._activity.setContentsMargins(0, 0, 0, 6)
        self.setCornerWidget(self._activity)
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
            holder.fill(self._server)
            tab_after(self.tabBar(), holder)
        assert holder.page is not None
        return holder.page

    def show_log(self) -> None:
        self.setCurrentWidget(self._holders[_log])
        self._page.setFocus()

    def show_state(self, state: ServerPanelState) -> None:
        self._state = state
        self._activity.setText(self._activity_text(state))
        self._activity.setAccessibleName(self._activity.text())
        self._page.show_state(state)

    def _activity_text(self, state: ServerPanelState) -> str:
        if state.handle is None or isinstance(state.state, Loading):
            return self.tr("Activity: none")
        if state.slots is None or state.busy_slots is None or isinstance(state.state, Unresponsive):
            return self.tr("Activity: unknown")
        return self.tr("Activity: {busy} of {all} slots").format(busy=state.busy_slots, all=state.slots)

    @Slot()
    def _show_page(self) -> None:
        """Takes the height of the visible page, not of the tallest one."""
        self._page.show_state(self._state)
        for holder in self._holders.values():
            is_shown = holder is self.currentWidget()
            policy = QSizePolicy.Policy.Preferred if is_shown else QSizePolicy.Policy.Ignored
            holder.setSizePolicy(policy, policy)
        self.pageShown.emit()


class _Holder(QWidget):
    """The place of a page, which may not have been made yet."""

    def __init__(self, make: _Maker, parent: QWidget) -> None:
        super().__init__(parent)
        self._make = make
        self.page: Page | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)

    def fill(self, server: ServerViewModel) -> None:
        self.page = self._make(server, self)
        self._layout.addWidget(self.page)
