"""Writes files of text, whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from gglib_desktop.domain.errors import ConfigurationError

_EXECUTABLE = 0o111


class DiskTextFiles:
    """On the disks of this computer."""

    def write(self, path: Path, text: str, *, executable: bool) -> None:
        draft = path.with_name(f".{path.name}.part")
        try:
            # Names of files may hold bytes that are no text.
            draft.write_bytes(text.encode(errors="surrogateescape"))
            if executable:
                draft.chmod(draft.stat().st_mode | _EXECUTABLE)
            os.replace(draft, path)
        except OSError as exc:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise ConfigurationError("command_file", path, f"cannot be written: {exc.strerror}") from exc
