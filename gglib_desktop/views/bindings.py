"""Keep a widget and one field of a form's draft equal.

Each binding is owned by its widget, so that its connections end with it. All listen to signals that assistive
technology causes too: never to ``textEdited``, ``clicked`` or ``activated``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from PySide6.QtCore import QObject, QSignalBlocker, SignalInstance
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QRadioButton, QSpinBox


class FormViewModel(Protocol):
    """A draft that widgets edit; ``draftChanged`` carries the new one."""

    @property
    def draft(self) -> Any: ...

    @property
    def draftChanged(self) -> SignalInstance: ...

    def edit(self, **changes: Any) -> None: ...


class SpinBinding(QObject):
    """A whole number."""

    def __init__(self, box: QSpinBox, form: FormViewModel, field: str) -> None:
        super().__init__(box)
        self._box, self._form, self._field = box, form, field
        box.valueChanged.connect(self._push)
        form.draftChanged.connect(self._pull)
        self._pull(form.draft)

    def _push(self, value: int) -> None:
        self._form.edit(**{self._field: value})

    def _pull(self, draft: Any) -> None:
        value = getattr(draft, self._field)
        if value != self._box.value():
            with QSignalBlocker(self._box):
                self._box.setValue(value)


class OptionalSpinBinding(QObject):
    """A whole number or None, which is the box's minimum; its special value text says what None means."""

    def __init__(self, box: QSpinBox, form: FormViewModel, field: str) -> None:
        super().__init__(box)
        self._box, self._form, self._field = box, form, field
        box.valueChanged.connect(self._push)
        form.draftChanged.connect(self._pull)
        self._pull(form.draft)

    def _push(self, value: int) -> None:
        self._form.edit(**{self._field: None if value == self._box.minimum() else value})

    def _pull(self, draft: Any) -> None:
        value = getattr(draft, self._field)
        value = self._box.minimum() if value is None else value
        if value != self._box.value():
            with QSignalBlocker(self._box):
                self._box.setValue(value)


class DoubleSpinBinding(QObject):
    """A number with decimals, compared in the precision that the box shows."""

    def __init__(self, box: QDoubleSpinBox, form: FormViewModel, field: str) -> None:
        super().__init__(box)
        self._box, self._form, self._field = box, form, field
        box.valueChanged.connect(self._push)
        form.draftChanged.connect(self._pull)
        self._pull(form.draft)

    def _push(self, value: float) -> None:
        # The box adds up its steps: 0.05 fifteen times is not quite 0.75.
        self._form.edit(**{self._field: round(value, self._box.decimals())})

    def _pull(self, draft: Any) -> None:
        value = round(getattr(draft, self._field), self._box.decimals())
        if value != round(self._box.value(), self._box.decimals()):
            with QSignalBlocker(self._box):
                self._box.setValue(value)


class RadioBinding(QObject):
    """One of several values, each with its own radio button. The first button owns the binding."""

    def __init__(self, buttons: Mapping[Any, QRadioButton], form: FormViewModel, field: str) -> None:
        super().__init__(next(iter(buttons.values())))
        self._form, self._field = form, field
        self._values = tuple(buttons)
        self._group = QButtonGroup(self)
        for number, button in enumerate(buttons.values()):
            self._group.addButton(button, number)
        self._group.idToggled.connect(self._push)
        form.draftChanged.connect(self._pull)
        self._pull(form.draft)

    def _push(self, number: int, checked: bool) -> None:
        if checked:
            self._form.edit(**{self._field: self._values[number]})

    def _pull(self, draft: Any) -> None:
        number = self._values.index(getattr(draft, self._field))
        if number != self._group.checkedId():
            with QSignalBlocker(self._group):
                self._group.button(number).setChecked(True)


class CheckBinding(QObject):
    """One of two values as a check box, which owns the binding."""

    def __init__(self, box: QCheckBox, form: FormViewModel, field: str, *, on: Any, off: Any) -> None:
        super().__init__(box)
        self._box, self._form, self._field = box, form, field
        self._on, self._off = on, off
        box.toggled.connect(self._push)
        form.draftChanged.connect(self._pull)
        self._pull(form.draft)

    def _push(self, checked: bool) -> None:
        self._form.edit(**{self._field: self._on if checked else self._off})

    def _pull(self, draft: Any) -> None:
        checked = getattr(draft, self._field) == self._on
        if checked != self._box.isChecked():
            with QSignalBlocker(self._box):
                self._box.setChecked(checked)


class ComboBinding(QObject):
    """One of the values that the combo box's items hold as their data."""

    def __init__(self, combo: QComboBox, form: FormViewModel, field: str) -> None:
        super().__init__(combo)
        self._combo, self._form, self._field = combo, form, field
        combo.currentIndexChanged.connect(self._push)
        form.draftChanged.connect(self._pull)
        self._pull(form.draft)

    def _push(self, index: int) -> None:
        if index >= 0:
            self._form.edit(**{self._field: self._combo.itemData(index)})

    def _pull(self, draft: Any) -> None:
        value = getattr(draft, self._field)
        if value != self._combo.currentData():
            # Not findData: Qt compares its own copies, which are not always equal for Python values.
            held = [self._combo.itemData(index) for index in range(self._combo.count())]
            with QSignalBlocker(self._combo):
                self._combo.setCurrentIndex(held.index(value))


class TextBinding(QObject):
    """A text; ``read`` makes it from a draft and ``write`` puts it into the form."""

    def __init__(
        self, edit: QLineEdit, form: FormViewModel, read: Callable[[Any], str], write: Callable[[str], None]
    ) -> None:
        super().__init__(edit)
        self._edit, self._read, self._write = edit, read, write
        self._writing = False
        edit.textChanged.connect(self._push)
        form.draftChanged.connect(self._pull)
        self._pull(form.draft)

    def _push(self, text: str) -> None:
        # While somebody types, the text is theirs: "/opt/" must not become "/opt", which is the same path.
        self._writing = True
        try:
            self._write(text)
        finally:
            self._writing = False

    def _pull(self, draft: Any) -> None:
        text = self._read(draft)
        if not self._writing and text != self._edit.text():
            with QSignalBlocker(self._edit):
                self._edit.setText(text)
