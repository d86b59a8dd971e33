"""The choice of a preset beside a form of launch options, and the actions on presets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import Signal, Slot

from gglib_desktop.domain.documents.preset_file import ImportedPresets
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.launch.presets import Preset
from gglib_desktop.domain.models.model import Model
from gglib_desktop.services.launch.presets import Presets
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import ViewModel
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel


@dataclass(frozen=True)
class PresetsState:
    """Everything that a choice of presets shows.

    ``chosen`` last filled the form; ``is_changed``: the form has changed since.
    ``can_save``: the form can become a preset. ``can_undo``: there is something to go back to.
    """

    presets: tuple[Preset, ...] = ()
    chosen: Preset | None = None
    is_changed: bool = False
    can_save: bool = True
    can_undo: bool = False

    @property
    def can_update(self) -> bool:
        return self.is_changed and self.can_save


@dataclass(frozen=True)
class _Contents:
    """The content of a form: its options, texts that are not values, and the preset that filled it."""

    draft: LaunchOptions
    typed: Mapping[str, str] = field(default_factory=dict)
    preset_id: int | None = None


class PresetsViewModel(ViewModel):
    """Fills a form with presets, and makes presets from its content."""

    stateChanged = Signal(object)  # PresetsState

    def __init__(
        self, presets: Presets, form: OptionFormViewModel, scope: TaskScope, *, use_last: bool = False
    ) -> None:
        """``use_last`` begins with the preset that the model was last started with."""
        super().__init__(scope)
        self._presets = presets
        self._form = form
        self._state = PresetsState()
        self._listed: tuple[Preset, ...] = ()
        self._chosen: Preset | None = None
        self._own = _Contents(form.draft)
        self._before: list[_Contents] = []
        self.update = self.command(self._update, "update preset")
        form.stateChanged.connect(self._on_form)
        self.run(self._begin(use_last=use_last), "presets")

    @property
    def state(self) -> PresetsState:
        return self._state

    @property
    def model(self) -> Model | None:
        """The model that the form is for; None: for all models."""
        return self._form.model

    def choose(self, preset_id: int | None) -> None:
        """Fills the form with a preset; None brings back its content from before the first one."""
        now, preset = self._contents(), self._preset(preset_id)
        if preset == self._chosen:
            return
        if self._chosen is None:
            self._own = now
        self._before.append(now)
        self._fill(self._own if preset is None else _Contents(preset.options, preset_id=preset_id))

    def undo(self) -> None:
        """Brings back what the last choice replaced."""
        if self._before:
            before = self._before.pop()
            self._fill(before)
            if self._chosen is None:
                self._own = before

    async def save_as(self, name: str, *, for_all: bool) -> None:
        """Makes a preset from the form's content, and chooses it. Raises: ConfigurationError, LibraryError."""
        model = None if for_all else self.model
        preset = await self._presets.create(name, self._form.draft, None if model is None else model.id)
        await self._read(chosen_id=preset.id)

    async def rename(self, preset: Preset, name: str) -> None:
        """Raises: ConfigurationError, LibraryError."""
        await self._presets.rename(preset, name)
        await self._read()

    async def delete(self, preset: Preset) -> None:
        """The form's content stays. Raises: LibraryError."""
        await self._presets.delete(preset)
        await self._read()

    async def export(self, path: Path, presets: Sequence[Preset]) -> None:
        """Raises: PresetFileError."""
        await self._presets.export(path, presets, self.model.name if self.model is not None else None)

    async def import_from(self, path: Path) -> ImportedPresets:
        """Raises: PresetFileError, LibraryError."""
        imported = await self._presets.import_from(path, self._model_id)
        await self._read()
        return imported

    @Slot()
    def note_used(self) -> None:
        """The model was started with the form's content."""
        if self._model_id is not None:
            self.run(self._presets.note_used(self._model_id, self._chosen), "note the preset")

    # -- what is done

    @property
    def _model_id(self) -> int | None:
        return None if self.model is None else self.model.id

    async def _begin(self, *, use_last: bool) -> None:
        await self._read()
        if use_last and self._model_id is not None:
            last = await self._presets.last_used(self._model_id)
            if last is not None and self._contents() == self._own:
                self.choose(last.id)

    async def _update(self) -> None:
        if self._chosen is not None:
            await self._presets.update(self._chosen, self._form.draft)
            await self._read()

    async def _read(self, *, chosen_id: int | None = None) -> None:
        """What is stored now; the same preset stays chosen as long as it exists."""
        self._listed = await self._presets.listed(self._model_id)
        if self._chosen is None and chosen_id is not None:
            self._own = self._contents()
        kept_id = None if self._chosen is None else self._chosen.id
        self._chosen = self._preset(kept_id if chosen_id is None else chosen_id)
        self._show()

    # -- the form

    def _contents(self) -> _Contents:
        fields = self._form.state.fields
        typed = {name: field.typed for name, field in fields.items() if field.typed is not None}
        return _Contents(self._form.draft, typed, None if self._chosen is None else self._chosen.id)

    def _fill(self, contents: _Contents) -> None:
        self._chosen = self._preset(contents.preset_id)
        self._form.load(contents.draft)
        for name, text in contents.typed.items():
            self._form.type_text(name, text)
        self._show()

    def _preset(self, preset_id: int | None) -> Preset | None:
        return next((each for each in self._listed if each.id == preset_id), None)

    @Slot(object)
    def _on_form(self, _state: object) -> None:
        self._show()

    def _show(self) -> None:
        contents, chosen = self._contents(), self._chosen
        state = PresetsState(
            presets=self._listed,
            chosen=chosen,
            is_changed=chosen is not None and (contents.draft != chosen.options or bool(contents.typed)),
            can_save=self._form.state.can_save,
            can_undo=bool(self._before),
        )
        if state != self._state:
            self._state = state
            self.stateChanged.emit(state)
