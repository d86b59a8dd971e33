"""Holds the settings in force and keeps them in step with their file."""

from __future__ import annotations

import asyncio
from typing import Any

from gglib_desktop.domain.errors import SettingsError
from gglib_desktop.domain.settings import AppSettings
from gglib_desktop.ports.settings_store import SettingsStore
from gglib_desktop.services.listeners import Listeners


class SettingsKeeper:
    """The settings in force. ``problem`` says why the file could not be read; the defaults are then in force."""

    def __init__(self, store: SettingsStore) -> None:
        self._store = store
        self._listeners: Listeners[AppSettings] = Listeners()
        self.subscribe = self._listeners.add
        self.problem: SettingsError | None = None
        try:
            self.current = store.load()
        except SettingsError as exc:
            self.current = AppSettings()
            self.problem = exc

    async def change(self, **changes: Any) -> None:
        """Saves other values and puts them in force, or raises ConfigurationError or SettingsError and does neither."""
        settings = self.current.replace(**changes)
        if settings == self.current:
            return
        await asyncio.to_thread(self._store.save, settings)
        self.current = settings
        self.problem = None
        self._listeners.tell(settings)
