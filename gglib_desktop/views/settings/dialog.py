"""The settings of the program."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from gglib_desktop.domain.documents.settings import STOP_GRACE_LIMITS, OnQuit, Theme
from gglib_desktop.domain.errors import ConfigurationError, GglibError, InvalidDraft
from gglib_desktop.domain.values import PORT
from gglib_desktop.viewmodels.settings.places import PlacesViewModel
from gglib_desktop.viewmodels.settings.settings_form import (
    AccessViewModel,
    ModelFoldersViewModel,
    SettingsFormViewModel,
)
from gglib_desktop.views.launch.option_form import OptionForm
from gglib_desktop.views.launch.presets.bar import PresetBar
from gglib_desktop.views.settings.access_group import AccessGroup
from gglib_desktop.views.settings.engine_fields import EngineFields
from gglib_desktop.views.settings.history_page import HistoryPage
from gglib_desktop.views.settings.model_folders import ModelFoldersPage
from gglib_desktop.views.settings.places.page import PlacesPage
from gglib_desktop.views.widgets.bindings import ComboBinding, DoubleSpinBinding, SpinBinding
from gglib_desktop.views.widgets.buttons import box_button
from gglib_desktop.views.widgets.labels.problem_box import ProblemBox
from gglib_desktop.views.widgets.layout.room import resize_within_screen
from gglib_desktop.views.widgets.wheel_safe_boxes import (
    WheelSafeComboBox,
    WheelSafeDoubleSpinBox,
    WheelSafeSpinBox,
    WheelSafeTabWidget,
)

_WIDTH = 620
_SIZE = QSize(780, 560)
_PROBLEM_LINES = 2


class SettingsDialog(QDialog):
    """Closes once its form has saved; until then, and if that fails, it keeps the user's input."""

    def __init__(
        self,
        form: SettingsFormViewModel,
        parent: QWidget | None = None,
        *,
        access: AccessViewModel | None = None,
        folders: ModelFoldersViewModel | None = None,
        places: PlacesViewModel | None = None,
    ) -> None:
        super().__init__(parent)
        self._form = form
        self._places = places
        self.setObjectName("settingsDialog")
        self.setWindowTitle(self.tr("Settings"))
        self._engine = EngineFields(form, self)
        self._boxes = (self._base_port_box(), self._stop_grace_box(), self._on_quit_box(), self._theme_box())
        self._problem = ProblemBox("settings", self, lines=_PROBLEM_LINES)
        self._pages = WheelSafeTabWidget()
        self._defaults = QWidget()
        self._options: OptionForm | None = None
        self._lay_out()
        if access is not None:
            self._pages.addTab(AccessGroup(access), self.tr("&Access"))
        if folders is not None:
            self._pages.addTab(ModelFoldersPage(folders), self.tr("&Models"))
        if places is not None:
            self._pages.addTab(PlacesPage(places), self.tr("&Places"))
        self._pages.addTab(HistoryPage(form), self.tr("Histor&y"))
        form.draftChanged.connect(self._on_draft_changed)
        form.failed.connect(self._on_failed)
        form.saved.connect(self.accept)
        form.save.busyChanged.connect(self._on_busy)
        self._on_busy(form.save.is_busy)

    @override
    def done(self, result: int) -> None:
        self._form.close()
        if self._places is not None:
            self._places.close()
        super().done(result)

    # -- places

    def _lay_out(self) -> None:
        self._pages.setObjectName("settingsPages")
        self._pages.setDocumentMode(True)
        self._pages.addTab(self._general(), self.tr("&General"))
        self._pages.addTab(self._defaults, self.tr("&Defaults for all models"))
        self._pages.currentChanged.connect(self._on_page)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addWidget(self._pages, 1)
        last = QHBoxLayout()
        last.addWidget(self._problem, 1)
        last.addWidget(self._buttons(), 0, Qt.AlignmentFlag.AlignBottom)
        layout.addLayout(last)
        self.setMinimumWidth(_WIDTH)
        resize_within_screen(self, _SIZE)
        # Putting widgets into layouts reorders them.
        focus_order = [*self._engine.focus_order, *self._boxes, self._save]
        for before, after in pairwise(focus_order):
            self.setTabOrder(before, after)
        focus_order[0].setFocus()

    def _general(self) -> QWidget:
        page = QWidget()
        rows = QFormLayout()
        rows.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        rows.setHorizontalSpacing(16)
        rows.setVerticalSpacing(8)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self._engine.add_rows(rows)
        _add_gap(rows)
        base_port, stop_grace, on_quit, theme = self._boxes
        self._add_row(rows, self.tr("&First port:"), base_port)
        self._add_row(rows, self.tr("Time to st&op:"), stop_grace)
        self._add_row(rows, self.tr("On &quit:"), on_quit)
        _add_gap(rows)
        self._add_row(rows, self.tr("T&heme:"), theme)
        layout = QVBoxLayout(page)
        layout.addLayout(rows)
        layout.addStretch()
        return page

    def _add_row(self, rows: QFormLayout, text: str, field: QWidget) -> None:
        label = QLabel(text)
        label.setBuddy(field)
        field.setMinimumWidth(max(box.sizeHint().width() for box in self._boxes))
        rows.addRow(label, field)

    def _base_port_box(self) -> WheelSafeSpinBox:
        box = WheelSafeSpinBox(self)
        box.setObjectName("field_base_port")
        box.setAccessibleName(self.tr("First port"))
        box.setToolTip(self.tr("Servers whose port is Auto take a free one from this port on."))
        box.setRange(int(PORT.minimum or 0), int(PORT.maximum or 0))
        SpinBinding(box, self._form, "base_port")
        return box

    def _stop_grace_box(self) -> WheelSafeDoubleSpinBox:
        box = WheelSafeDoubleSpinBox(self)
        box.setObjectName("field_stop_grace_s")
        box.setAccessibleName(self.tr("Time to stop, in seconds"))
        box.setToolTip(self.tr("How long a server may take to end before it is asked again and then killed."))
        box.setRange(STOP_GRACE_LIMITS.minimum or 0.0, STOP_GRACE_LIMITS.maximum or 0.0)
        box.setSingleStep(0.5)
        box.setDecimals(1)
        box.setSuffix(self.tr(" s"))
        DoubleSpinBinding(box, self._form, "stop_grace_s")
        return box

    def _on_quit_box(self) -> WheelSafeComboBox:
        box = WheelSafeComboBox(self)
        box.setObjectName("field_on_quit")
        box.setAccessibleDescription(self.tr("What quitting does with running servers"))
        box.addItem(self.tr("Ask"), OnQuit.ASK)
        box.addItem(self.tr("Stop all servers"), OnQuit.STOP_ALL)
        box.addItem(self.tr("Leave servers running"), OnQuit.LEAVE_RUNNING)
        ComboBinding(box, self._form, "on_quit")
        return box

    def _theme_box(self) -> WheelSafeComboBox:
        box = WheelSafeComboBox(self)
        box.setObjectName("field_theme")
        box.setAccessibleDescription(self.tr("Colours of the window"))
        box.addItem(self.tr("System"), Theme.SYSTEM)
        box.addItem(self.tr("Light"), Theme.LIGHT)
        box.addItem(self.tr("Dark"), Theme.DARK)
        ComboBinding(box, self._form, "theme")
        return box

    def _buttons(self) -> QDialogButtonBox:
        box = QDialogButtonBox(self)
        self._save = box_button(box, "settingsSave", self.tr("Save"), QDialogButtonBox.ButtonRole.AcceptRole)
        self._save.setDefault(True)
        # Not the box's accepted signal: the dialog closes when the form has saved.
        self._save.clicked.connect(self._form.save.trigger)
        box_button(box, "settingsCancel", self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        box.rejected.connect(self.reject)
        return box

    # -- news

    @Slot(int)
    def _on_page(self, _index: int) -> None:
        """Makes the form of the defaults when the user first opens it: it has about forty fields."""
        if self._pages.currentWidget() is self._defaults and self._options is None:
            self._options = OptionForm(self._form.options)
            self._form.options.stateChanged.connect(self._on_draft_changed)
            layout = QVBoxLayout(self._defaults)
            presets = self._form.presets
            if presets is not None:
                layout.addWidget(PresetBar(presets))
            layout.addWidget(self._options)

    def _on_busy(self, busy: bool) -> None:
        self._save.setEnabled(not busy)

    def _on_draft_changed(self, _draft: object) -> None:
        self._problem.clear()

    def _on_failed(self, error: GglibError) -> None:
        if isinstance(error, ConfigurationError) and error.field in {"engine", "engine_path"}:
            self._engine.show_problem(error)
        else:
            self._problem.show_error(error)
            if isinstance(error, InvalidDraft) and self._options is not None:
                self._pages.setCurrentWidget(self._defaults)
                self._options.reveal(next(iter(error.fields)))


def _add_gap(rows: QFormLayout) -> None:
    gap = QWidget()
    gap.setFixedHeight(6)
    rows.addRow(gap)
