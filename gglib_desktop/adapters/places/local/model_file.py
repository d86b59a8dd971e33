"""The check of a model file that every runner makes before it starts a server."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from gglib_desktop.domain.errors import ConfigurationError


def check_model_file(path: Path) -> None:
    """Raises ConfigurationError for the field ``model_path`` when there is no readable file. Blocks."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise ConfigurationError("model_path", str(path), "there is no such file") from exc
    except OSError as exc:
        raise ConfigurationError("model_path", str(path), f"this file cannot be looked at: {exc.strerror}") from exc
    if not stat.S_ISREG(mode):
        raise ConfigurationError("model_path", str(path), "this is not a file")
    if not os.access(path, os.R_OK):
        raise ConfigurationError("model_path", str(path), "this file cannot be read; check its permissions")
