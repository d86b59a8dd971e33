"""The port where the program's settings are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from gglib_desktop.domain.documents.settings import AppSettings
from gglib_desktop.domain.documents.settings_document import SettingsReading


class SettingsStore(Protocol):
    """Keeps the settings in a file that people can edit."""

    @property
    def path(self) -> Path: ...

    def load(self) -> SettingsReading:
        """What the file says now; the defaults when there is none. Whatever is wrong with it is told, not raised."""
        ...

    def save(self, before: AppSettings, after: AppSettings) -> SettingsReading:
        """Writes what differs into the file as it is now, and returns what it then says; all else in it stays.

        Raises: InvalidSettings when the file has an error, SettingsError; the file is then as it was.
        """
        ...

    def create(self) -> None:
        """Makes the documented file, unless there is one. Raises: SettingsError."""
        ...
