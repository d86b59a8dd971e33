"""The dialogs with a form of launch options: for one start of a model, and for its defaults."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from gglib_desktop.domain.errors import GglibError, InvalidDraft
from gglib_desktop.domain.launch.form import FormState
from gglib_desktop.viewmodels.launch.launch_forms import LaunchFormDialogViewModel, StartFormViewModel
from gglib_desktop.views.launch.command_tools import CommandPreview, CommandTools
from gglib_desktop.views.launch.measuring.dialog import MeasureDialog
from gglib_desktop.views.launch.option_form import OptionForm
from gglib_desktop.views.launch.option_memory import ContextHelpers, MemoryLine
from gglib_desktop.views.launch.presets.bar import PresetBar
from gglib_desktop.views.look.icons import icon
from gglib_desktop.views.widgets.ask import ask, if_there
from gglib_desktop.views.widgets.buttons import box_button
from gglib_desktop.views.widgets.labels.problem_box import ProblemBox
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.widgets.layout.room import resize_within_screen

_SIZE = QSize(780, 680)
_PROBLEM_LINES = 2
# Of text, that a screen must have for the form and the command line at once.
_LEAST_LINES = 36


class LaunchFormDialog(QDialog):
    """Closes once its options are accepted; until then, and if that fails, it keeps the user's input.

    Subclasses add their own widgets with ``add_above`` and ``add_below``.
    """

    def __init__(
        self,
        dialog: LaunchFormDialogViewModel,
        name: str,
        accept_name: str,
        accept_text: str,
        parent: QWidget | None = None,
    ) -> None:
        """``name`` and ``accept_name`` are for object names."""
        super().__init__(parent)
        self.view_model = dialog
        self.setObjectName(f"{name}Dialog")
        self._form = OptionForm(
            dialog.form, self, helpers={"context_size": ContextHelpers(dialog.form, dialog.forecast)}
        )
        self._problem = ProblemBox(name, self, lines=_PROBLEM_LINES)
        self._layout = QVBoxLayout(self)
        if dialog.presets is not None:
            self._layout.addWidget(PresetBar(dialog.presets, self))
        self._layout.addWidget(self._form, 1)
        self._layout.addWidget(MemoryLine(dialog.forecast))
        self._layout.addWidget(_CommandPart(dialog, self))
        last = QHBoxLayout()
        last.addWidget(self._problem, 1)
        last.addWidget(self._buttons(name, accept_name, accept_text), 0, Qt.AlignmentFlag.AlignBottom)
        self._layout.addLayout(last)
        resize_within_screen(self, _SIZE)
        dialog.done.connect(self.accept)
        dialog.failed.connect(self._on_failed)
        dialog.form.stateChanged.connect(self._on_edited)
        dialog.accept.busyChanged.connect(self._on_busy)
        self.finished.connect(self._on_finished)

    def add_above(self, widget: QWidget) -> None:
        """Above the form."""
        self._layout.insertWidget(self._layout.indexOf(self._form), widget)

    def add_below(self, widget: QWidget) -> None:
        """Between the form and its results."""
        self._layout.insertWidget(self._layout.indexOf(self._form) + 1, widget)

    def _buttons(self, name: str, accept_name: str, accept_text: str) -> QDialogButtonBox:
        box = QDialogButtonBox(self)
        self._accept = box_button(box, accept_name, accept_text, QDialogButtonBox.ButtonRole.AcceptRole)
        self._accept.setDefault(True)
        # Not the box's accepted signal: the dialog closes when the options have been accepted.
        self._accept.clicked.connect(self.view_model.accept.trigger)
        box_button(box, f"{name}Cancel", self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        text = self.tr("Measure drafting…")
        self._measure = box_button(box, "measureDrafting", text, QDialogButtonBox.ButtonRole.ActionRole)
        self._measure.setVisible(self.view_model.measurements is not None)
        self._measure.setEnabled(self.view_model.can_measure)
        self._measure.clicked.connect(self._on_measure)
        box.rejected.connect(self.reject)
        return box

    # -- news

    @Slot(object)
    def _on_failed(self, error: GglibError) -> None:
        self._problem.show_error(error)
        if isinstance(error, InvalidDraft):
            self._form.reveal(next(iter(error.fields)))

    @Slot(object)
    def _on_edited(self, _state: object) -> None:
        self._problem.clear()
        self._measure.setEnabled(self.view_model.can_measure)

    @Slot()
    def _on_measure(self) -> None:
        self.view_model.run(if_there(self, self._show_measuring()), "measure drafting")

    async def _show_measuring(self) -> None:
        measuring = await self.view_model.measuring()
        if measuring is not None:
            await ask(MeasureDialog(measuring, self))

    @Slot(bool)
    def _on_busy(self, busy: bool) -> None:
        self._accept.setEnabled(not busy)

    @Slot(int)
    def _on_finished(self, _result: int) -> None:
        self.view_model.close()


class _CommandPart(QWidget):
    """The command line and what can be done with it. Begins folded where large text leaves little room for the form."""

    def __init__(self, dialog: LaunchFormDialogViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._fold = QToolButton()
        self._fold.setObjectName("foldCommand")
        self._fold.setAutoRaise(True)
        self._fold.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._fold.clicked.connect(self._on_fold)
        self._content = QWidget()
        content = QVBoxLayout(self._content)
        content.setContentsMargins(0, 0, 0, 0)
        preview = CommandPreview(dialog.form)
        content.addWidget(preview)
        content.addWidget(CommandTools(dialog.commands))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        head = QHBoxLayout()
        head.setSpacing(2)
        head.addWidget(self._fold)
        head.addWidget(preview.title, 1)
        layout.addLayout(head)
        layout.addWidget(self._content)
        lines = self.screen().availableSize().height() / self.fontMetrics().lineSpacing()
        self._show_folded(lines < _LEAST_LINES)

    def _show_folded(self, folded: bool) -> None:
        self._content.setHidden(folded)
        self._fold.setIcon(icon("fold-closed" if folded else "fold-open"))
        self._fold.setAccessibleName(self.tr("Unfold command line") if folded else self.tr("Fold command line"))

    @Slot()
    def _on_fold(self) -> None:
        self._show_folded(not self._content.isHidden())


class StartWithDialog(LaunchFormDialog):
    """Accepting it starts the model."""

    def __init__(self, start: StartFormViewModel, parent: QWidget | None = None) -> None:
        name = start.model.name
        text = self.tr("Start another") if start.runs else self.tr("Start")
        super().__init__(start, "startWith", "startWithStart", text, parent)
        self._usual, self._doubtful = text, self.tr("Start another anyway") if start.runs else self.tr("Start anyway")
        start.form.stateChanged.connect(self._name_start)
        self._name_start(start.form.state)
        self.setWindowTitle(self.tr("Start {model} with…").format(model=name))
        if start.runs:
            text = self.tr("{model} runs already. This starts another server.").format(model=name)
            self.add_above(WrapLabel(text))
        remember = QCheckBox(self.tr("Remember for this model"))
        remember.setObjectName("startWithRemember")
        remember.setAccessibleName(remember.text())
        remember.setToolTip(self.tr("Saves what is set here as the model's defaults"))
        remember.toggled.connect(start.set_remember)
        self.add_below(remember)

    @Slot(object)
    def _name_start(self, state: FormState) -> None:
        """The button says if a start would probably fail; the field says why."""
        text = self._doubtful if state.is_doubtful else self._usual
        self._accept.setText(text)
        self._accept.setAccessibleName(text)


class ModelDefaultsDialog(LaunchFormDialog):
    """Accepting it saves the defaults."""

    def __init__(self, defaults: LaunchFormDialogViewModel, parent: QWidget | None = None) -> None:
        super().__init__(defaults, "modelDefaults", "modelDefaultsSave", self.tr("Save"), parent)
        self.setWindowTitle(self.tr("Launch defaults of {model}").format(model=defaults.model.name))
