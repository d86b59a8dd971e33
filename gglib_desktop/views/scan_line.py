"""One line that says how far the search for models has come."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from gglib_desktop.domain.scan import ScanProgress
from gglib_desktop.viewmodels.app import AppViewModel
from gglib_desktop.views.icons import icon
from gglib_desktop.views.widgets.elided_label import ElidedLabel


class ScanLine(QWidget):
    """Files seen and the folder under way, with a button that ends it. Seen only while models are looked for."""

    def __init__(self, app: AppViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._text = ElidedLabel(self, Qt.TextElideMode.ElideMiddle)
        self._text.setObjectName("scanText")
        stop = QToolButton(self)
        stop.setObjectName("stopScan")
        stop.setText(self.tr("Stop"))
        stop.setAccessibleName(self.tr("Stop scanning"))
        stop.setToolTip(self.tr("Look no further; what was found stays"))
        stop.setIcon(icon("stop"))
        stop.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        stop.setAutoRaise(True)
        stop.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        stop.clicked.connect(app.stop_scan)
        line = QHBoxLayout(self)
        line.setContentsMargins(4, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(self._text, 1)
        line.addWidget(stop)
        app.models.scanChanged.connect(self._show_progress)
        self._show_progress(app.models.scan)

    @Slot(object)
    def _show_progress(self, progress: ScanProgress | None) -> None:
        if progress is not None:
            files = self.locale().toString(progress.files_seen)
            text = self.tr("{files} files · {folder}").format(files=files, folder=progress.folder)
            self._text.setText(text)
            self._text.setAccessibleName(self.tr("Scanning: {text}").format(text=text))
        self.setVisible(progress is not None)
