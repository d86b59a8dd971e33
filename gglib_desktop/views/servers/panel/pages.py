"""The pages of a server's panel, behind tabs."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt, Signal, Slot
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QToolButton, QWidget
from typing_extensions import override

from gglib_desktop.viewmodels.servers.panel import PanelViewModel
from gglib_desktop.viewmodels.servers.server import ServerPanelState, ServerViewModel
from gglib_desktop.views.look.icons import icon
from gglib_desktop.views.servers.page import Page
from gglib_desktop.views.servers.panel.holder import Holder, PageMaker
from gglib_desktop.views.widgets.wheel_safe_boxes import WheelSafeTabWidget

translate = QCoreApplication.translate


# Their modules are loaded with the first one of each kind.
def _overview(server: PanelViewModel, parent: QWidget) -> Page:
    from gglib_desktop.views.servers.overview.page import OverviewPage

    return OverviewPage(server, parent)


def _models(server: PanelViewModel, parent: QWidget) -> Page:
    from gglib_desktop.views.servers.router.page import ModelsPage

    assert isinstance(server, ServerViewModel)
    assert server.routed is not None
    return ModelsPage(server.routed, parent)


def _requests(server: PanelViewModel, parent: QWidget) -> Page:
    from gglib_desktop.views.servers.requests.page import RequestsPage

    assert isinstance(server, ServerViewModel)
    assert server.requests is not None
    return RequestsPage(server.requests, parent)


def _chat(server: PanelViewModel, parent: QWidget) -> Page:
    from gglib_desktop.views.servers.chat.page import ChatPage

    return ChatPage(server, parent)


def _log(server: PanelViewModel, parent: QWidget) -> Page:
    from gglib_desktop.views.servers.log.view import LogView

    assert isinstance(server, ServerViewModel)
    return LogView(server.log, parent)


def _settings(server: PanelViewModel, parent: QWidget) -> Page:
    from gglib_desktop.views.servers.settings.page import SettingsPage

    assert isinstance(server, ServerViewModel)
    return SettingsPage(server, parent)


def _kinds(server: PanelViewModel) -> tuple[tuple[str, PageMaker], ...]:
    """The pages of a server, in the order of their tabs."""
    pages = (
        (translate("Pages", "Overview"), _overview),
        (translate("Pages", "Requests"), _requests),
        (translate("Pages", "Chat"), _chat),
        (translate("Pages", "Log"), _log),
        (translate("Pages", "Settings"), _settings),
    )
    if not isinstance(server, ServerViewModel):
        # What others run has neither a log nor settings here.
        return tuple((title, make) for title, make in pages if make in {_overview, _chat})
    if server.routed is not None:
        # Its requests and settings are those of its models.
        models = (translate("Pages", "Models"), _models)
        return (models, *(page for page in pages if page[1] not in {_requests, _settings}))
    return tuple((title, make) for title, make in pages if make is not _requests or server.requests is not None)


def _detach_text(make: PageMaker) -> str | None:
    """How the button is called that moves such a page into a window of its own; None for those that stay."""
    if make is _chat:
        return translate("Pages", "Open chat in a window")
    return translate("Pages", "Open log in a window") if make is _log else None


class Pages(WheelSafeTabWidget):
    """Makes a page when it is first shown. All get the same height; one that needs more scrolls."""

    pageShown = Signal()
    grown = Signal()  # widgets were made, which Tab is to go through before the next panel
    restartRequested = Signal()  # by a page
    measureRequested = Signal()  # by a page, too

    def __init__(self, server: PanelViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._server = server
        self._state = server.state
        self.setObjectName("pages")
        self.setDocumentMode(True)
        self._detach = QToolButton(self)
        self._detach.setObjectName("detachPage")
        self._detach.setIcon(icon("detach"))
        self._detach.setAutoRaise(True)
        self._detach.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._detach.clicked.connect(self._on_detach)
        self.setCornerWidget(self._detach)
        kinds = _kinds(server)
        self._holders = {make: Holder(make, self) for _title, make in kinds}
        for title, make in kinds:
            self.addTab(self._holders[make], title)
            self._holders[make].moved.connect(self._on_moved)
        self.currentChanged.connect(self._show_page)
        self._show_page()

    @property
    def shows_log(self) -> bool:
        return self._holder is self._holders.get(_log) and not self._holder.is_detached

    @property
    def _holder(self) -> Holder:
        """Of the current page."""
        holder = self.currentWidget()
        assert isinstance(holder, Holder)
        return holder

    @property
    def _page(self) -> Page:
        """The current page."""
        holder = self._holder
        if holder.page is None:
            holder.page = holder.make(self._server, holder)
            holder.setWidget(holder.page)
            holder.page.restartRequested.connect(self.restartRequested)
            holder.page.measureRequested.connect(self.measureRequested)
            holder.page.grown.connect(self.grown)
            self.grown.emit()
        return holder.page

    def show_log(self) -> None:
        log = self._holders[_log]
        if log.is_detached:
            log.show_window()
        else:
            self.setCurrentWidget(log)
            self._page.take_focus()

    def show_state(self, state: ServerPanelState) -> None:
        self._state = state
        if not self._holder.is_detached:
            self._page.show_state(state)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        """Paints nothing: Qt would underline the button in the corner, and no tab."""

    @Slot()
    def _show_page(self) -> None:
        self.show_state(self._state)
        text = None if self._holder.is_detached else _detach_text(self._holder.make)
        self._detach.setVisible(text is not None)
        self._detach.setAccessibleName(text or "")
        self._detach.setToolTip(text or "")
        self.pageShown.emit()

    @Slot()
    def _on_detach(self) -> None:
        self._holder.detach(self._server, self.tabText(self.currentIndex()))

    @Slot()
    def _on_moved(self) -> None:
        self._show_page()
        self.grown.emit()
