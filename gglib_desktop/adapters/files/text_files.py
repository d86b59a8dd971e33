"""Writes files of text, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from gglib_desktop.adapters.files.whole_file import whole_file
from gglib_desktop.domain.errors import ConfigurationError


class DiskTextFiles:
    """On the disks of this computer."""

    def write(self, path: Path, text: str, *, executable: bool) -> None:
        try:
            with whole_file(path, mode=0o777 if executable else 0o666) as file:
                # File names may hold bytes that are not text.
                file.write(text.encode(errors="surrogateescape"))
        except OSError as exc:
            raise ConfigurationError("command_file", path, f"cannot be written: {exc.strerror}") from exc
