"""Options that people type as text: how the text is read, and how a value is written."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.options.engine_options import EngineOption

# The engine's word for no device but the CPU.
_NO_DEVICE = "none"


def read_text(option: EngineOption, text: str) -> Any:
    """The typed value, None for an empty text. Raises: ConfigurationError."""
    if option.kind is tuple:
        return _words(option.name, text) or None
    text = text.strip()
    return (Path(text) if option.kind is Path else text) if text else None


def write_text(value: Any) -> str:
    """The text to type for a value, empty for None."""
    if isinstance(value, tuple):
        return shlex.join(value)
    return "" if value is None else str(value)


def device_names(text: str | None) -> tuple[str, ...]:
    """The devices in a value of ``--device``."""
    return tuple(name for name in (part.strip() for part in (text or "").split(",")) if name)


def with_device(text: str | None, name: str, *, used: bool) -> str | None:
    """The value with one more device, or without it; None if no device is left."""
    others = tuple(each for each in device_names(text) if each not in (name, _NO_DEVICE))
    return ",".join((*others, name) if used else others) or None


def _words(name: str, text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as exc:
        reason = "a quotation mark is not closed" if "quotation" in str(exc) else "nothing follows the last backslash"
        raise ConfigurationError(name, text, reason) from exc
