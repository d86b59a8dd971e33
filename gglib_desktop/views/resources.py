"""Where the program's own data files are: inside the package in a wheel, beside it in the source tree."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def resource(name: str) -> bytes:
    """The content of a file below ``resources/``, for example ``icons/start.svg``. Raises: FileNotFoundError."""
    packaged = files("gglib_desktop").joinpath("resources", name)
    if packaged.is_file():
        return packaged.read_bytes()
    # An editable install does not carry the files that the wheel adds to the package.
    return (Path(__file__).parents[2] / "resources" / name).read_bytes()
