"""The main window."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QSettings, QSize, Qt, QUrl, Signal, Slot
from PySide6.QtGui import (
    QCloseEvent,
    QDesktopServices,
    QDragEnterEvent,
    QDropEvent,
    QHideEvent,
    QKeyEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QPushButton,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from gglib_desktop import __version__
from gglib_desktop.domain.documents.settings import OnQuit
from gglib_desktop.domain.errors import InvalidModelFile
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.models.scan import ScanProgress
from gglib_desktop.domain.units import size_text
from gglib_desktop.viewmodels.servers.servers import ServerTotals
from gglib_desktop.viewmodels.window import WindowViewModel
from gglib_desktop.views.look.actions import make_menus
from gglib_desktop.views.look.folders import home_folder
from gglib_desktop.views.look.icons import app_icon, icon
from gglib_desktop.views.models.commands import ModelCommands
from gglib_desktop.views.models.list_view import ModelListView
from gglib_desktop.views.servers.commands import ServerCommands
from gglib_desktop.views.servers.foreign.view import ForeignView
from gglib_desktop.views.servers.list_view import ServerListView
from gglib_desktop.views.widgets.ask import ask
from gglib_desktop.views.widgets.focus_frame import keep_focus_visible
from gglib_desktop.views.widgets.layout.room import resize_within_screen
from gglib_desktop.views.window.banner import Banner
from gglib_desktop.views.words.errors import words_for_error

_SIZE = QSize(1100, 720)


class MainWindow(QMainWindow):
    """Models on the left, servers on the right. Closing only asks: the program decides what that means."""

    closeRequested = Signal()

    def __init__(self, parts: WindowViewModel, geometry: QSettings, data_dir: Path) -> None:
        super().__init__()
        self._parts = parts
        self._geometry = geometry
        self._data_dir = data_dir
        self._may_close = False
        self.setObjectName("mainWindow")
        self.setWindowTitle("GGLib Desktop")
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        # Made in the order in which Tab goes through them.
        self._add = self._button("addModels", self.tr("Add models"), "add")
        self._start = self._button("start", self.tr("Start"), "start")
        self._start_with = self._button("startWith", self.tr("Start with…"), "start-with")
        self._open_settings = self._button("settings", self.tr("Settings"), "settings")
        self._banner = Banner(self)
        self._models = ModelListView(parts.library, geometry, self)
        self._servers = ServerListView(parts.servers, parts.engine, parts.library.models, self)
        self._foreign = ForeignView(parts.foreign, self)
        self._summary = QLabel(self)
        self._summary.setObjectName("summary")
        self._actions = make_menus(self, self._models.sort_menu, self._models.filter_menu)
        self._model_commands = ModelCommands(self._actions, parts.library, parts.launch, self)
        self._commands = ServerCommands(self._actions, parts.servers, parts.library.models, self._servers)
        self._assemble()
        self._connect()
        keep_focus_visible()
        self._restore_geometry()
        self._render(parts.servers.totals)
        self._render_selection()
        self._on_scan(parts.library.models.scan)

    async def confirm_quit(self, running: int) -> tuple[OnQuit | None, bool]:
        """What to do with running servers, None to stay; and whether to remember it."""
        from gglib_desktop.views.window.quit import QuitDialog

        dialog = QuitDialog(running, self)
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

    def _button(self, name: str, text: str, icon_name: str) -> QPushButton:
        button = QPushButton(icon(icon_name), text, self)
        button.setObjectName(f"{name}Button")
        return button

    def _assemble(self) -> None:
        bar = QHBoxLayout()
        bar.addWidget(self._add)
        bar.addWidget(self._start)
        bar.addWidget(self._start_with)
        bar.addStretch()
        bar.addWidget(self._summary)
        bar.addStretch()
        bar.addWidget(self._open_settings)
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
        layout.addLayout(bar)
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
        parts, models = self._parts, self._model_commands
        parts.servers.totalsChanged.connect(self._render)
        parts.library.models.selectionChanged.connect(self._render_selection)
        self._add.clicked.connect(self._on_add_models)
        self._start.clicked.connect(models.start)
        self._start_with.clicked.connect(models.start_with)
        self._open_settings.clicked.connect(self._on_settings)
        parts.library.models.scanChanged.connect(self._on_scan)
        parts.failed.connect(self._banner.show_error)
        parts.settings.newsTold.connect(self._banner.show_settings_news)
        parts.servers.reconnected.connect(self._on_adopted)
        parts.library.added.connect(self._on_models_added)
        parts.library.scanned.connect(self._on_scanned)
        parts.library.removed.connect(self._on_removed)
        parts.launch.refused.connect(self._on_start_refused)
        parts.servers.added.connect(self._foreign.go_last)
        parts.foreign.noneFound.connect(self._on_none_found)
        self._models.startRequested.connect(models.start)
        self._models.menuRequested.connect(models.show_menu)
        models.noticed.connect(self._banner.show_notice)
        self._servers.settingsRequested.connect(self._on_settings)
        self._actions.connect(
            add_models=self._on_add_models,
            add_folder=self._on_add_folder,
            scan=parts.library.scan_again,
            stop_scan=parts.library.stop_scan,
            create_demo=parts.library.create_demo.trigger,
            details=models.details,
            tags=models.tags,
            show_in_folder=models.show_in_folder,
            copy_path=models.copy_path,
            remove_model=models.remove,
            settings=self._on_settings,
            edit_settings=self._on_edit_settings,
            quit=self.closeRequested.emit,
            start=models.start,
            start_with=models.start_with,
            start_another=models.start_another,
            paste_command=models.paste_command,
            defaults=models.defaults,
            stop=self._commands.stop,
            restart=self._commands.restart,
            apply=self._commands.apply,
            copy_endpoint=self._commands.copy_endpoint,
            copy_other_endpoint=self._commands.copy_other_endpoint,
            copy_key=self._commands.copy_key,
            copy_command_line=self._commands.copy_command_line,
            show_log=self._commands.show_log,
            dismiss=self._commands.dismiss,
            stop_all=parts.servers.stop_all,
            find=self._models.start_search,
            fold_all=self._commands.fold_all,
            unfold_all=self._commands.unfold_all,
            foreign=parts.foreign.look,
            about=self._on_about,
        )

    def _restore_geometry(self) -> None:
        resize_within_screen(self, _SIZE)
        geometry, splitter = self._geometry.value("geometry"), self._geometry.value("splitter")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)
        if isinstance(splitter, QByteArray):
            self._splitter.restoreState(splitter)

    # -- showing

    @Slot(object)
    def _render(self, totals: ServerTotals) -> None:
        if not totals.running:
            text = self.tr("No servers running")
        else:
            text = self.tr("{count} running · {size}").format(count=totals.running, size=size_text(totals.rss_bytes))
        self._summary.setText(text)

    @Slot()
    def _render_selection(self) -> None:
        selected = self._parts.library.models.selected
        for control in (self._start, self._start_with):
            control.setEnabled(selected is not None and selected.is_model)

    @Slot(object)
    def _on_scan(self, progress: ScanProgress | None) -> None:
        self._actions.stop_scan.setEnabled(progress is not None)

    @Slot(int)
    def _on_adopted(self, count: int) -> None:
        if count == 1:
            text = self.tr("Reconnected to 1 server left running earlier.")
        else:
            text = self.tr("Reconnected to {count} servers left running earlier.")
        self._banner.show_notice(text.format(count=count))

    @Slot(int)
    def _on_models_added(self, count: int) -> None:
        # A single one is selected, which says it.
        if count > 1:
            self._banner.show_notice(self.tr("{count} models added").format(count=count))

    @Slot(int)
    def _on_scanned(self, count: int) -> None:
        if count == 0:
            text = self.tr("No new models found")
        elif count == 1:
            text = self.tr("1 new model found")
        else:
            text = self.tr("{count} new models found").format(count=count)
        self._banner.show_notice(text)

    @Slot(object)
    def _on_removed(self, model: Model) -> None:
        text = self.tr("{name} was removed from the list. Its file stays.").format(name=model.name)
        self._banner.show_notice(text, undo=partial(self._parts.library.bring_back, model.path))

    @Slot(int, object)
    def _on_start_refused(self, model_id: int, error: InvalidModelFile) -> None:
        words = words_for_error(error)
        show = partial(self._model_commands.show_folder, error.path.parent)
        remove = partial(self._parts.library.remove, model_id)
        text = self.tr("Not started: {reason}").format(reason=f"{words.summary} {words.hint}".strip())
        self._banner.show_notice(text, showBroken=show, removeBroken=remove)

    @Slot()
    def _on_none_found(self) -> None:
        self._banner.show_notice(self.tr("No other llama-server processes found."))

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

    # -- actions

    @Slot()
    def _on_add_models(self) -> None:
        self._parts.run(self._add_models(), "choose models")

    async def _add_models(self) -> None:
        dialog = QFileDialog(self, self.tr("Add models"))
        dialog.setObjectName("addModelsDialog")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setDirectory(self._near_models())
        dialog.setNameFilters([self.tr("Models (*.gguf)"), self.tr("All files (*)")])
        if await ask(dialog) == QDialog.DialogCode.Accepted:
            self._parts.library.add([Path(name) for name in dialog.selectedFiles()])

    @Slot()
    def _on_add_folder(self) -> None:
        self._parts.run(self._add_folder(), "choose a folder")

    async def _add_folder(self) -> None:
        dialog = QFileDialog(self, self.tr("Add folder"))
        dialog.setObjectName("addFolderDialog")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setDirectory(self._near_models())
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        if await ask(dialog) == QDialog.DialogCode.Accepted:
            self._parts.library.add([Path(name) for name in dialog.selectedFiles()])

    def _near_models(self) -> str:
        """Where people probably have more of them; not wherever the program was started from."""
        selected = self._parts.library.models.selected
        # Path's raises below a folder that must not be searched.
        if selected is not None and os.path.isdir(selected.folder):  # noqa: PTH112
            return selected.folder
        return home_folder()

    @Slot()
    def _on_settings(self) -> None:
        from gglib_desktop.views.settings.dialog import SettingsDialog

        pages = self._parts.settings.pages()
        dialog = SettingsDialog(pages.form, self, access=pages.access, folders=pages.folders)
        self._parts.run(ask(dialog), "settings")

    @Slot()
    def _on_edit_settings(self) -> None:
        self._parts.run(self._edit_settings(), "edit settings file")

    async def _edit_settings(self) -> None:
        path = await self._parts.settings.file()
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
            self._banner.show_text(self.tr("No program was found that opens {path}").format(path=path))

    @Slot()
    def _on_about(self) -> None:
        from gglib_desktop.views.window.about import AboutDialog

        engine = self._parts.engine.state.engine
        text = f"{engine.path} ({engine.version})" if engine is not None else self.tr("none found")
        self._parts.run(ask(AboutDialog(__version__, text, str(self._data_dir), self)), "about")
