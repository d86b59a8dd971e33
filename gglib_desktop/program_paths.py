"""The places of the program's files."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from gglib_desktop.adapters.files.home import can_be, folder_without_home

_APP = "gglib-desktop"
DATA_DIR_VARIABLE = "GGLIB_DATA_DIR"


@dataclass(frozen=True)
class Places:
    """The files and folders of one user's program. ``own_folders``: those that no other program uses."""

    data_dir: Path
    settings: Path
    log: Path
    own_folders: tuple[Path, ...] = ()

    @property
    def endpoint_keys(self) -> Path:
        """The folder with the keys of endpoints."""
        return self.data_dir / "endpoint-keys"

    @classmethod
    def of_this_user(cls) -> Places:
        """Everything below GGLIB_DATA_DIR if that is set, else where the system wants it.

        For a user without a home folder, or with an unusable one, in a folder for temporary files.

        Raises: SystemExit with a sentence.
        """
        named = os.environ.get(DATA_DIR_VARIABLE)
        if named:
            return cls._below(_expanded(named))
        import platformdirs

        try:
            places = cls(
                platformdirs.user_data_path(_APP),
                platformdirs.user_config_path(_APP) / "settings.toml",
                platformdirs.user_log_path(_APP) / "app.log",
            )
        except RuntimeError:
            return cls._below(folder_without_home(_APP))
        # Earlier versions of platformdirs name a folder ~ in the working directory.
        is_known = all(map(Path.is_absolute, (places.data_dir, places.settings, places.log)))
        # Users of services have the home /nonexistent, and some ways to become another user keep the old home.
        if not is_known or not can_be(places.data_dir):
            return cls._below(folder_without_home(_APP))
        folders = (places.data_dir, places.settings.parent, places.log.parent, places.log.parent.parent)
        return replace(places, own_folders=tuple(each for each in folders if _APP in each.parts[-2:]))

    @classmethod
    def _below(cls, data_dir: Path) -> Places:
        return cls(data_dir, data_dir / "settings.toml", data_dir / "app.log")


def _expanded(named: str) -> Path:
    try:
        return Path(named).expanduser().absolute()
    except RuntimeError:
        sys.exit(f"{DATA_DIR_VARIABLE} is {named}, but no home folder is known for that. Name the whole path.")
