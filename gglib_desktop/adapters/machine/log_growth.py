"""Which logs of a folder have grown, as an event of the loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from gglib_desktop.adapters.files import private

if TYPE_CHECKING:
    from gglib_desktop.adapters.files.inotify import Inotify

_log = logging.getLogger(__name__)
# Between two looks at a log that grows all the time.
_PAUSE_S = 0.2
# Between two looks where the system does not say that something was written.
_LOOK_S = 0.5
_ENDING = ".log"

Grown: TypeAlias = Callable[[Mapping[str, int]], object]


class LogGrowth:
    """Tells the new sizes of logs that have changed. One watch, for the first change after a pause, serves all of them.

    While nothing is written nothing is done; while much is written, the kernel has no events to keep for us.
    """

    def __init__(self, folder: Path, *, inotify: Callable[[], Inotify] | None = None) -> None:
        self._folder = str(folder)
        self._make_inotify = inotify or _inotify
        self._listeners: dict[object, Grown] = {}
        self._sizes: dict[str, int] = {}
        self._inotify: Inotify | None = None
        self._timer: asyncio.TimerHandle | None = None

    def listen(self, callback: Grown) -> Callable[[], None]:
        """From now on. Returns a function that ends it."""
        key = object()
        self._listeners[key] = callback
        if len(self._listeners) == 1:
            self._begin()

        def end() -> None:
            if self._listeners.pop(key, None) is not None and not self._listeners:
                self._end()

        return end

    def _begin(self) -> None:
        self._sizes = self._look()
        try:
            private.make_folder(Path(self._folder))
            self._inotify = self._make_inotify()
        except OSError as exc:
            _log.info("the growth of logs is looked for, because it is not told: %s", exc)
        self._wait()

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._give_up_inotify()

    def _wait(self) -> None:
        """For the next change; what happened since the last look is told first."""
        self._timer = None
        if self._inotify is not None:
            try:
                self._inotify.read(0)
                self._inotify.add_once(self._folder)
            except OSError as exc:
                _log.info("the growth of logs is not told any more: %s", exc)
                self._give_up_inotify()
        changed = self._tell()
        if not self._listeners:
            return
        loop = asyncio.get_running_loop()
        if self._inotify is None:
            self._timer = loop.call_later(_LOOK_S, self._wait)
        elif changed:
            self._timer = loop.call_later(_PAUSE_S, self._wait)
        else:
            loop.add_reader(self._inotify.fileno(), self._on_event)

    def _on_event(self) -> None:
        if self._inotify is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._inotify.fileno())
            self._tell()
            if self._listeners:
                self._timer = loop.call_later(_PAUSE_S, self._wait)

    def _tell(self) -> bool:
        """Whether anything has changed since the last look."""
        before, self._sizes = self._sizes, self._look()
        changed = {name: size for name, size in self._sizes.items() if before.get(name, 0) != size}
        changed |= dict.fromkeys(before.keys() - self._sizes.keys(), 0)
        if changed:
            for callback in tuple(self._listeners.values()):
                callback(changed)
        return bool(changed)

    def _look(self) -> dict[str, int]:
        sizes = {}
        with contextlib.suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.endswith(_ENDING):
                    with contextlib.suppress(OSError):
                        sizes[entry.name.removesuffix(_ENDING)] = entry.stat().st_size
        return sizes

    def _give_up_inotify(self) -> None:
        inotify, self._inotify = self._inotify, None
        if inotify is not None:
            asyncio.get_running_loop().remove_reader(inotify.fileno())
            inotify.close()


def _inotify() -> Inotify:
    from gglib_desktop.adapters.files.inotify import Inotify

    return Inotify()
