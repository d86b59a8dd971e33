"""The dialog that chooses the models of a router and starts it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from gglib_desktop.viewmodels.launch.router_form import RouterFormViewModel
from gglib_desktop.views.widgets.buttons import box_button
from gglib_desktop.views.widgets.labels.problem_box import ProblemBox
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.widgets.layout.room import resize_within_screen
from gglib_desktop.views.widgets.wheel_safe_boxes import WheelSafeSpinBox

_SIZE = QSize(520, 480)
_PROBLEM_LINES = 2
_MOST = 64


class StartRouterDialog(QDialog):
    """Closes once the router is asked to start; if that is refused, the choice stays."""

    def __init__(self, form: RouterFormViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self.setObjectName("startRouterDialog")
        self.setWindowTitle(self.tr("Start router"))
        self._list = self._models()
        self._checked: list[QListWidgetItem] = []
        self._problem = ProblemBox("startRouter", self, lines=_PROBLEM_LINES)
        self._lay_out()
        form.chosenChanged.connect(self._render)
        form.failed.connect(self._problem.show_error)
        form.start.busyChanged.connect(self._render)
        form.done.connect(self.accept)
        self._list.itemSelectionChanged.connect(self._on_selected)
        self._render()
        resize_within_screen(self, _SIZE)
        self._list.setFocus()

    @override
    def done(self, result: int) -> None:
        self._form.close()
        super().done(result)

    # -- the widgets

    def _lay_out(self) -> None:
        about = self.tr(
            "A router is one server for several models, with one address and one key. A request names its model, which "
            "is then loaded with its own launch defaults. The address and the key are those of the defaults for all "
            "models. If the router ends, all of its models end."
        )
        if not self._form.models:
            about += " " + self.tr("There are no models of this computer in the list yet.")
        note = WrapLabel(about, self)
        # So that its first height is that of this width, which the dialog would keep otherwise.
        note.resize(_SIZE.width(), 0)
        title = QLabel(self.tr("&Models:"), self)
        title.setBuddy(self._list)
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addWidget(note)
        layout.addWidget(title)
        layout.addWidget(self._list, 1)
        layout.addLayout(self._most_row())
        layout.addWidget(self._problem)
        layout.addWidget(self._buttons())

    def _models(self) -> QListWidget:
        models = QListWidget(self)
        models.setObjectName("routerModels")
        models.setAccessibleName(self.tr("Models of the router"))
        # Selected is chosen, and the boxes only show it: assistive technology can select rows, and check none.
        models.setSelectionMode(QListWidget.SelectionMode.MultiSelection)
        models.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        models.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for model in self._form.models:
            item = QListWidgetItem(model.name, models)
            item.setData(Qt.ItemDataRole.UserRole, model.id)
            item.setToolTip(str(model.path))
            item.setCheckState(Qt.CheckState.Unchecked)
        return models

    def _most_row(self) -> QHBoxLayout:
        label = QLabel(self.tr("&Loaded at once, at most:"), self)
        most = WheelSafeSpinBox(self)
        most.setObjectName("routerMost")
        most.setAccessibleName(self.tr("Loaded at once"))
        most.setRange(1, _MOST)
        most.setValue(self._form.most)
        most.setToolTip(self.tr("Before one more is loaded, the one that was not asked for longest is unloaded."))
        most.valueChanged.connect(self._form.set_most)
        label.setBuddy(most)
        row = QHBoxLayout()
        row.addWidget(label)
        row.addWidget(most)
        row.addStretch()
        return row

    def _buttons(self) -> QDialogButtonBox:
        box = QDialogButtonBox(self)
        self._start = box_button(box, "routerStart", self.tr("Start"), QDialogButtonBox.ButtonRole.AcceptRole)
        self._start.setDefault(True)
        # Not the box's accepted signal: the dialog closes when the router was started.
        self._start.clicked.connect(self._form.start.trigger)
        box_button(box, "routerCancel", self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        box.rejected.connect(self.reject)
        return box

    # -- news

    @Slot()
    def _render(self) -> None:
        self._start.setEnabled(bool(self._form.chosen) and not self._form.start.is_busy)

    @Slot()
    def _on_selected(self) -> None:
        self._problem.clear()
        chosen = self._list.selectedItems()
        for item in (*self._checked, *chosen):
            item.setCheckState(Qt.CheckState.Checked if item.isSelected() else Qt.CheckState.Unchecked)
        self._checked = chosen
        self._form.choose(item.data(Qt.ItemDataRole.UserRole) for item in chosen)
