"""One row of an option form: the label, the field, a way back to the inherited value, and a note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from PySide6.QtCore import QEvent, Qt, Slot
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QGridLayout, QLabel, QToolButton, QWidget
from typing_extensions import override

from gglib_desktop.domain.launch.form import FieldState, FormState
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel
from gglib_desktop.views.launch.option_widgets import FieldWidget
from gglib_desktop.views.look.icons import icon
from gglib_desktop.views.look.theme import state_colour
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.words.errors import mtp_reason_text, sentence
from gglib_desktop.views.words.options import changed_text, disabled_text, draft_file_text, source_text, value_text

_LABEL_CHARACTERS = 28
_FIELD_CHARACTERS = 34
_MARK = "●"
DRAFT_MODEL = "spec_draft_model"
# What a note beside its field needs, and the column of the grid that it is in.
_NOTE_CHARACTERS = 42
_BESIDE = 4


@dataclass(frozen=True, kw_only=True)
class RowWords:
    """A row's texts: ``help`` in a sentence, ``sought`` for the search."""

    name: str
    label: str
    help: str
    sought: str = ""


@dataclass(frozen=True, kw_only=True)
class RowParts:
    """The widgets of a row. ``below`` go under the field; a ``wide`` field also takes the room of its note."""

    field: QWidget
    shows: FieldWidget
    focus: Sequence[QWidget] = ()
    below: Sequence[QWidget] = ()
    wide: bool = False


class OptionRow(QWidget):
    """Shows one field of a form."""

    def __init__(self, words: RowWords, parts: RowParts, form: OptionFormViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.words, self._parts, self._form = words, parts, form
        self.name = words.name
        self._shown: FieldState | None = None
        self._usual = words.help
        self._mark = QLabel()
        self._label = QLabel(self.tr("{label}:").format(label=words.label))
        self._label.setBuddy(parts.focus[0] if parts.focus else parts.field)
        self._label.setToolTip(words.help)
        self._reset = self._reset_button()
        self._note = WrapLabel()
        # It takes what is left, and moves where that is too little.
        self._note.setMinimumWidth(1)
        self._note.setObjectName(f"note_{words.name}")
        self._lay_out()

    @property
    def focus(self) -> tuple[QWidget, ...]:
        """The order of Tab."""
        below = [button for widget in self._parts.below for button in widget.findChildren(QAbstractButton)]
        return (*(self._parts.focus or (self._parts.field,)), self._reset, *below)

    def matches(self, words: Sequence[str]) -> bool:
        text = f"{self.words.sought}\n{self.words.label}\n{self.words.help}\n{self.name}".lower()
        return all(word in text for word in words)

    def show_state(self, state: FormState) -> None:
        shown, usual = state.fields[self.name], self._usual_note(state)
        if (shown, usual) == (self._shown, self._usual):
            return
        self._shown, self._usual = shown, usual
        self._parts.shows.show_field(shown)
        self._parts.field.setEnabled(shown.disabled is None)
        for widget in self._parts.below:
            widget.setEnabled(shown.disabled is None)
        is_marked = state.is_marked(self.name)
        self._reset.setVisible(is_marked)
        self._mark.setText(_MARK if is_marked else "")
        font = self._label.font()
        font.setBold(is_marked)
        self._label.setFont(font)
        self._say(shown)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_note()

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._shown is not None:
            self._say(self._shown)

    def set_focus(self) -> None:
        (self._parts.focus or (self._parts.field,))[0].setFocus(Qt.FocusReason.OtherFocusReason)

    # -- places

    def _reset_button(self) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"reset_{self.name}")
        text = self.tr("Reset {label}").format(label=self.words.label)
        button.setAccessibleName(text)
        button.setToolTip(self.tr("Leaves this to the layers below again"))
        button.setIcon(icon("reset"))
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        policy = button.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        button.setSizePolicy(policy)
        button.clicked.connect(self._on_reset)
        return button

    def _lay_out(self) -> None:
        metrics = self.fontMetrics()
        self._mark.setFixedWidth(metrics.horizontalAdvance(_MARK))
        self._mark.setForegroundRole(QPalette.ColorRole.Link)
        self._label.setFixedWidth(metrics.averageCharWidth() * _LABEL_CHARACTERS)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(2)
        grid.addWidget(self._mark, 0, 0)
        grid.addWidget(self._label, 0, 1)
        grid.addWidget(self._parts.field, 0, 2)
        grid.addWidget(self._reset, 0, 3)
        if self._parts.wide:
            grid.addWidget(self._note, 1, 2)
            grid.setColumnStretch(2, 1)
        else:
            self._parts.field.setFixedWidth(metrics.averageCharWidth() * _FIELD_CHARACTERS)
            grid.addWidget(self._note, 0, _BESIDE)
            grid.setColumnStretch(_BESIDE, 1)
        for line, widget in enumerate(self._parts.below, start=2):
            grid.addWidget(widget, line, 2, 1, -1)

    def _place_note(self) -> None:
        """Below the field where large text or a small window leaves no room beside it."""
        grid = self.layout()
        if self._parts.wide or not isinstance(grid, QGridLayout):
            return
        taken = self._label.width() + self._parts.field.width()
        is_narrow = self.width() - taken < self.fontMetrics().averageCharWidth() * _NOTE_CHARACTERS
        row, _column, _rows, _columns = cast(tuple[int, int, int, int], grid.getItemPosition(grid.indexOf(self._note)))
        if is_narrow != (row > 0):
            grid.removeWidget(self._note)
            if is_narrow:
                grid.addWidget(self._note, 1, 2, 1, -1)
            else:
                grid.addWidget(self._note, 0, _BESIDE)

    # -- news

    def _usual_note(self, _state: FormState) -> str:
        """The note beside a field if there is nothing else to say about it."""
        return self.words.help

    def _warning_text(self, warning: str) -> str:
        """With what comes of it."""
        return self.tr("{warning} It will probably refuse to start.").format(warning=warning)

    def _say(self, shown: FieldState) -> None:
        text = self._usual
        if shown.problem is not None:
            text = sentence(shown.problem)
        elif shown.warning is not None:
            text = self._warning_text(sentence(shown.warning))
        elif shown.disabled is not None:
            text = disabled_text(shown.disabled)
        elif shown.is_changed:
            text = changed_text(self.name, shown)
        elif shown.is_set and shown.inherited is not None and text == self.words.help:
            text = self.tr("Instead of {value} ({source})").format(
                value=value_text(None, shown.inherited), source=source_text(shown.source, shown.measured_at)
            )
        self._note.setText(text)
        palette = QPalette(self.palette())
        colour = palette.color(QPalette.ColorRole.PlaceholderText)
        if shown.problem is not None:
            colour = state_colour("Failed", palette)
        elif shown.warning is not None:
            colour = state_colour("Degraded", palette)
        palette.setColor(QPalette.ColorRole.WindowText, colour)
        self._note.setPalette(palette)
        for widget in self._parts.focus or (self._parts.field,):
            widget.setAccessibleDescription(text if text == self.words.help else f"{text} {self.words.help}")

    @Slot()
    def _on_reset(self) -> None:
        self.set_focus()
        shown = self._form.state.fields[self.name]
        self._form.edit(**{self.name: shown.was if shown.is_changed else None})


class MtpRow(OptionRow):
    """Says whether drafting will be on, and why."""

    @override
    def _usual_note(self, state: FormState) -> str:
        return mtp_reason_text(state.decision.reason)


class DraftModelRow(OptionRow):
    """Says what the chosen file is."""

    @override
    def _usual_note(self, state: FormState) -> str:
        file = state.drafting.file
        return self.words.help if file is None or file.problem is not None else sentence(draft_file_text(file))

    @override
    def _warning_text(self, warning: str) -> str:
        return self.tr("{warning} The server would draft nothing, or not start.").format(warning=warning)
