"""Files of text in places that the user chooses."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class TextFiles(Protocol):
    """The method blocks: services call it in a thread."""

    def write(self, path: Path, text: str, *, executable: bool) -> None:
        """Writes the whole file or leaves what is there. Raises: ConfigurationError."""
