"""The engine's devices, to choose by a click."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QSignalBlocker, Slot
from PySide6.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from gglib_desktop.domain.engine.capabilities import EngineDevice
from gglib_desktop.domain.launch.form import FormState
from gglib_desktop.domain.options.text import device_names
from gglib_desktop.domain.units import size_text
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel


class DeviceChoices(QWidget):
    """A check box for each device; the field above still takes any text."""

    def __init__(self, form: OptionFormViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._boxes: dict[str, QCheckBox] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(2)
        form.stateChanged.connect(self._render)
        form.devicesFound.connect(self._show_devices)

    @Slot(object)
    def _show_devices(self, devices: Sequence[EngineDevice]) -> None:
        for device in devices:
            text = self.tr("{name}: {description}, {memory}").format(
                name=device.name, description=device.description, memory=size_text(device.memory_bytes)
            )
            box = QCheckBox(text)
            box.setObjectName(f"device_{device.name}")
            box.setAccessibleName(text)
            box.toggled.connect(partial(self._form.use_device, device.name))
            self._boxes[device.name] = box
            self._layout.addWidget(box)
        if not devices:
            none = QLabel(self.tr("This engine lists no devices: it computes on the CPU."))
            none.setObjectName("deviceNone")
            self._layout.addWidget(none)
        self._render(self._form.state)

    @Slot(object)
    def _render(self, state: FormState) -> None:
        used = device_names(state.fields["device"].value)
        for name, box in self._boxes.items():
            with QSignalBlocker(box):
                box.setChecked(name in used)
