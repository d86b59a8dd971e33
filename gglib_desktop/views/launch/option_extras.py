"""Fields of an option form that are more than one plain widget."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QFileDialog, QHBoxLayout, QLineEdit, QRadioButton, QWidget

from gglib_desktop.domain.launch.form import FieldState
from gglib_desktop.domain.launch.options import MtpChoice
from gglib_desktop.domain.servers.restart import RestartPolicy
from gglib_desktop.domain.servers.server import OWN_PLACE
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.layout.flow_row import FlowRow
from gglib_desktop.views.widgets.wheel_safe_boxes import WheelSafeComboBox
from gglib_desktop.views.words.errors import field_name
from gglib_desktop.views.words.options import inherited_entry, own_value_text, restart_help
from gglib_desktop.views.words.places import this_computer


class MtpField(QWidget):
    """Auto, On and Off as radio buttons, and before them Inherited if possible."""

    def __init__(self, form: OptionFormViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._form = form
        self.setObjectName("field_mtp")
        self.setAccessibleName(self.tr("MTP"))
        required = form.state.fields["mtp"].required
        self._values: tuple[MtpChoice | None, ...] = tuple(MtpChoice) if required else (None, *MtpChoice)
        names = {
            None: self.tr("MTP inherited"),
            MtpChoice.AUTO: self.tr("MTP auto"),
            MtpChoice.ON: self.tr("MTP on"),
            MtpChoice.OFF: self.tr("MTP off"),
        }
        self.buttons = tuple(self._button(value, names[value]) for value in self._values)
        self._group = QButtonGroup(self)
        for number, button in enumerate(self.buttons):
            self._group.addButton(button, number)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(FlowRow(self.buttons, column_gap=10 if required else 14))
        self._group.idToggled.connect(self._push)

    def show_field(self, state: FieldState) -> None:
        if not state.required:
            self.buttons[0].setText(inherited_entry(None, state))
        with QSignalBlocker(self._group):
            self.buttons[self._values.index(state.value)].setChecked(True)

    def _button(self, value: MtpChoice | None, name: str) -> QRadioButton:
        button = QRadioButton(own_value_text(value) if value is not None else "", self)
        button.setObjectName(f"field_mtp_{value or 'inherited'}")
        button.setAccessibleName(name)
        return button

    @Slot(int, bool)
    def _push(self, number: int, checked: bool) -> None:
        if checked:
            self._form.edit(mtp=self._values[number])


class RestartField(WheelSafeComboBox):
    """Whether a server is started again after a crash."""

    def __init__(self, form: OptionFormViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._form = form
        self._values: list[Any] = [None, RestartPolicy.ON_CRASH, RestartPolicy.NEVER]
        self.setObjectName("field_restart")
        self.addItem("")
        self.addItems([own_value_text(value) for value in self._values[1:]])
        self.currentIndexChanged.connect(self._push)

    def show_field(self, state: FieldState) -> None:
        with QSignalBlocker(self):
            self.setItemText(0, inherited_entry(None, state))
            self.setCurrentIndex(self._values.index(state.value))

    @Slot(int)
    def _push(self, index: int) -> None:
        self._form.edit(restart=self._values[index])


class PlaceField(WheelSafeComboBox):
    """Where a server starts. A place that is not known any more is shown by its id."""

    def __init__(self, form: OptionFormViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._form = form
        self._names = {OWN_PLACE: this_computer(), **form.places}
        self._values: list[str | None] = [None, *self._names]
        self.setObjectName("field_place")
        self.addItem("")
        self.addItems(list(self._names.values()))
        self.currentIndexChanged.connect(self._push)

    def show_field(self, state: FieldState) -> None:
        with QSignalBlocker(self):
            self.setItemText(0, self._inherited(state))
            if state.value not in self._values:
                self._values.append(state.value)
                self.addItem(str(state.value))
            self.setCurrentIndex(self._values.index(state.value))

    def _inherited(self, state: FieldState) -> str:
        place = state.inherited or OWN_PLACE
        return inherited_entry(None, replace(state, inherited=self._names.get(place, place)))

    @Slot(int)
    def _push(self, index: int) -> None:
        self._form.edit(place=self._values[index])


class WorkersField(QWidget):
    """Which computers take a part of the model: one box for each. Those not known any more are shown by their ids."""

    def __init__(self, form: OptionFormViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._form = form
        self.setObjectName("field_rpc_workers")
        self.setAccessibleName(field_name("rpc_workers"))
        chosen = form.state.resolved.options.rpc_workers or ()
        names = {**{each: each for each in chosen}, **form.worker_places}
        self._boxes = {place: self._box(place, name) for place, name in names.items()}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(FlowRow(self.boxes, self))

    @property
    def boxes(self) -> tuple[QCheckBox, ...]:
        return tuple(self._boxes.values())

    def show_field(self, state: FieldState) -> None:
        chosen = state.value if state.value is not None else state.inherited or ()
        for place, box in self._boxes.items():
            with QSignalBlocker(box):
                box.setChecked(place in chosen)

    def _box(self, place: str, name: str) -> QCheckBox:
        box = QCheckBox(name.replace("&", "&&"), self)
        box.setObjectName(f"field_rpc_workers_{place}")
        box.setAccessibleName(self.tr("Worker on {place}").format(place=name))
        box.toggled.connect(self._push)
        return box

    @Slot()
    def _push(self) -> None:
        self._form.edit(rpc_workers=tuple(place for place, box in self._boxes.items() if box.isChecked()))


class RestartBox(QCheckBox):
    """The same if there is nothing to inherit."""

    def __init__(self, form: OptionFormViewModel, parent: QWidget) -> None:
        super().__init__(field_name("restart"), parent)
        self._form = form
        self.setObjectName("field_restart")
        self.setAccessibleName(self.text())
        self.setToolTip(restart_help())
        self.toggled.connect(self._push)

    def show_field(self, state: FieldState) -> None:
        with QSignalBlocker(self):
            self.setChecked(state.value is RestartPolicy.ON_CRASH)

    @Slot(bool)
    def _push(self, checked: bool) -> None:
        self._form.edit(restart=RestartPolicy.ON_CRASH if checked else RestartPolicy.NEVER)


class FileField(QWidget):
    """A field for a path, with a button that opens a dialog to choose the file."""

    def __init__(self, edit: QLineEdit, parent: QWidget) -> None:
        super().__init__(parent)
        self._edit = edit
        name = f"browse_{edit.objectName().removeprefix('field_')}"
        self.browse = push_button(name, self.tr("Browse…"), icon_name="folder")
        self.browse.setAccessibleName(self.tr("Browse for {label}").format(label=edit.accessibleName()))
        self.browse.clicked.connect(self._on_browse)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(edit, 1)
        row.addWidget(self.browse)

    @Slot()
    def _on_browse(self) -> None:
        dialog = QFileDialog(self, self._edit.accessibleName(), str(Path(self._edit.text()).parent))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._edit.setText)
        dialog.open()
