"""The menu's commands for models, most of them for the selected one."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QPoint, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QDialog, QMenu, QWidget
from shiboken6 import isValid

from gglib_desktop.domain.models.scan import ScanProgress
from gglib_desktop.viewmodels.launch.launch import LaunchViewModel
from gglib_desktop.viewmodels.models.library import LibraryViewModel
from gglib_desktop.viewmodels.models.model_row import ModelRow
from gglib_desktop.views.look.actions import Actions
from gglib_desktop.views.widgets.ask import ask


class ModelCommands(QObject):
    """The actions on the selected model; without one they are disabled."""

    noticed = Signal(str)  # something to tell the user

    def __init__(self, actions: Actions, library: LibraryViewModel, launch: LaunchViewModel, window: QWidget) -> None:
        super().__init__(window)
        self._library = library
        self._launch = launch
        self._window = window
        self._blocks = (
            (actions.start, actions.start_with, actions.start_another),
            (actions.details, actions.defaults, actions.tags),
            (actions.show_in_folder, actions.copy_path),
            (actions.remove_model,),
            (actions.measure_drafting,),
        )
        self._for_models = (*self._blocks[0], actions.defaults, actions.measure_drafting)
        self._stop_scan = actions.stop_scan
        self.offer_routers = actions.start_router.setVisible
        self.offer_measuring = actions.measure_drafting.setVisible
        actions.connect(
            scan=library.scan_again,
            stop_scan=library.stop_scan,
            create_demo=library.create_demo.trigger,
            details=self.details,
            tags=self.tags,
            show_in_folder=self.show_in_folder,
            copy_path=self.copy_path,
            remove_model=self.remove,
            measure_drafting=self.measure,
            start=self.start,
            start_with=self.start_with,
            start_another=self.start_another,
            start_router=self.start_router,
            paste_command=self.paste_command,
            defaults=self.defaults,
        )
        library.models.selectionChanged.connect(self._render)
        library.progressChanged.connect(self._on_scan)
        self._render()
        self._on_scan(library.progress)

    @property
    def _selected(self) -> ModelRow | None:
        return self._library.models.selected

    @Slot()
    def _render(self) -> None:
        selected = self._selected
        for action in (action for block in self._blocks for action in block):
            # A file that is not a model itself can be looked at and removed, but not started.
            action.setEnabled(selected is not None and (action not in self._for_models or selected.is_model))

    @Slot(object)
    def _on_scan(self, progress: ScanProgress | None) -> None:
        self._stop_scan.setEnabled(progress is not None)

    @Slot(QPoint)
    def show_menu(self, place: QPoint) -> None:
        """The same actions at a place on the screen."""
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for block in self._blocks:
            menu.addActions(block)
            menu.addSeparator()
        menu.popup(place)

    # -- the commands

    @Slot()
    def start(self) -> None:
        if self._selected is not None:
            self._launch.start(self._selected.id)

    @Slot()
    def start_another(self) -> None:
        if self._selected is not None:
            self._launch.start(self._selected.id, another=True)

    @Slot()
    def start_with(self) -> None:
        self._launch.run(self._start_with(), "start with")

    async def _start_with(self) -> None:
        selected = self._selected
        form = await self._launch.forms.to_start(selected.id) if selected is not None else None
        if form is not None:
            from gglib_desktop.views.launch.dialog import StartWithDialog

            await ask(StartWithDialog(form, self._window))

    @Slot()
    def measure(self) -> None:
        if self._selected is not None:
            self.measure_model(self._selected.id)

    @Slot(int)
    def measure_model(self, model_id: int) -> None:
        """Measures what drafting brings to it."""
        self._launch.run(self._measure(model_id), "measure drafting")

    async def _measure(self, model_id: int) -> None:
        measurements = self._launch.forms.measurements
        measuring = await measurements.of(model_id) if measurements is not None else None
        if measuring is not None:
            from gglib_desktop.views.launch.measuring.dialog import MeasureDialog

            await ask(MeasureDialog(measuring, self._window))

    @Slot()
    def start_router(self) -> None:
        from gglib_desktop.views.launch.router_dialog import StartRouterDialog

        self._launch.run(ask(StartRouterDialog(self._launch.router_form(), self._window)), "start a router")

    @Slot()
    def paste_command(self) -> None:
        self._launch.run(self._paste_command(), "paste command line")

    async def _paste_command(self) -> None:
        from gglib_desktop.views.launch.command_tools import PasteCommandDialog

        dialog = PasteCommandDialog(self._launch.forms.read_line, self._launch.run, self._window)
        if await ask(dialog) != QDialog.DialogCode.Accepted or dialog.line is None:
            return
        line = dialog.line
        form = await self._launch.forms.to_start_as(line, self._selected.id if self._selected is not None else None)
        if form is None:
            self.noticed.emit(self.tr("Select a model first: the command line names none of the list."))
            return
        from gglib_desktop.views.launch.dialog import StartWithDialog

        start = StartWithDialog(form, self._window)
        form.commands.fill(line)
        await ask(start)

    @Slot()
    def defaults(self) -> None:
        self._show_defaults(self._window)

    @Slot(QWidget)
    def _show_defaults(self, parent: QWidget) -> None:
        if self._selected is not None:
            self._launch.run(self._edit_defaults(self._selected.id, parent), "launch defaults")

    async def _edit_defaults(self, model_id: int, parent: QWidget) -> None:
        form = await self._launch.forms.of_model(model_id)
        if form is None:
            return
        if not isValid(parent):
            # The dialog that asked for it has been closed meanwhile.
            form.close()
            return
        from gglib_desktop.views.launch.dialog import ModelDefaultsDialog

        await ask(ModelDefaultsDialog(form, parent))

    @Slot()
    def details(self) -> None:
        self._show_details()

    @Slot()
    def tags(self) -> None:
        self._show_details(notes=True)

    def _show_details(self, *, notes: bool = False) -> None:
        details = self._library.details(self._selected.id) if self._selected is not None else None
        if details is not None:
            from gglib_desktop.views.models.details.dialog import DetailsPage, ModelDetailsDialog

            page = DetailsPage.NOTES if notes else DetailsPage.FACTS
            dialog = ModelDetailsDialog(details, self._window, page)
            dialog.defaultsRequested.connect(self._show_defaults)
            self._launch.run(ask(dialog), "details")

    @Slot()
    def show_in_folder(self) -> None:
        if self._selected is not None:
            self.show_folder(Path(self._selected.path).parent)

    def show_folder(self, folder: Path) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self.noticed.emit(self.tr("No program of this computer could show {folder}").format(folder=folder))

    @Slot()
    def copy_path(self) -> None:
        if self._selected is not None:
            QGuiApplication.clipboard().setText(self._selected.path)

    @Slot()
    def remove(self) -> None:
        if self._selected is not None:
            self._library.remove(self._selected.id)
