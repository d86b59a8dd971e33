"""Where the program's own data files are: inside the package in a wheel, beside it in the source tree."""

from __future__ import annotations

from pathlib import Path

import gglib_desktop

_PACKAGE = Path(gglib_desktop.__file__).parent


def resource(name: str) -> bytes:
    """The content of a file below ``resources/``, for example ``icons/start.svg``. Raises: FileNotFoundError."""
    packaged = _PACKAGE / "resources" / name
    # An editable install does not have the files that the wheel adds to the package.
    return (packaged if packaged.is_file() else _PACKAGE.parent / "resources" / name).read_bytes()
