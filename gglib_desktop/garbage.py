"""Frees memory that is no longer used. Python's own collector stays off, see ``__main__``."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
from collections.abc import Sequence

from gglib_desktop.services.models.library import Library
from gglib_desktop.tasks import TaskScope

_MANY_MODELS = 500
_SETTLED_S = 2.0
_PAUSE_S = 5.0


def look_after_memory(library: Library, scope: TaskScope) -> None:
    """Collects from now on, until the scope is closed."""
    # Nearly all that the start made stays to the end; the first collection would look through it for 50 ms.
    gc.freeze()
    library.subscribe(KeptObjects().note)
    scope.start(_give_back_memory(), name="give back memory")
    scope.start(collect_garbage(), name="collect garbage")


async def _give_back_memory() -> None:
    """Returns free memory of the start to the system. glibc would keep it: 1.6 MiB."""
    await asyncio.sleep(_SETTLED_S)
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another C library has none
        await asyncio.to_thread(ctypes.CDLL(None).malloc_trim, 0)


async def collect_garbage(pause_s: float = _PAUSE_S) -> None:
    """Replaces Python's own collection, which runs in any thread: a QObject in a reference cycle
    must not be destroyed outside its own thread.
    """
    while True:
        await asyncio.sleep(pause_s)
        counts = zip(gc.get_count(), gc.get_threshold(), strict=True)
        full = [generation for generation, (count, limit) in enumerate(counts) if count > limit > 0]
        if full:
            gc.collect(full[-1])


class KeptObjects:
    """Exempts thousands of models from collection: measured, each full collection with 10,000 of them stops
    the event loop for 30 to 60 ms.
    """

    def __init__(self) -> None:
        self._kept = 0

    def note(self, models: Sequence[object]) -> None:
        if len(models) - self._kept >= _MANY_MODELS:
            self._kept = len(models)
            gc.collect(1)
            gc.freeze()
