"""The exact command line that a form's options lead to."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from gglib_desktop.domain.launch.form import FormState
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel
from gglib_desktop.views.words.errors import field_name

_LINES = 3


class CommandPreview(QWidget):
    """Follows the form; says why if there is no command line."""

    def __init__(self, form: OptionFormViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._title = QLabel()
        self._title.setObjectName("commandLineTitle")
        self._line = QPlainTextEdit()
        self._line.setObjectName("commandLinePreview")
        self._line.setAccessibleName(self.tr("Command line"))
        self._line.setReadOnly(True)
        self._line.setTabChangesFocus(True)
        self._line.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        margins = 2 * (self._line.frameWidth() + round(self._line.document().documentMargin()))
        self._line.setFixedHeight(self._line.fontMetrics().lineSpacing() * _LINES + margins + 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._title)
        layout.addWidget(self._line)
        form.stateChanged.connect(self._render)
        self._render(form.state)

    @Slot(object)
    def _render(self, state: FormState) -> None:
        title = self.tr("Command line")
        if state.command_line and state.port_is_automatic:
            title = self.tr("Command line (if the first port is free; else with the next one that is)")
        if state.command_line and state.key_variable:
            handed_over = self.tr("{title}; the key is handed over in {variable}")
            title = handed_over.format(title=title, variable=state.key_variable)
        self._title.setText(title)
        text = state.command_line or self._why_none(state)
        if text != self._line.toPlainText():
            self._line.setPlainText(text)

    def _why_none(self, state: FormState) -> str:
        names = [field_name(name) for name, field in state.fields.items() if field.problem]
        if names:
            return self.tr("None yet: look at {fields}.").format(fields=", ".join(names))
        return self.tr("None yet: no llama-server is known.")
