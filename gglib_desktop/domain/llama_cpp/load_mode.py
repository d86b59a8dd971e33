"""Flags for loading a model that newer engines take as values of one flag, ``--load-mode``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gglib_desktop.domain.engine.capabilities import EngineCapabilities
from gglib_desktop.domain.options.arguments import flag_of

LOAD_MODE = "--load-mode"
MAP, NO_MAP, LOCK = "--mmap", "--no-mmap", "--mlock"
_DIRECT = frozenset({"-dio", "--direct-io"})
_NOT_DIRECT = frozenset({"-ndio", "--no-direct-io"})
LOADING_FLAGS = frozenset({MAP, NO_MAP, LOCK}) | _DIRECT | _NOT_DIRECT
_LOCKED_MAP = "mmap+mlock"
_MEANINGS = {"mmap": (MAP,), "none": (NO_MAP,), "mlock": (LOCK,), _LOCKED_MAP: (MAP, LOCK)}


def became_load_mode(flag: str, capabilities: EngineCapabilities) -> bool:
    """Whether this engine has ``--load-mode`` instead of that flag."""
    return flag in LOADING_FLAGS and capabilities.supports(LOAD_MODE) and not capabilities.supports(flag)


def load_mode(flags: Iterable[str], capabilities: EngineCapabilities) -> str:
    """The mode that means the same as loading flags together; of exclusive ones the last counts.

    A map locked in memory is a mode of its own only if the engine lists it.
    """
    mapped: bool | None = None
    locked = direct = False
    for flag in flags:
        direct = flag in _DIRECT
        locked = locked or flag == LOCK
        mapped = {MAP: True, NO_MAP: False}.get(flag, mapped)
    if direct:
        return "dio"
    if locked:
        return _LOCKED_MAP if mapped and _LOCKED_MAP in capabilities.load_modes else "mlock"
    return "none" if mapped is False else "mmap"


def with_load_mode(words: Sequence[str], said: Sequence[str], capabilities: EngineCapabilities) -> tuple[str, ...]:
    """Arguments with one ``--load-mode`` in place of the last flag that became a value of it, without the others.

    ``said`` are flags that came before them.
    """
    places = [place for place, word in enumerate(words) if became_load_mode(flag_of(word), capabilities)]
    if not places:
        return tuple(words)
    mode = load_mode([*said, *(flag_of(words[place]) for place in places)], capabilities)
    kept = [word for place, word in enumerate(words) if place not in places[:-1]]
    at = places[-1] - len(places) + 1
    return (*kept[:at], LOAD_MODE, mode, *kept[at + 1 :])


def flags_of_load_mode(mode: str) -> tuple[str, ...]:
    """The flags for other engines in place of a mode, empty for a mode that our fields cannot express."""
    return _MEANINGS.get(mode, ())
