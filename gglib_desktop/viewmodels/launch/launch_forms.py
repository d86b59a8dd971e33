"""The dialogs about launch options: start a model with some, save them for it, or take them from a command line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import Signal

from gglib_desktop.domain.commandline.exports.export import ExportFormat, export, formats_for
from gglib_desktop.domain.commandline.reading import CommandLine
from gglib_desktop.domain.gguf.header import GgufHeader
from gglib_desktop.domain.launch.form import check
from gglib_desktop.domain.launch.options import LaunchOptions, Source
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.options.drafting import drafts_otherwise
from gglib_desktop.domain.servers.server import OWN_PLACE
from gglib_desktop.ports.machine.memory_probe import MemoryProbe
from gglib_desktop.services.launch.command_lines import CommandLines
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.services.launch.presets import Presets
from gglib_desktop.services.launch.routers import Routers
from gglib_desktop.services.models.library import Library
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import ViewModel
from gglib_desktop.viewmodels.launch.measurements import Measurements
from gglib_desktop.viewmodels.launch.measuring import MeasuringViewModel
from gglib_desktop.viewmodels.launch.option_form import OptionForecastViewModel, OptionFormViewModel
from gglib_desktop.viewmodels.launch.presets import PresetsViewModel
from gglib_desktop.viewmodels.launch.router_form import RouterFormViewModel


class CommandTextViewModel(ViewModel):
    """The command line of a form to copy elsewhere, and pasted ones that fill the form."""

    filled = Signal(object)  # CommandLine

    def __init__(self, lines: CommandLines, form: OptionFormViewModel, scope: TaskScope) -> None:
        super().__init__(scope)
        self._lines = lines
        self.form = form

    @property
    def formats(self) -> tuple[ExportFormat, ...]:
        """Those that suit the chosen engine."""
        return formats_for(self.form.state.resolved.options.engine)

    def text(self, form: ExportFormat) -> str | None:
        """The command line in that format, None while there is none. Raises: ConfigurationError if it holds less."""
        state = self.form.state
        if state.argv is None:
            return None
        # Instead of the key, it says where the key goes.
        return export(state.argv, form, {state.key_variable: ""} if state.key_variable else {})

    def prepare(self, form: ExportFormat) -> None:
        """That format will be asked for soon."""
        self.run(self._lines.prepare(form), "prepare a format")

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


class Start(Protocol):
    """Starts a model. Raises: GglibError."""

    def __call__(self, model_id: int, launch: LaunchOptions, *, remember: bool) -> Awaitable[None]: ...


class LaunchFormDialogViewModel(ViewModel):
    """One form for a model, and the action of accepting it. If that fails, the form stays as it is."""

    done = Signal()

    def __init__(
        self,
        model: Model,
        commands: CommandTextViewModel,
        forecast: OptionForecastViewModel,
        scope: TaskScope,
        commit: Callable[[], Awaitable[None]],
        *,
        presets: PresetsViewModel | None = None,
        measurements: Measurements | None = None,
    ) -> None:
        """``presets`` None: the form can only be filled by hand; ``measurements`` None: nothing can be measured."""
        super().__init__(scope)
        self.measurements = measurements
        self.model, self.form, self.commands, self.forecast = model, commands.form, commands, forecast
        self.presets = presets
        self.form.find_devices(scope)
        self._commit = commit
        self.accept = self.command(self._accept, "accept launch choices")

    @property
    def can_measure(self) -> bool:
        """Its drafting can be measured, as far as the form tells."""
        options = self.form.state.resolved.options
        drafts = self.model.mtp_layers > 0 or drafts_otherwise(options)
        return self.measurements is not None and drafts and (options.place or self.model.place) == OWN_PLACE

    async def measuring(self) -> MeasuringViewModel | None:
        """What measures a start with this form; what comes out fills it. Raises: GglibError."""
        return None if self.measurements is None else await self.measurements.of(self.model.id, self.form)

    def close(self) -> None:
        """Ends everything that runs for this form alone."""
        self.accept.cancel()
        self.forecast.close()
        self.form.close()

    async def _accept(self) -> None:
        await self._commit()
        self.done.emit()


class StartFormViewModel(LaunchFormDialogViewModel):
    """Starts a model with options for this one launch. ``runs``: it has a server already, and gets one more."""

    def __init__(
        self,
        model: Model,
        commands: CommandTextViewModel,
        forecast: OptionForecastViewModel,
        scope: TaskScope,
        start: Start,
        *,
        runs: bool,
        presets: PresetsViewModel | None = None,
        measurements: Measurements | None = None,
    ) -> None:
        super().__init__(model, commands, forecast, scope, self._start, presets=presets, measurements=measurements)
        self._start_model = start
        self.runs = runs
        self.remember = False

    def set_remember(self, remember: bool) -> None:
        self.remember = remember

    async def _start(self) -> None:
        check(self.form.state, to_start=True)
        await self._start_model(self.model.id, self.form.draft, remember=self.remember)
        if self.presets is not None:
            self.presets.note_used()


class LaunchForms:
    """Makes the forms."""

    def __init__(
        self,
        library: Library,
        launcher: Launcher,
        scope: TaskScope,
        *,
        start: Start,
        runs: Callable[[int], bool],
        read_header: Callable[[Path], GgufHeader],
        memory: MemoryProbe,
        presets: Presets,
        lines: CommandLines,
        routers: Routers,
        measurements: Measurements | None = None,
    ) -> None:
        """``read_header`` blocks. ``measurements`` None: nothing can be measured."""
        self.measurements = measurements
        self._routers = routers
        self._library, self._launcher, self._scope = library, launcher, scope
        self._start, self._runs = start, runs
        self._read_header, self._memory, self._presets, self._lines = read_header, memory, presets, lines

    async def read_line(self, text: str) -> CommandLine:
        """The options in a pasted command line. Raises: ConfigurationError."""
        return await self._lines.read(text)

    async def to_start_as(self, line: CommandLine, otherwise: int | None) -> StartFormViewModel | None:
        """The form of "Start with…" for the model that a command line names, else for the model ``otherwise``.

        It is not filled yet: its ``commands`` fill it later, and then report what was read. None: there is no
        such model. Raises: LibraryError.
        """
        named = self._lines.model_of(line)
        model_id = otherwise if named is None else named.id
        return None if model_id is None else await self.to_start(model_id)

    async def to_start(self, model_id: int) -> StartFormViewModel | None:
        """The form of "Start with…"; None if the model is gone. Raises: LibraryError."""
        model = self._library.model(model_id)
        if model is None:
            return None
        saved = await self._library.launch_options(model_id)
        runs = self._runs(model_id)
        if runs:
            # The port chosen for the model is its first server's.
            saved = saved.replace(port=None)
        form = OptionFormViewModel(self._launcher, Source.LAUNCH, model, model_options=saved)
        presets = PresetsViewModel(self._presets, form, self._scope, use_last=True)
        forecast, commands = self._forecast(model, form), self._commands(form)
        return StartFormViewModel(
            model,
            commands,
            forecast,
            self._scope,
            self._start,
            runs=runs,
            presets=presets,
            measurements=self.measurements,
        )

    def to_start_router(self) -> RouterFormViewModel:
        """The form of "Start router…"."""
        return RouterFormViewModel(self._routers, self._scope)

    async def of_model(self, model_id: int) -> LaunchFormDialogViewModel | None:
        """The form of a model's default options; None if it is gone. Raises: LibraryError."""
        model = self._library.model(model_id)
        if model is None:
            return None
        saved = await self._library.launch_options(model_id)
        form = OptionFormViewModel(self._launcher, Source.MODEL, model, draft=saved)

        async def save() -> None:
            check(form.state)
            await self._library.save_launch_options(model_id, form.draft)

        presets = self.presets_beside(form)
        forecast, commands = self._forecast(model, form), self._commands(form)
        return LaunchFormDialogViewModel(
            model, commands, forecast, self._scope, save, presets=presets, measurements=self.measurements
        )

    def presets_beside(self, form: OptionFormViewModel) -> PresetsViewModel:
        """The choice of presets for any other form."""
        return PresetsViewModel(self._presets, form, self._scope)

    def _commands(self, form: OptionFormViewModel) -> CommandTextViewModel:
        return CommandTextViewModel(self._lines, form, self._scope)

    def _forecast(self, model: Model, form: OptionFormViewModel) -> OptionForecastViewModel:
        return OptionForecastViewModel(model, form, self._read_header, self._memory, self._scope)
