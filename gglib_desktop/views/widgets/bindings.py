"""Keep a widget and one field of a form's draft equal.

Each binding is owned by its widget, so that its connections end with it. All use signals that assistive
technology causes too: never ``textEdited``, ``clicked`` or ``activated``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Protocol

from PySide6.QtCore import QObject, QSignalBlocker, SignalInstance
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QWidget,
)
from typing_extensions import override


class FormViewModel(Protocol):
    """A draft that widgets edit; ``draftChanged`` carries the new one."""

    @property
    def draft(self) -> Any: ...

    @property
    def draftChanged(self) -> SignalInstance: ...

    def edit(self, **changes: Any) -> None: ...


class _Binding(QObject):
    """The common part. A subclass keeps what it needs to read and show values, then calls ``_bind``."""

    def __init__(self, owner: QWidget, form: FormViewModel, field: str) -> None:
        super().__init__(owner)
        self._owner, self._form, self._field = owner, form, field

    def _bind(self, changed: SignalInstance) -> None:
        changed.connect(self._push)
        self._form.draftChanged.connect(self._pull)
        self._pull(self._form.draft)

    def _push(self, *_values: Any) -> None:
        self._form.edit(**{self._field: self._shown()})

    def _pull(self, draft: Any) -> None:
        value = self._wanted(draft)
        # A value that is already shown is left alone, and so is the cursor.
        if value != self._shown():
            with QSignalBlocker(self._owner):
                self._show(value)

    def _wanted(self, draft: Any) -> Any:
        return getattr(draft, self._field)

    @abstractmethod
    def _shown(self) -> Any:
        """The widget's value in the form that the draft has."""

    @abstractmethod
    def _show(self, value: Any) -> None: ...


class SpinBinding(_Binding):
    """A whole number."""

    def __init__(self, box: QSpinBox | QDoubleSpinBox, form: FormViewModel, field: str) -> None:
        super().__init__(box, form, field)
        self._box = box
        self._bind(box.valueChanged)

    @override
    def _shown(self) -> float:
        return self._box.value()

    @override
    def _show(self, value: Any) -> None:
        self._box.setValue(value)


class DoubleSpinBinding(SpinBinding):
    """A number with decimals, compared in the precision that the box shows."""

    _box: QDoubleSpinBox

    @override
    def _wanted(self, draft: Any) -> float:
        return round(float(super()._wanted(draft)), self._box.decimals())

    @override
    def _shown(self) -> float:
        # The box adds up its steps: 0.05 fifteen times is not quite 0.75.
        return round(super()._shown(), self._box.decimals())


class ComboBinding(_Binding):
    """One of the values in the data of the combo box's items."""

    def __init__(self, combo: QComboBox, form: FormViewModel, field: str) -> None:
        super().__init__(combo, form, field)
        self._combo = combo
        self._bind(combo.currentIndexChanged)

    @override
    def _push(self, *values: Any) -> None:
        if self._combo.currentIndex() >= 0:
            super()._push()

    @override
    def _shown(self) -> Any:
        return self._combo.currentData()

    @override
    def _show(self, value: Any) -> None:
        # Not findData: Qt compares its own copies, which are not always equal for Python values.
        held = [self._combo.itemData(index) for index in range(self._combo.count())]
        self._combo.setCurrentIndex(held.index(value))


class PlainTextBinding(_Binding):
    """A text of any number of lines."""

    def __init__(self, edit: QPlainTextEdit, form: FormViewModel, field: str) -> None:
        super().__init__(edit, form, field)
        self._edit = edit
        self._bind(edit.textChanged)

    @override
    def _shown(self) -> str:
        return self._edit.toPlainText()

    @override
    def _show(self, value: str) -> None:
        self._edit.setPlainText(value)


class TextBinding(QObject):
    """A text; ``read`` gets it from a draft and ``write`` puts it into the form."""

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
        # While the user types, the text stays theirs: "/opt/" must not become "/opt", which is the same path.
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
