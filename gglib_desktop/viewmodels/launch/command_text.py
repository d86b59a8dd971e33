"""The command line of a form to copy elsewhere, and pasted ones that fill the form."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal

from gglib_desktop.domain.commandline.export import ExportFormat, export
from gglib_desktop.domain.commandline.reading import CommandLine
from gglib_desktop.services.launch.command_lines import CommandLines
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import ViewModel
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel


class CommandTextViewModel(ViewModel):
    """Beside a form."""

    filled = Signal(object)  # CommandLine

    def __init__(self, lines: CommandLines, form: OptionFormViewModel, scope: TaskScope) -> None:
        super().__init__(scope)
        self._lines = lines
        self.form = form

    def text(self, form: ExportFormat) -> str | None:
        """The command line in that format, None while there is none."""
        state = self.form.state
        if state.argv is None:
            return None
        # Instead of the key, it says where the key goes.
        return export(state.argv, form, {state.key_variable: ""} if state.key_variable else {})

    async def save(self, path: Path, form: ExportFormat) -> None:
        """Raises: ConfigurationError."""
        text = self.text(form)
        if text is not None:
            await self._lines.save(path, text, executable=form is ExportFormat.SCRIPT)

    async def read(self, text: str) -> CommandLine:
        """Raises: ConfigurationError."""
        return await self._lines.read(text)

    def fill(self, line: CommandLine) -> None:
        """Replaces the form's content."""
        self.form.load(line.options)
        self.filled.emit(line)
