"""Keeps the files that tell routers their models in one folder."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Collection
from pathlib import Path

from gglib_desktop.adapters.files import private
from gglib_desktop.domain.errors import ConfigurationError

# A server that is being tried out may need one that no panel names.
_KEPT_S = 24 * 60 * 60.0


class DiskRouterFiles:
    """In ``folder``, which is made with the first one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, text: str, *, keep: Collection[Path]) -> Path:
        self._prune(keep)
        path = self._folder / f"models-{uuid.uuid4().hex[:12]}.ini"
        try:
            private.make_folder(self._folder)
            # File names may hold bytes that are not text.
            private.write_draft(path, text.encode(errors="surrogateescape"))
        except OSError as exc:
            raise ConfigurationError("model_path", str(path), f"cannot be written: {exc.strerror}") from exc
        return path

    def read(self, path: Path) -> str | None:
        if path.parent != self._folder:
            return None
        try:
            return path.read_bytes().decode(errors="surrogateescape")
        except OSError:
            return None

    def _prune(self, keep: Collection[Path]) -> None:
        with contextlib.suppress(OSError):
            for path in self._folder.glob("models-*.ini"):
                if path not in keep and time.time() - path.stat().st_mtime > _KEPT_S:
                    path.unlink()
