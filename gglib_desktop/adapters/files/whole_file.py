"""Writes files whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def whole_file(path: Path, *, mode: int = 0o666) -> Iterator[BinaryIO]:
    """A file to write into, which replaces ``path`` at the end; if anything fails, ``path`` stays as it was.

    Until then it has a name that no program looks for. ``mode`` are its permissions, reduced by the user's
    umask. Raises: OSError.
    """
    draft = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with open(draft, "xb", opener=partial(os.open, mode=mode)) as file:  # Path's has no opener
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()
