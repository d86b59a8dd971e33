"""The port that keeps the program's settings."""

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
        """The file's content; the defaults if there is none. Problems in it are part of the result, not raised."""

    def save(self, before: AppSettings, after: AppSettings) -> SettingsReading:
        """Writes the changes into the file as it is now, and returns its new content; the rest of the file stays.

        Raises: InvalidSettings if the file has an error, SettingsError; the file then stays as it was.
        """

    def create(self) -> None:
        """Makes the documented file, unless there is one. Raises: SettingsError."""
