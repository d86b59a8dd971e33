"""The folders that some servers run in: each belongs to one run, and goes with it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from gglib_desktop.adapters.files import private
from gglib_desktop.domain.errors import RunnerUnavailable


class RunFolders:
    """Those below ``folder``, by the name of the run. All methods block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self, run: str, links: Mapping[str, Path]) -> Path:
        """With these links in it. Raises: RunnerUnavailable."""
        made = self.folder / run
        try:
            private.make_folder(made)
            for name, path in links.items():
                (made / name).symlink_to(path.absolute())
        except OSError as exc:
            raise RunnerUnavailable(f"the folder {made} cannot be made: {exc.strerror}") from exc
        return made

    def has(self, run: str) -> bool:
        return (self.folder / run).is_dir()

    def remove(self, run: str) -> None:
        """Links alone go, never what they lead to. What cannot be removed stays."""
        shutil.rmtree(self.folder / run, ignore_errors=True)
