"""What the list shows while there are no models."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from gglib_desktop.viewmodels.models.library import LibraryViewModel
from gglib_desktop.views.look.icons import icon
from gglib_desktop.views.look.type_scale import TypeSize, set_type


class EmptyState(QWidget):
    """Says how to add models, and makes the demo model."""

    def __init__(self, library: LibraryViewModel, table: QWidget, parent: QWidget) -> None:
        super().__init__(parent)
        self._table = table
        title = QLabel(self.tr("No models yet"), self)
        set_type(title, TypeSize.TITLE, strong=True)
        text = QLabel(
            self.tr(
                "Drop GGUF files or folders here, or press “Add models”.\n\n"
                "No model yet? Create a tiny demo model to try things out:"
            ),
            self,
        )
        self._demo = QPushButton(icon("demo"), self.tr("Create demo model"), self)
        self._demo.setObjectName("createDemoModel")
        self._demo.clicked.connect(library.create_demo.trigger)
        library.create_demo.busyChanged.connect(self._on_demo_busy)
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        for label in (title, text):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setWordWrap(True)
            layout.addWidget(label)
        layout.addWidget(self._demo, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)

    @Slot(bool)
    def _on_demo_busy(self, busy: bool) -> None:
        # The user goes on with the new model's row. A disabled button would pass the focus to the next widget.
        self._table.setFocus(Qt.FocusReason.OtherFocusReason)
        self._demo.setDisabled(busy)
