"""The user's own words about a model: tags and notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from PySide6.QtCore import QTimer, Signal, Slot

from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.models.tags import parse_tags, tags_text
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import ViewModel

_PAUSE_MS = 800


class NotesKeeper(Protocol):
    """Keeps what was written about models."""

    async def describe(self, model_id: int, tags: Sequence[str], notes: str) -> None:
        """Raises: LibraryError."""


@dataclass(frozen=True)
class NotesDraft:
    """The content of the form; ``tags`` as typed."""

    tags: str
    notes: str


class ModelNotesViewModel(ViewModel):
    """A draft that saves itself when the user pauses, and stays if it cannot be saved."""

    draftChanged = Signal(object)  # NotesDraft
    saved = Signal()

    def __init__(self, model: Model, keeper: NotesKeeper, scope: TaskScope) -> None:
        super().__init__(scope)
        self._model_id = model.id
        self._keeper = keeper
        self._kept = (model.tags, model.notes)
        self._draft = NotesDraft(tags_text(model.tags), model.notes)
        self.save = self.command(self._save, "save notes")
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self._on_pause)

    @property
    def draft(self) -> NotesDraft:
        return self._draft

    @property
    def is_changed(self) -> bool:
        """Something has not been saved."""
        return self._wanted() != self._kept

    def edit(self, **changes: Any) -> None:
        draft = replace(self._draft, **changes)
        if draft != self._draft:
            self._draft = draft
            self._pause.start()
            self.draftChanged.emit(draft)

    @Slot()
    def _on_pause(self) -> None:
        if self.is_changed:
            self.save.trigger()

    def _wanted(self) -> tuple[tuple[str, ...], str]:
        return parse_tags(self._draft.tags), self._draft.notes

    async def _save(self) -> None:
        # Until changes made during saving are saved too.
        while (wanted := self._wanted()) != self._kept:
            self._pause.stop()
            await self._keeper.describe(self._model_id, *wanted)
            self._kept = wanted
        self.saved.emit()
