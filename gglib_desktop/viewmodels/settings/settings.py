"""The settings for the window: their news, their file, and what opens their dialog."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from gglib_desktop.services.settings.settings_keeper import SettingsKeeper

if TYPE_CHECKING:
    from gglib_desktop.viewmodels.settings.settings_form import SettingsPages


class SettingsViewModel(QObject):
    """Opens the settings, as a dialog or as their file."""

    newsTold = Signal(object)  # SettingsNews

    def __init__(self, settings: SettingsKeeper, pages: Callable[[], SettingsPages]) -> None:
        super().__init__()
        self._settings = settings
        self.pages = pages
        self.close = settings.subscribe_to_news(self.newsTold.emit)

    def tell_news(self) -> None:
        """Reports the problems in the settings file that were found at the start."""
        if news := self._settings.news_at_start():
            self.newsTold.emit(news)

    async def file(self) -> Path:
        """The file that people can edit; makes one that explains every key if there is none. Raises: SettingsError."""
        await self._settings.create_file()
        return self._settings.path
