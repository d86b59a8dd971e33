"""The lines above and below the list of models: its filter, and the progress of a scan."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from gglib_desktop.domain.models.scan import ScanProgress
from gglib_desktop.viewmodels.models.library import LibraryViewModel
from gglib_desktop.views.look.icons import icon
from gglib_desktop.views.models.menus import FilterMenu
from gglib_desktop.views.widgets.labels.elided import ElidedLabel


class _Line(QWidget):
    """A text, and a flat button that ends what the text is about."""

    def __init__(self, name: str, elide: Qt.TextElideMode, parent: QWidget) -> None:
        super().__init__(parent)
        self.text = ElidedLabel(self, elide)
        self.text.setObjectName(f"{name}Text")
        self.end = QToolButton(self)
        self.end.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.end.setAutoRaise(True)
        self.end.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.text, 1)
        row.addWidget(self.end)


class FilterLine(_Line):
    """Says that models are hidden and why, so that the user does not miss them; the button shows them again."""

    def __init__(self, menu: FilterMenu, parent: QWidget) -> None:
        super().__init__("filter", Qt.TextElideMode.ElideRight, parent)
        self._menu = menu
        self.end.setObjectName("clearFilter")
        self.end.setText(self.tr("Clear"))
        self.end.setAccessibleName(self.tr("Clear filter"))
        self.end.setToolTip(self.tr("Show all models again"))
        self.end.setIcon(icon("dismiss"))
        self.end.clicked.connect(menu.clear_filter.trigger)

    def show_counts(self, shown: int, total: int) -> None:
        chosen = self._menu.text()
        self.text.setText(self.tr("{shown} of {total}: {chosen}").format(shown=shown, total=total, chosen=chosen))
        self.text.setAccessibleName(self.tr("Filter: {text}").format(text=self.text.text()))
        self.setVisible(bool(chosen))


class ScanLine(_Line):
    """Files seen and the current folder, with a button that ends the scan. Only visible during a scan."""

    def __init__(self, library: LibraryViewModel, parent: QWidget) -> None:
        super().__init__("scan", Qt.TextElideMode.ElideMiddle, parent)
        self.end.setObjectName("stopScan")
        self.end.setText(self.tr("Stop"))
        self.end.setAccessibleName(self.tr("Stop scanning"))
        self.end.setToolTip(self.tr("Look no further; what was found stays"))
        self.end.setIcon(icon("stop"))
        self.end.clicked.connect(library.stop_scan)
        library.progressChanged.connect(self._show_progress)
        self._show_progress(library.progress)

    @Slot(object)
    def _show_progress(self, progress: ScanProgress | None) -> None:
        if progress is not None:
            files = self.locale().toString(progress.files_seen)
            text = self.tr("{files} files · {folder}").format(files=files, folder=progress.folder)
            self.text.setText(text)
            self.text.setAccessibleName(self.tr("Scanning: {text}").format(text=text))
        self.setVisible(progress is not None)
