"""What runs on the other computer: POSIX sh."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@cache
def script(name: str) -> str:
    """A script with what all of them need before it. Blocks briefly, once."""
    return "".join((_FOLDER / f"{each}.sh").read_text(encoding="ascii") for each in ("common", name))
