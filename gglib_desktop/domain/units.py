"""Numbers for people. Sizes are binary and say so; parameter counts and rates are decimal."""

from __future__ import annotations

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB")
_DECIMAL = ("", "K", "M", "B", "T")


def size_text(size_bytes: int) -> str:
    """``17.1 GiB``; whole bytes below 1 KiB."""
    return _scaled(size_bytes, 1024, _BINARY)


def count_text(count: int) -> str:
    """``27.4 B`` for 27,400,000,000."""
    return _scaled(count, 1000, _DECIMAL).strip()


def shortest(value: object) -> str:
    """A number in plain form: 1 rather than 1.0, 0.75 rather than 0.750."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def duration_text(seconds: float) -> str:
    """``12 s``, ``3 min``, ``2 h 5 min``, ``4 d 1 h``: enough for a glance."""
    whole = max(0, int(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes < 1:
        return f"{whole} s"
    if hours < 1:
        return f"{minutes} min"
    if days < 1:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {hours % 24} h"


def duration_stays_s(seconds: float) -> float:
    """After how many seconds to call ``duration_text`` again: at most 1, or at most 60 where it counts minutes."""
    step = 1 if seconds < 60 else 60
    return step - max(0.0, seconds) % step


def _scaled(value: float, step: int, units: tuple[str, ...]) -> str:
    index = 0
    # 1023.96 KiB would print as 1024.0 KiB: round before comparing.
    while round(value, 1) >= step and index < len(units) - 1:
        value /= step
        index += 1
    return f"{value:.1f} {units[index]}" if index else f"{int(value)} {units[0]}"
