"""The choice of a preset above a form of launch options."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Slot
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from gglib_desktop.domain.errors import GglibError
from gglib_desktop.domain.launch.presets import Preset
from gglib_desktop.viewmodels.launch.presets import PresetsState, PresetsViewModel
from gglib_desktop.views.launch.presets.dialog import ManagePresetsDialog, PresetNameDialog
from gglib_desktop.views.widgets.ask import ask
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.widgets.layout.flow_row import FlowRow
from gglib_desktop.views.widgets.wheel_safe_boxes import WheelSafeComboBox
from gglib_desktop.views.words.errors import words_for_error
from gglib_desktop.views.words.presets import preset_text

_CHARACTERS = 24


class PresetBar(QWidget):
    """Shows a PresetsViewModel and passes on the user's actions."""

    def __init__(self, presets: PresetsViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("presetBar")
        self._presets = presets
        self._choice = WheelSafeComboBox(self)
        self._choice.setObjectName("preset")
        self._choice.setMinimumContentsLength(_CHARACTERS)
        self._choice.setSizeAdjustPolicy(WheelSafeComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._undo = push_button("presetUndo", self.tr("Undo"), self)
        self._undo.setToolTip(self.tr("Brings back what the last choice replaced"))
        self._update = push_button("presetUpdate", self.tr("Update"), self)
        self._update.setToolTip(self.tr("Makes the preset what is set below"))
        self._save = push_button("presetSaveAs", self.tr("Save as…"), self)
        self._save.setToolTip(self.tr("Makes a preset of what is set below"))
        self._manage = push_button("presetManage", self.tr("Manage presets…"), self)
        self._manage.setToolTip(self.tr("Rename, delete, import and export"))
        self._problem = WrapLabel(parent=self)
        self._problem.setObjectName("presetProblem")
        self._problem.hide()
        self._lay_out()
        self._connect()
        self._render(presets.state)

    def _lay_out(self) -> None:
        label = QLabel(self.tr("&Preset:"), self)
        label.setBuddy(self._choice)
        row = FlowRow([label, self._choice, self._undo, self._update, self._save, self._manage])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(row)
        layout.addWidget(self._problem)

    def _connect(self) -> None:
        self._presets.stateChanged.connect(self._render)
        self._presets.failed.connect(self._on_failed)
        self._choice.currentIndexChanged.connect(self._on_chosen)
        self._undo.clicked.connect(self._on_undo)
        self._update.clicked.connect(self._presets.update.trigger)
        self._save.clicked.connect(self._on_save)
        self._manage.clicked.connect(self._on_manage)

    # -- showing

    @Slot(object)
    def _render(self, state: PresetsState) -> None:
        entries: list[tuple[str, int | None]] = [(self.tr("No preset"), None)]
        entries += [(self._text(each, state), each.id) for each in state.presets]
        chosen = next((place for place, each in enumerate(state.presets, 1) if each == state.chosen), 0)
        with QSignalBlocker(self._choice):
            if [self._choice.itemData(place) for place in range(self._choice.count())] != [key for _, key in entries]:
                self._choice.clear()
                for text, key in entries:
                    self._choice.addItem(text, key)
            for place, (text, _key) in enumerate(entries):
                self._choice.setItemText(place, text)
            self._choice.setCurrentIndex(chosen)
        self._update.setEnabled(state.can_update)
        self._save.setEnabled(state.can_save)
        self._undo.setEnabled(state.can_undo)
        self._problem.hide()

    def _text(self, preset: Preset, state: PresetsState) -> str:
        text = preset_text(preset, self._presets.model)
        if state.is_changed and preset == state.chosen:
            text = self.tr("{name}, changed").format(name=text)
        return text

    @Slot(object)
    def _on_failed(self, error: GglibError) -> None:
        self._problem.setText(words_for_error(error).text)
        self._problem.show()

    # -- acting

    @Slot(int)
    def _on_chosen(self, place: int) -> None:
        self._presets.choose(self._choice.itemData(place))

    @Slot()
    def _on_undo(self) -> None:
        self._presets.undo()

    @Slot()
    def _on_save(self) -> None:
        presets = self._presets

        async def save(name: str, for_all: bool) -> None:
            await presets.save_as(name, for_all=for_all)

        dialog = PresetNameDialog(self.tr("Save as preset"), save, presets.run, self, model=presets.model)
        self._presets.run(ask(dialog), "save preset")

    @Slot()
    def _on_manage(self) -> None:
        self._presets.run(ask(ManagePresetsDialog(self._presets, self)), "manage presets")
