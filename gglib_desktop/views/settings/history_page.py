"""The page of the settings that says how much is kept of what servers did."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from gglib_desktop.domain.documents.settings import KEEP_DAYS_LIMITS, KEEP_ROWS_LIMITS, LOG_SIZE_LIMITS
from gglib_desktop.domain.values import Limits
from gglib_desktop.viewmodels.settings.settings_form import SettingsFormViewModel
from gglib_desktop.views.widgets.bindings import SpinBinding
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.widgets.wheel_safe_boxes import WheelSafeSpinBox


class HistoryPage(QWidget):
    """The history of requests, and the logs."""

    def __init__(self, form: SettingsFormViewModel) -> None:
        super().__init__()
        self._form = form
        self._rows = QFormLayout()
        self._rows.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        self._rows.setHorizontalSpacing(16)
        self._rows.setVerticalSpacing(8)
        self._rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        rows, days, size = (
            self._box("requests_keep_rows", self.tr("Requests kept"), KEEP_ROWS_LIMITS, step=10_000),
            self._box("requests_keep_days", self.tr("Days that requests are kept"), KEEP_DAYS_LIMITS, step=10),
            self._box("log_size_mib", self.tr("Largest log of a server, in MiB"), LOG_SIZE_LIMITS, step=16),
        )
        days.setSuffix(self.tr(" days"))
        size.setSuffix(self.tr(" MiB"))
        self._add(
            self.tr("&Keep requests:"), rows, self.tr("The newest of all servers. Only figures are kept, never texts.")
        )
        self._add(self.tr("&For at most:"), days, self.tr("Older requests are removed."))
        self._add(
            self.tr("&Largest log:"),
            size,
            self.tr("Of each run of a server. A longer log loses its beginning, down to a quarter of this."),
        )
        layout = QVBoxLayout(self)
        layout.addLayout(self._rows)
        layout.addStretch()

    def _box(self, field: str, name: str, limits: Limits, *, step: int) -> WheelSafeSpinBox:
        box = WheelSafeSpinBox(self)
        box.setObjectName(f"field_{field}")
        box.setAccessibleName(name)
        box.setGroupSeparatorShown(True)
        box.setRange(int(limits.minimum or 0), int(limits.maximum or 0))
        box.setSingleStep(step)
        SpinBinding(box, self._form, field)
        return box

    def _add(self, text: str, box: WheelSafeSpinBox, meaning: str) -> None:
        label = QLabel(text)
        label.setBuddy(box)
        note = WrapLabel(meaning)
        box.setAccessibleDescription(meaning)
        cell = QWidget()
        column = QVBoxLayout(cell)
        column.setContentsMargins(0, 0, 0, 6)
        column.setSpacing(2)
        column.addWidget(box, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(note)
        self._rows.addRow(label, cell)
