"""The dialog that adds a place."""

from __future__ import annotations

from PySide6.QtCore import QSize, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from gglib_desktop.domain.documents.places import KindName, PlaceField
from gglib_desktop.domain.errors import ConfigurationError, GglibError
from gglib_desktop.viewmodels.settings.places import NewPlaceViewModel
from gglib_desktop.views.settings.places.steps import TestSteps
from gglib_desktop.views.widgets.bindings import TextBinding
from gglib_desktop.views.widgets.buttons import box_button
from gglib_desktop.views.widgets.labels.problem_box import ProblemBox
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.widgets.layout.room import resize_within_screen
from gglib_desktop.views.words.places import kind_note, kind_text

_SIZE = QSize(560, 460)
_PROBLEM_LINES = 2


class AddPlaceDialog(QDialog):
    """Closes once the place is added; until then it keeps what was typed."""

    def __init__(self, place: NewPlaceViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._place = place
        self.setObjectName("addPlaceDialog")
        self.setWindowTitle(self.tr("Add place"))
        self._note = WrapLabel(parent=self)
        self._note.setObjectName("placeNote")
        # So that its first height is that of this width, which the dialog would keep otherwise.
        self._note.resize(_SIZE.width(), 0)
        self._address = self._line("placeAddress", self.tr("Address"), "address")
        self._name = self._line("placeName", self.tr("Name"), "name")
        self._engine = self._line("placeEngine", self.tr("Engine"), "engine")
        self._folders = self._line("placeFolders", self.tr("Folders"), "folders")
        self._folders.setPlaceholderText("~/models; /srv/models")
        self._key = self._line("placeKey", self.tr("Key"), "key")
        self._key.setEchoMode(QLineEdit.EchoMode.PasswordEchoOnEdit)
        self._rows = QFormLayout()
        self._problem = ProblemBox("addPlace", self, lines=_PROBLEM_LINES)
        self._lay_out()
        place.kindChanged.connect(self._show_kind)
        place.draftChanged.connect(self._on_edited)
        place.failed.connect(self._on_failed)
        place.added.connect(self._on_added)
        place.add.busyChanged.connect(self._on_busy)
        self._show_kind(place.kind)
        resize_within_screen(self, _SIZE)
        self._address.setFocus()

    @override
    def done(self, result: int) -> None:
        self._place.close()
        super().done(result)

    # -- the widgets

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addLayout(self._kinds())
        layout.addWidget(self._note)
        self._rows.setHorizontalSpacing(16)
        self._rows.addRow(self.tr("&Address:"), self._address)
        self._rows.addRow(self.tr("&Name:"), self._name)
        self._rows.addRow(self.tr("&Engine:"), self._engine)
        self._rows.addRow(self.tr("&Folders:"), self._folders)
        self._rows.addRow(self.tr("&Key:"), self._key)
        layout.addLayout(self._rows)
        layout.addWidget(TestSteps(self._place.tester))
        layout.addStretch()
        layout.addWidget(self._problem)
        layout.addWidget(self._buttons())

    def _kinds(self) -> QHBoxLayout:
        row = QHBoxLayout()
        title = QLabel(self.tr("Kind:"), self)
        row.addWidget(title)
        group = QButtonGroup(self)
        for number, kind in enumerate(self._place.kinds):
            button = QRadioButton(kind_text(kind), self)
            button.setObjectName(f"placeKind_{kind.name.lower()}")
            button.setAccessibleName(button.text())
            button.setChecked(kind is self._place.kind)
            group.addButton(button, number)
            row.addWidget(button)
        row.addStretch()
        group.idToggled.connect(self._on_kind)
        return row

    def _line(self, name: str, text: str, field: str) -> QLineEdit:
        line = QLineEdit(self)
        line.setObjectName(name)
        line.setAccessibleName(text)
        TextBinding(
            line,
            self._place,
            lambda draft: str(getattr(draft, field)),
            lambda typed: self._place.edit(**{field: typed}),
        )
        return line

    def _buttons(self) -> QDialogButtonBox:
        box = QDialogButtonBox(self)
        test = box_button(box, "placeTest", self.tr("Test"), QDialogButtonBox.ButtonRole.ActionRole)
        test.clicked.connect(self._on_test)
        self._add = box_button(box, "placeAdd", self.tr("Add"), QDialogButtonBox.ButtonRole.AcceptRole)
        self._add.setDefault(True)
        # Not the box's accepted signal: the dialog closes when the place has been added.
        self._add.clicked.connect(self._place.add.trigger)
        box_button(box, "placeCancel", self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        box.rejected.connect(self.reject)
        return box

    # -- news

    @Slot(int, bool)
    def _on_kind(self, number: int, chosen: bool) -> None:
        if chosen:
            self._place.choose(self._place.kinds[number])

    @Slot(object)
    def _show_kind(self, kind: KindName) -> None:
        self._note.setText(kind_note(kind))
        self._address.setPlaceholderText(self._place.example)
        self._rows.setRowVisible(self._engine, PlaceField.ENGINE in self._place.fields)
        self._rows.setRowVisible(self._folders, PlaceField.FOLDERS in self._place.fields)
        self._rows.setRowVisible(self._key, PlaceField.KEY in self._place.fields)
        self._problem.clear()

    @Slot()
    def _on_test(self) -> None:
        self._problem.clear()
        self._place.test()

    @Slot(object)
    def _on_edited(self, _draft: object) -> None:
        self._problem.clear()

    @Slot(bool)
    def _on_busy(self, busy: bool) -> None:
        self._add.setEnabled(not busy)

    @Slot(str)
    def _on_added(self, _place_id: str) -> None:
        self.accept()

    @Slot(object)
    def _on_failed(self, error: GglibError) -> None:
        self._problem.show_error(error)
        if isinstance(error, ConfigurationError):
            fields = {"address": self._address, "url": self._address, "engine": self._engine, "key": self._key}
            fields["folders"] = self._folders
            fields.get(error.field, self._name).setFocus()
