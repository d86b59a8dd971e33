"""The main window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QSettings, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QHideEvent,
    QKeyEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QMainWindow,
    QPushButton,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from gglib_desktop.domain.documents.settings import OnQuit
from gglib_desktop.domain.engine.capabilities import EngineSource
from gglib_desktop.viewmodels.engine import EngineState
from gglib_desktop.viewmodels.window import WindowViewModel
from gglib_desktop.views.look.actions import make_menus
from gglib_desktop.views.look.icons import app_icon
from gglib_desktop.views.models.commands import ModelCommands
from gglib_desktop.views.models.list_view import ModelListView
from gglib_desktop.views.servers.commands import ServerCommands
from gglib_desktop.views.servers.copy_for import CopyForMenu
from gglib_desktop.views.servers.foreign.view import ForeignView
from gglib_desktop.views.servers.list_view import ServerListView
from gglib_desktop.views.widgets.ask import ask
from gglib_desktop.views.widgets.focus_frame import keep_focus_visible
from gglib_desktop.views.widgets.layout.room import resize_within_screen
from gglib_desktop.views.window.banner import Banner
from gglib_desktop.views.window.commands import WindowCommands
from gglib_desktop.views.window.notices import Notices
from gglib_desktop.views.window.top_bar import TopBar

_SIZE = QSize(1100, 720)


class MainWindow(QMainWindow):
    """Models on the left, servers on the right. Closing only asks: the program decides what that means."""

    closeRequested = Signal()

    def __init__(self, parts: WindowViewModel, geometry: QSettings, data_dir: Path) -> None:
        super().__init__()
        self._parts = parts
        self._geometry = geometry
        self._may_close = False
        self.setObjectName("mainWindow")
        self.setWindowTitle("GGLib Desktop")
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        # Made in the order in which Tab goes through them.
        self._bar = TopBar(parts.servers, parts.library.models, self)
        self._banner = Banner(self)
        self._models = ModelListView(parts.library, geometry, self)
        self._servers = ServerListView(parts.servers, parts.engine, parts.library.models, self)
        self._foreign = ForeignView(parts.foreign, self)
        copy_for = CopyForMenu(self._servers, self)
        actions = make_menus(self, self._models.sort_menu, self._models.filter_menu, copy_for)
        actions.connect(quit=self.closeRequested.emit, find=self._models.start_search)
        self._model_commands = ModelCommands(actions, parts.library, parts.launch, self)
        self._commands = WindowCommands(actions, parts, data_dir, self)
        ServerCommands(actions, parts.servers, self._servers)
        copy_for.follow(actions)
        Notices(parts, self._banner, self._model_commands.show_folder)
        self._assemble()
        self._connect()
        self._bar.tell_shortcuts(actions)
        keep_focus_visible()
        self._restore_geometry()

    async def confirm_quit(self, running: int) -> tuple[OnQuit | None, bool]:
        """What to do with running servers, None to stay; and whether to remember it."""
        from gglib_desktop.views.window.quit import QuitDialog

        dialog = QuitDialog(running, self._parts.servers.running_names(), self)
        await ask(dialog)
        return dialog.choice, dialog.remember

    def raise_to_front(self) -> None:
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def close_for_good(self) -> None:
        """Saves the window's place and closes it."""
        self._geometry.setValue("geometry", self.saveGeometry())
        self._geometry.setValue("splitter", self._splitter.saveState())
        self._geometry.sync()
        self._may_close = True
        self.close()

    # -- assembling

    def _assemble(self) -> None:
        self._splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.addWidget(self._models)
        self._splitter.addWidget(self._server_side())
        # What a window is made smaller by is taken from both: panels have more to say than the list.
        self._splitter.setStretchFactor(0, 1)
        self._splitter.setStretchFactor(1, 3)
        self._splitter.setSizes([320, 780])
        self._models.setMinimumWidth(200)
        self._servers.setMinimumWidth(460)
        content = QWidget(self)
        layout = QVBoxLayout(content)
        layout.addWidget(self._bar)
        layout.addWidget(self._banner)
        layout.addWidget(self._splitter, 1)
        self.setCentralWidget(content)

    def _server_side(self) -> QWidget:
        side = QWidget(self)
        layout = QVBoxLayout(side)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._servers, 1)
        layout.addWidget(self._foreign)
        return side

    def _connect(self) -> None:
        parts, models, commands = self._parts, self._model_commands, self._commands
        parts.failed.connect(self._banner.show_error)
        parts.questions.currentChanged.connect(self._on_first_question)
        self._servers.tabsArranged.connect(self._foreign.tab_after)
        parts.settings.newsTold.connect(self._banner.show_settings_news)
        models.noticed.connect(self._banner.show_notice)
        commands.noticed.connect(self._banner.show_text)
        self._bar.add.clicked.connect(commands.add_models)
        self._bar.start.clicked.connect(models.start)
        self._bar.start_another.clicked.connect(models.start_another)
        self._bar.start_with.clicked.connect(models.start_with)
        self._bar.settings.clicked.connect(commands.settings)
        self._models.startRequested.connect(models.start)
        self._models.menuRequested.connect(models.show_menu)
        self._servers.settingsRequested.connect(commands.settings)
        self._servers.measureRequested.connect(models.measure_model)
        parts.engine.stateChanged.connect(self._show_simulation)

    @Slot(object)
    def _show_simulation(self, state: EngineState) -> None:
        """Says for as long as the window lives that nothing here is real; there is no way back from it."""
        is_simulated = state.engine is not None and state.engine.source is EngineSource.MOCK
        self._model_commands.offer_routers(not is_simulated)
        self._model_commands.offer_measuring(not is_simulated)
        if is_simulated and self.menuBar().cornerWidget() is None:
            sign = QLabel(self.tr("Simulated: no model really runs"), self.menuBar())
            sign.setObjectName("simulated")
            sign.setContentsMargins(0, 0, 12, 0)
            self.menuBar().setCornerWidget(sign)
            sign.show()

    @Slot()
    def _on_first_question(self) -> None:
        from gglib_desktop.views.window.ssh_dialogs import SshDialogs

        self._parts.questions.currentChanged.disconnect(self._on_first_question)
        SshDialogs(self._parts.questions, self, self._parts.run)

    def _restore_geometry(self) -> None:
        resize_within_screen(self, _SIZE)
        geometry, splitter = self._geometry.value("geometry"), self._geometry.value("splitter")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)
        if isinstance(splitter, QByteArray):
            self._splitter.restoreState(splitter)

    # -- window events

    @override
    def closeEvent(self, event: QCloseEvent) -> None:
        if self._may_close:
            event.accept()
        else:
            event.ignore()
            self.closeRequested.emit()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._parts.set_visible(True)

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._parts.set_visible(False)

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self._parts.set_visible(not self.isMinimized())

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._foreign.fit_into(self.height())

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses the button that has the keyboard, as it does in dialogs."""
        button = QApplication.focusWidget()
        enter = event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and not event.isAutoRepeat()
        if enter and isinstance(button, QPushButton | QToolButton) and self.isAncestorOf(button):
            button.click()
        else:
            super().keyPressEvent(event)

    @override
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    @override
    def dropEvent(self, event: QDropEvent) -> None:
        self._parts.library.add([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])
        event.acceptProposedAction()
