"""Watches files and folders through inotify: a thread for each path, asleep while nothing happens."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import stat
import threading
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from typing_extensions import override

if TYPE_CHECKING:
    from gglib_desktop.adapters.files.inotify import Inotify, InotifyEvent

_log = logging.getLogger(__name__)
# A batch ends when nothing has happened for so long, or after so many times that.
_QUIET_S = 0.2
_LONGEST_BATCH = 5
# How often to check whether a path has come back, or whether another disk is mounted there.
_LOOK_S = 30.0
_Place: TypeAlias = tuple[tuple[int, int] | None, ...]


class InotifyFileWatch:
    """Follows links to folders too. A dead network share delays no other path."""

    def __init__(self, *, quiet_s: float = _QUIET_S, look_s: float = _LOOK_S) -> None:
        self._quiet_s = quiet_s
        self._look_s = look_s

    async def changes(self, paths: Sequence[Path]) -> AsyncGenerator[frozenset[Path], None]:
        loop = asyncio.get_running_loop()
        news = asyncio.Event()
        changed: set[str] = set()

        def take(batch: frozenset[str]) -> None:
            changed.update(batch)
            news.set()

        def tell(batch: frozenset[str]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(take, batch)

        watches = [_PathWatch(path, self._quiet_s, self._look_s, tell) for path in dict.fromkeys(paths)]
        try:
            for watch in watches:
                watch.begin()
            while True:
                await news.wait()
                news.clear()
                batch = frozenset(Path(path) for path in changed)
                changed.clear()
                yield batch
        finally:
            for watch in watches:
                watch.stop()


class _PathWatch(threading.Thread):
    """Watches one path: the tree below a folder, or for anything else the folders in which it is or may appear.

    A daemon thread: the program must not wait for a thread that waits for a dead disk.
    """

    def __init__(self, path: Path, quiet_s: float, look_s: float, tell: Callable[[frozenset[str]], None]) -> None:
        super().__init__(name="file watch", daemon=True)
        self._path = os.path.abspath(path)  # does not resolve links
        self._quiet_s = quiet_s
        self._look_s = look_s
        self._tell = tell
        self._wake, self._waker = os.pipe()
        self._stopped = threading.Event()
        self._problem = ""
        self._folders: dict[int, str] = {}
        # For a path that is not a folder: the path itself, and the target of its link.
        self._names: tuple[str, ...] = ()

    def begin(self) -> None:
        try:
            self.start()
        except RuntimeError as exc:
            self._complain(exc)
            os.close(self._wake)

    def stop(self) -> None:
        self._stopped.set()
        os.close(self._waker)

    @override
    def run(self) -> None:
        from gglib_desktop.adapters.files.inotify import Inotify

        again = False
        while not self._stopped.is_set():
            place = self._place()
            try:
                with contextlib.closing(Inotify()) as inotify:
                    inotify.watch_also(self._wake)
                    self._watch(inotify)
                    if again or self._folders:
                        self._tell(frozenset({self._path}) if again else frozenset())
                    self._follow(inotify, place)
            except OSError as exc:
                self._complain(exc)
                self._stopped.wait(self._look_s)
            again = True
        os.close(self._wake)

    def _place(self) -> _Place:
        """The identity of the path's place. If it changes, watching must begin anew."""
        if os.path.isdir(self._path):
            return (_identity(self._path),)
        return tuple(_identity(os.path.dirname(path)) for path in (self._path, os.path.realpath(self._path)))

    def _watch(self, inotify: Inotify) -> None:
        self._folders.clear()
        self._names = ()
        if os.path.isdir(self._path):
            self._add_tree(inotify, self._path)
            return
        self._names = (self._path, os.path.realpath(self._path))
        for name in self._names:
            self._add(inotify, os.path.dirname(name))

    def _follow(self, inotify: Inotify, place: _Place) -> None:
        """Reports events until the path is in another place."""
        batch: set[str] = set()
        until = 0.0
        while True:
            events = inotify.read(min(self._quiet_s, max(0.0, until - time.monotonic())) if batch else self._look_s)
            if self._stopped.is_set() or any(self._is_lost(event) for event in events):
                return
            if events and not batch:
                until = time.monotonic() + _LONGEST_BATCH * self._quiet_s
            for event in events:
                batch.update(self._changed_name(event) if self._names else self._changed(inotify, event))
            if batch and (not events or time.monotonic() >= until):
                if self._names and os.path.isdir(self._path):
                    return
                self._tell(frozenset(batch))
                batch.clear()
            elif not events and self._place() != place:
                return

    def _is_lost(self, event: InotifyEvent) -> bool:
        """Whether events would no longer report everything."""
        folder = self._folders.get(event.watch)
        return event.overflow or (event.watch_went and folder is not None and bool(self._names or folder == self._path))

    def _changed_name(self, event: InotifyEvent) -> tuple[str, ...]:
        folder = self._folders.get(event.watch)
        if folder is None or os.path.join(folder, event.name) not in self._names:
            return ()
        return () if _is_being_written(event, self._path) else (self._path,)

    def _changed(self, inotify: Inotify, event: InotifyEvent) -> tuple[str, ...]:
        folder = self._folders.get(event.watch)
        if folder is None:
            return ()
        if event.watch_went:
            self._drop_tree(inotify, folder)
            return (folder,)
        path = os.path.join(folder, event.name) if event.name else folder
        if event.is_folder and event.went:
            self._drop_tree(inotify, path)
        elif _is_being_written(event, path):
            return ()
        elif not event.went and os.path.isdir(path):  # or a link to a folder
            self._add_tree(inotify, os.path.realpath(path) if os.path.islink(path) else path)
        return (path,)

    def _add_tree(self, inotify: Inotify, path: str) -> None:
        waiting = [path]
        while waiting and not self._stopped.is_set():
            folder = waiting.pop()
            # Before its entries are read: an event reports what comes later.
            if self._add(inotify, folder):
                waiting.extend(_folders_in(folder))

    def _add(self, inotify: Inotify, folder: str) -> bool:
        """Begins to watch a folder. False if it cannot be watched, or was watched before."""
        try:
            watch = inotify.add(folder)
        except OSError as exc:
            if exc.errno == errno.ENOSPC or not self._folders:
                self._complain(exc)
            return False
        return self._folders.setdefault(watch, folder) is folder

    def _drop_tree(self, inotify: Inotify, path: str) -> None:
        below = path + os.sep
        for watch, folder in list(self._folders.items()):
            if folder == path or folder.startswith(below):
                inotify.remove(watch)
                del self._folders[watch]

    def _complain(self, error: Exception) -> None:
        """Logs once why something is not watched."""
        if str(error) != self._problem:
            self._problem = str(error)
            _log.warning("not all changes of %s will be noticed: %s", self._path, error)


def _is_being_written(event: InotifyEvent, path: str) -> bool:
    """Whether the end of writing this file will be reported too. Links, and files moved here, are complete at once."""
    if not event.created or event.is_folder:
        return False
    try:
        state = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(state.st_mode) and state.st_nlink == 1


def _folders_in(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            folders = []
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.is_symlink() and os.path.isdir(entry.path):
                    folders.append(os.path.realpath(entry.path))
            return folders
    except OSError:
        return []


def _identity(path: str) -> tuple[int, int] | None:
    try:
        state = os.stat(path)
    except OSError:
        return None
    return state.st_dev, state.st_ino
