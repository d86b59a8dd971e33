"""The files that tell routers their models."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Protocol


class RouterFiles(Protocol):
    """The methods block: services call them in a thread. A file is never changed: a server may start with it again."""

    def write(self, text: str, *, keep: Collection[Path]) -> Path:
        """Makes a new file, and removes old ones that are not in ``keep``. Raises: ConfigurationError."""

    def read(self, path: Path) -> str | None:
        """The text of a file made here; None for any other, and for one that is gone."""
