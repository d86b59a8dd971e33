"""One fact under its label."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget
from typing_extensions import override

from gglib_desktop.views.look.theme import Figure, figure_colour
from gglib_desktop.views.look.type_scale import TypeSize, set_type
from gglib_desktop.views.widgets.labels.fixed_width import FixedWidthLabel


class FigureCell(QWidget):
    """``object_name`` is the value's, whose accessible name is label and value: ``Slots: 4``.

    ``usual`` is the longest usual value: shorter ones leave the room that it needs.
    """

    def __init__(self, label: str, object_name: str, parent: QWidget, *, usual: str, large: bool = False) -> None:
        super().__init__(parent)
        self._text = label
        self._figure: Figure | None = None
        label_view = QLabel(label, self)
        label_view.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        set_type(label_view, TypeSize.SMALL)
        self._value = FixedWidthLabel(usual, self)
        self._value.setObjectName(object_name)
        set_type(self._value, TypeSize.TITLE if large else TypeSize.BODY, strong=large, figures=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(label_view)
        layout.addWidget(self._value)

    def show_value(self, value: str, *, spoken: str = "", hint: str = "", figure: Figure | None = None) -> None:
        """``spoken``: the value in the accessible name, if it is said in other words; ``figure``: its color."""
        if figure is not self._figure:
            self._figure = figure
            self._take_colour()
        if value != self._value.text():
            self._value.setText(value)
        name = f"{self._text}: {spoken or value}"
        if name != self._value.accessibleName():
            self._value.setAccessibleName(name)
        if hint != self.toolTip():
            self.setToolTip(hint)
            self._value.setAccessibleDescription(hint)

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._take_colour()

    def _take_colour(self) -> None:
        palette = QPalette()
        if self._figure is not None:
            palette.setColor(QPalette.ColorRole.WindowText, figure_colour(self._figure, self.palette()))
        self._value.setPalette(palette)
