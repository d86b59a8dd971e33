"""The user's folders in views."""

from __future__ import annotations

from PySide6.QtCore import QDir


def home_folder() -> str:
    """Where dialogs begin; the root folder for a user without a home, for whom ``Path.home`` raises."""
    return QDir.homePath()
