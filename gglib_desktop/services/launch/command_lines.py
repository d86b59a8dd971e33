"""Reads command lines that users paste, and writes those of forms into files."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path, PureWindowsPath

from gglib_desktop.domain.commandline.exports.export import ExportFormat, export
from gglib_desktop.domain.commandline.reading import CommandLine, read_command_line
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.models.model import Model
from gglib_desktop.ports.machine.text_files import TextFiles
from gglib_desktop.services.launch.engines import Engines
from gglib_desktop.services.models.library import Library

# A thousand times the length of a command line; a longer text was pasted by mistake.
_MOST_CHARACTERS = 200_000


class CommandLines:
    """``home`` is the home folder, which command lines write in several ways; None if there is none."""

    def __init__(self, engines: Engines, library: Library, files: TextFiles, home: Path | None) -> None:
        self._engines = engines
        self._library = library
        self._files = files
        self._variables = {"HOME": str(home), "USERPROFILE": str(home)} if home is not None else {}

    async def read(self, text: str) -> CommandLine:
        """The options in a pasted text, for the engine in force. Raises: ConfigurationError."""
        if len(text) > _MOST_CHARACTERS:
            raise ConfigurationError("command_line", "", "this text is too long for a command line")
        engine = self._engines.current
        capabilities = engine.capabilities if engine is not None else None
        return await asyncio.to_thread(read_command_line, text, capabilities, self._variables)

    async def prepare(self, form: ExportFormat) -> None:
        """Loads what writing a command line in that format takes: a library that would hold up the window."""
        with contextlib.suppress(ConfigurationError):
            await asyncio.to_thread(export, ("llama-server",), form)

    async def save(self, path: Path, text: str, *, executable: bool) -> None:
        """Writes a command line into a file. Raises: ConfigurationError."""
        if not text.endswith("\n"):
            text += "\n"
        await asyncio.to_thread(self._files.write, path, text, executable=executable)

    def model_of(self, line: CommandLine) -> Model | None:
        """The model that a command line names: by its path, else by a file name that only one model has."""
        if line.model is None:
            return None
        path = Path(line.model)
        # It knows both kinds of slashes: a line may come from Windows.
        name = PureWindowsPath(line.model).name
        named = [model for model in self._library.models if model.path.name in {path.name, name}]
        exact = [model for model in named if model.path == path]
        return next(iter(exact or (named if len(named) == 1 else ())), None)
