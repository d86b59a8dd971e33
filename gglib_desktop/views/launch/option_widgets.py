"""A widget for every kind of launch option, made from the option's definition alone.

Each shows one field of a form: the layer's value, or the inherited one if the layer has none. A required field
always has a value.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import QSignalBlocker, Slot
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QLineEdit, QWidget
from typing_extensions import override

from gglib_desktop.domain.launch.form import FieldState, FormState
from gglib_desktop.domain.options.engine_options import EngineOption, shown_range
from gglib_desktop.domain.options.text import write_text
from gglib_desktop.domain.units import shortest
from gglib_desktop.domain.values import Matching
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel
from gglib_desktop.views.widgets.wheel_safe_boxes import WheelSafeComboBox, WheelSafeDoubleSpinBox, WheelSafeSpinBox
from gglib_desktop.views.words.options import inherited_entry, inherited_text, translated

_DECIMALS = 9
ENGINE_OPTION = "engine"


class FieldWidget(Protocol):
    """A widget for one field."""

    def show_field(self, state: FieldState) -> None: ...


def make_widget(
    option: EngineOption, form: OptionFormViewModel, parent: QWidget
) -> NumberField | DecimalField | ChoiceField | OpenChoiceField | TextField:
    """The widget for an option, with its object name and its accessible name."""
    made = _widget_class(option)(option, form, parent)
    made.setObjectName(f"field_{option.name}")
    made.setAccessibleName(translated(option.spec.label))
    made.setToolTip(_tool_tip(option))
    return made


def _widget_class(option: EngineOption) -> type[NumberField | DecimalField | ChoiceField | OpenChoiceField | TextField]:
    if isinstance(option.limits, Matching):
        return OpenChoiceField
    if option.kind is bool or option.choices:
        return ChoiceField
    if option.kind is int:
        return NumberField
    return DecimalField if option.kind is float else TextField


def _tool_tip(option: EngineOption) -> str:
    flags = ", ".join((*option.spec.flags, *option.spec.off_flags))
    return f"{translated(option.spec.help)}\n{flags}".rstrip()


class NumberField(WheelSafeSpinBox):
    """A whole number, some of which have names. One step below the range means no value, if that is allowed."""

    def __init__(self, option: EngineOption, form: OptionFormViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._option, self._form = option, form
        self._words = dict(option.spec.words)
        self._inherited: int | None = None
        self._lowest, highest = map(int, shown_range(option))
        self._room_for_nothing = 0 if form.state.fields[option.name].required else 1
        self.setRange(self._lowest - self._room_for_nothing, highest)
        self.setSingleStep(int(option.spec.step))
        if option.spec.unit:
            self.setGroupSeparatorShown(True)
            self.setSuffix(f" {translated(option.spec.unit)}")
        self.valueChanged.connect(self._push)

    def show_field(self, state: FieldState) -> None:
        self._inherited = state.inherited
        with QSignalBlocker(self):
            if self._room_for_nothing:
                self.setSpecialValueText(inherited_text(self._option, state))
            if state.value is not None:
                self._make_room(state.value)
            value = self.minimum() if state.value is None else state.value
            if value != self.value():
                self.setValue(value)

    def _make_room(self, value: int) -> None:
        """A value from elsewhere may be beyond the offered range, and must be shown as it is."""
        if value < self._lowest:
            self._lowest = value
            self.setMinimum(value - self._room_for_nothing)
            self.setValue(self.minimum())  # else Qt keeps showing the word for no value
        self.setMaximum(max(self.maximum(), value))

    @Slot(int)
    def _push(self, value: int) -> None:
        self._form.edit(**{self._option.name: None if self._is_empty else value})

    @property
    def _is_empty(self) -> bool:
        return self._room_for_nothing > 0 and self.value() == self.minimum()

    @override
    def stepBy(self, steps: int) -> None:
        """Without a value, steps begin at the inherited one; downward, they stop at the least value."""
        step = self.singleStep()
        if self._is_empty:
            start = _start(self._option, self._inherited)
            if start is not None:
                self.setValue(int(max(self._lowest, start + steps * step)))
            elif steps > 0:
                self.setValue(self._lowest if step == 1 else step * steps)
        elif steps < 0 and self.value() > self._lowest:
            self.setValue(max(self._lowest, self.value() + steps * step))
        else:
            super().stepBy(steps)

    @override
    def validate(self, input: str, pos: int) -> Any:
        word = input.strip().lower()
        if word in self._words:
            return QValidator.State.Acceptable, input, pos
        if word and any(name.startswith(word) for name in self._words):
            return QValidator.State.Intermediate, input, pos
        return super().validate(input, pos)

    @override
    def valueFromText(self, text: str) -> int:
        word = text.strip().lower()
        return self._words[word] if word in self._words else super().valueFromText(text)

    @override
    def textFromValue(self, val: int) -> str:
        return next((word for word, value in self._words.items() if value == val), "") or super().textFromValue(val)


class DecimalField(WheelSafeDoubleSpinBox):
    """A number, shown with as many decimals as it has. One step below the range means no value.

    A required one cannot be empty, and has the decimals of its definition.
    """

    def __init__(self, option: EngineOption, form: OptionFormViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._option, self._form = option, form
        self._inherited: float | None = None
        self._lowest, highest = shown_range(option)
        required = form.state.fields[option.name].required
        self._room_for_nothing = 0.0 if required else option.spec.step
        self.setDecimals(option.spec.decimals if required else _DECIMALS)
        self.setSingleStep(option.spec.step)
        self.setRange(self._lowest - self._room_for_nothing, highest)
        self.valueChanged.connect(self._push)

    def show_field(self, state: FieldState) -> None:
        self._inherited = state.inherited
        with QSignalBlocker(self):
            if self._room_for_nothing:
                self.setSpecialValueText(inherited_text(self._option, state))
            if state.value is not None:
                self._make_room(state.value)
            value = self.minimum() if state.value is None else float(state.value)
            if round(value, self.decimals()) != round(self.value(), self.decimals()):
                self.setValue(value)

    def _make_room(self, value: float) -> None:
        """Like NumberField's."""
        if value < self._lowest:
            self._lowest = value
            self.setMinimum(value - self._room_for_nothing)
            self.setValue(self.minimum())
        self.setMaximum(max(self.maximum(), value))

    @Slot(float)
    def _push(self, value: float) -> None:
        # The box adds up its steps: 0.05 fifteen times is not quite 0.75.
        said = None if self._is_empty else max(self._lowest, round(value, self.decimals()))
        self._form.edit(**{self._option.name: said})

    @property
    def _is_empty(self) -> bool:
        return self._room_for_nothing > 0 and self.value() == self.minimum()

    @override
    def stepBy(self, steps: int) -> None:
        """Like NumberField's."""
        step = self.singleStep()
        if self._is_empty:
            start = _start(self._option, self._inherited)
            if start is not None:
                self.setValue(max(self._lowest, start + steps * step))
            elif steps > 0:
                self.setValue(self._lowest)
        elif steps < 0 and self.value() > self._lowest:
            self.setValue(max(self._lowest, self.value() + steps * step))
        else:
            super().stepBy(steps)

    @override
    def textFromValue(self, val: float) -> str:
        return shortest(round(val, _DECIMALS)) if self._room_for_nothing else super().textFromValue(val)


def _start(option: EngineOption, inherited: float | None) -> float | None:
    """Where stepping begins in an empty field: at the value in force, if that is a number."""
    if inherited is not None:
        return inherited
    try:
        return float(option.spec.default or "")
    except ValueError:
        return None


class ChoiceField(WheelSafeComboBox):
    """One of a closed set, or on or off; the first entry leaves it to the layers below."""

    def __init__(self, option: EngineOption, form: OptionFormViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._option, self._form = option, form
        self._values: list[Any] = [None, *(option.choices or (True, False))]
        self.addItem("")
        self.addItems([*option.choices] or [self.tr("On"), self.tr("Off")])
        self.currentIndexChanged.connect(self._push)

    def show_field(self, state: FieldState) -> None:
        with QSignalBlocker(self):
            self.setItemText(0, inherited_entry(self._option, state))
            self.setCurrentIndex(self._values.index(state.value))

    @Slot(int)
    def _push(self, index: int) -> None:
        self._form.edit(**{self._option.name: self._values[index]})


class OpenChoiceField(WheelSafeComboBox):
    """One of those that are there now. What is chosen and not among them any more is added."""

    def __init__(self, option: EngineOption, form: OptionFormViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._option, self._form = option, form
        self.addItem("")
        self.currentIndexChanged.connect(self._push)

    def show_field(self, state: FieldState) -> None:
        with QSignalBlocker(self):
            for each in _offered(self._option, self._form.state):
                if self.findData(each) < 0:
                    self.addItem(each, each)
            self.setItemText(0, inherited_entry(self._option, state))
            if state.value is not None and self.findData(state.value) < 0:
                self.addItem(state.value, state.value)
            self.setCurrentIndex(max(0, self.findData(state.value)) if state.value is not None else 0)

    @Slot(int)
    def _push(self, index: int) -> None:
        self._form.edit(**{self._option.name: self.itemData(index)})


def _offered(option: EngineOption, state: FormState) -> tuple[str, ...]:
    return state.engines if option.name == ENGINE_OPTION else state.drafting.methods


class TextField(QLineEdit):
    """Any text; unreadable text stays as typed."""

    def __init__(self, option: EngineOption, form: OptionFormViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._option, self._form = option, form
        self.is_file = option.kind is Path
        self._writing = False
        self.textChanged.connect(self._push)

    def show_field(self, state: FieldState) -> None:
        self.setPlaceholderText(inherited_text(self._option, state))
        text = state.typed if state.typed is not None else write_text(state.value)
        # While the user types, the text stays theirs, with its blanks and quotation marks.
        if not self._writing and text != self.text():
            with QSignalBlocker(self):
                self.setText(text)

    @Slot(str)
    def _push(self, text: str) -> None:
        self._writing = True
        try:
            self._form.type_text(self._option.name, text)
        finally:
            self._writing = False
