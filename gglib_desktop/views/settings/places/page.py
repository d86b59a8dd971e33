"""The settings' page about the places where servers run besides this computer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QVBoxLayout, QWidget

from gglib_desktop.domain.documents.places import ListedPlace
from gglib_desktop.domain.errors import GglibError
from gglib_desktop.viewmodels.settings.places import PlacesViewModel
from gglib_desktop.views.settings.places.add_dialog import AddPlaceDialog
from gglib_desktop.views.settings.places.line_dialogs import ChangeKeyDialog, RenamePlaceDialog
from gglib_desktop.views.settings.places.steps import TestSteps
from gglib_desktop.views.widgets.ask import ask
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.words.errors import words_for_error
from gglib_desktop.views.words.places import place_text, this_computer


class PlacesPage(QWidget):
    """Lists the places; the buttons act at once on the chosen one. The first line is this computer itself."""

    def __init__(self, places: PlacesViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._places = places
        self._chosen_id = ""
        self._list = QListWidget(self)
        self._list.setObjectName("placeList")
        self._list.setAccessibleName(self.tr("Places"))
        self._list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._add = push_button("addPlace", self.tr("Add place…"), self)
        self._test = push_button("testPlace", self.tr("Test place"), self)
        self._rename = push_button("renamePlace", self.tr("Rename place…"), self)
        self._key = push_button("changePlaceKey", self.tr("Change key…"), self)
        self._remove = push_button("removePlace", self.tr("Remove place"), self)
        self._problem = WrapLabel(parent=self)
        self._problem.setObjectName("placesProblem")
        self._lay_out()
        self._connect()
        self._show(places.listed)

    def _lay_out(self) -> None:
        meaning = self.tr("Servers run on this computer, and at the places that you add here. Changes count at once.")
        buttons = QHBoxLayout()
        buttons.addWidget(self._add)
        buttons.addStretch()
        for button in (self._test, self._rename, self._key, self._remove):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.addWidget(WrapLabel(meaning))
        layout.addWidget(self._list, 1)
        layout.addLayout(buttons)
        layout.addWidget(TestSteps(self._places.tester))
        layout.addWidget(self._problem)

    def _connect(self) -> None:
        self._places.listChanged.connect(self._show)
        self._places.failed.connect(self._on_failed)
        self._list.itemSelectionChanged.connect(self._on_selected)
        self._add.clicked.connect(self._on_add)
        self._test.clicked.connect(self._on_test)
        self._rename.clicked.connect(self._on_rename)
        self._key.clicked.connect(self._on_key)
        self._remove.clicked.connect(self._on_remove)

    @property
    def _chosen(self) -> ListedPlace | None:
        """None for this computer."""
        row = self._list.currentRow() - 1
        return self._places.listed[row] if 0 <= row < len(self._places.listed) else None

    # -- showing

    @Slot(object)
    def _show(self, listed: Sequence[ListedPlace]) -> None:
        # Where the chosen one is gone, none is chosen: a second press of a button was not meant for the next one.
        ids = [place.id for place in listed]
        row = ids.index(self._chosen_id) + 1 if self._chosen_id in ids else 0
        with QSignalBlocker(self._list):
            self._list.clear()
            self._list.addItem(this_computer())
            for place in listed:
                self._list.addItem(place_text(place))
                self._list.item(self._list.count() - 1).setToolTip(place_text(place))
            self._list.setCurrentRow(row)
        self._on_chosen()

    @Slot()
    def _on_selected(self) -> None:
        self._places.tester.forget()
        self._problem.setText("")
        self._on_chosen()

    def _on_chosen(self) -> None:
        chosen = self._chosen
        self._chosen_id = chosen.id if chosen is not None else ""
        self._render_buttons()

    def _render_buttons(self) -> None:
        chosen = self._chosen
        self._test.setEnabled(chosen is not None and chosen.kind is not None)
        self._rename.setEnabled(chosen is not None)
        self._key.setEnabled(chosen is not None and self._places.takes_key(chosen))
        self._remove.setEnabled(chosen is not None)

    @Slot(object)
    def _on_failed(self, error: GglibError) -> None:
        self._problem.setText(words_for_error(error).text)

    # -- acting

    @Slot()
    def _on_add(self) -> None:
        self._problem.setText("")
        self._places.run(ask(AddPlaceDialog(self._places.new_place(), self)), "add place")

    @Slot()
    def _on_test(self) -> None:
        if (place := self._chosen) is not None:
            self._problem.setText("")
            self._places.test(place)

    @Slot()
    def _on_rename(self) -> None:
        if (place := self._chosen) is not None:
            dialog = RenamePlaceDialog(place.name, partial(self._places.rename, place), self._places.run, self)
            self._places.run(ask(dialog), "rename place")

    @Slot()
    def _on_key(self) -> None:
        if (place := self._chosen) is not None:
            dialog = ChangeKeyDialog(place.name, partial(self._places.change_key, place), self._places.run, self)
            self._places.run(ask(dialog), "change key")

    @Slot()
    def _on_remove(self) -> None:
        if (place := self._chosen) is not None:
            self._problem.setText("")
            self._places.remove(place)
