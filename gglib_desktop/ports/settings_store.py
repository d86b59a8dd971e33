"""The port where the program's settings are kept."""

from __future__ import annotations

from typing import Protocol

from gglib_desktop.domain.settings import AppSettings


class SettingsStore(Protocol):
    """Keeps the settings in a file that people can edit."""

    def load(self) -> AppSettings:
        """The settings, or the defaults when there is no file. Raises: SettingsError with line and reason."""
        ...

    def save(self, settings: AppSettings) -> None:
        """Writes changed values; comments and unknown keys stay. Raises: SettingsError; the file is then as it was."""
        ...
