"""The page of a model's details for the user's own words."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from gglib_desktop.domain.errors import GglibError
from gglib_desktop.viewmodels.models.model_notes import ModelNotesViewModel, NotesDraft
from gglib_desktop.views.widgets.bindings import PlainTextBinding, TextBinding
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.words.errors import words_for_error


class NotesPage(QWidget):
    """Tags and notes. They are saved automatically, and at once by a button; the result is shown."""

    def __init__(self, notes: ModelNotesViewModel) -> None:
        super().__init__()
        self._form = notes
        self._tags, self._notes = QLineEdit(), QPlainTextEdit()
        self._tags.setObjectName("field_tags")
        self._tags.setPlaceholderText(self.tr("Words with commas between them, for example: coding, fast"))
        self._notes.setObjectName("field_notes")
        self._notes.setTabChangesFocus(True)
        self._said = WrapLabel()
        self._said.setObjectName("notesSaid")
        self._save = push_button("saveNotes", self.tr("&Save"))
        self._save.clicked.connect(notes.save.trigger)
        layout = QVBoxLayout(self)
        for text, field in ((self.tr("Ta&gs"), self._tags), (self.tr("&Notes"), self._notes)):
            label = QLabel(text)
            label.setBuddy(field)
            field.setAccessibleName(text.replace("&", ""))
            layout.addWidget(label)
            layout.addWidget(field)
        line = QHBoxLayout()
        line.addWidget(self._said, 1)
        line.addWidget(self._save)
        layout.addLayout(line)
        TextBinding(self._tags, notes, lambda draft: str(draft.tags), lambda text: notes.edit(tags=text))
        PlainTextBinding(self._notes, notes, "notes")
        self.setFocusProxy(self._tags)
        notes.draftChanged.connect(self._on_edited)
        notes.saved.connect(self._on_saved)
        notes.failed.connect(self._on_failed)
        self._save.setEnabled(notes.is_changed)

    @Slot(object)
    def _on_edited(self, _draft: NotesDraft) -> None:
        self._save.setEnabled(self._form.is_changed)
        self._say("")

    @Slot()
    def _on_saved(self) -> None:
        self._save.setEnabled(self._form.is_changed)
        self._say(self.tr("Saved."))

    @Slot(object)
    def _on_failed(self, error: GglibError) -> None:
        words = words_for_error(error)
        lost = self.tr("What you wrote is still here, and is lost when you close this window now.")
        self._say(f"{self.tr('This could not be saved.')} {words.hint} {lost}")

    def _say(self, text: str) -> None:
        self._said.setText(text)
        self._said.setAccessibleName(text)
