"""Other GGLib Desktops of this computer: whether they run, and which servers they look after. All of this blocks."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from gglib_desktop.adapters.places.local import processes
from gglib_desktop.adapters.records.data_lock import LOCK_NAME, DataLock
from gglib_desktop.adapters.records.record_store import RecordStore
from gglib_desktop.domain.errors import DataDirectoryInUse, RunnerUnavailable

LOGS, SERVERS = "logs", "servers"
_PROGRAM = "gglib"
# Of a command line: an interpreter, its flag and the module come first.
_WORDS = 4


@dataclass(frozen=True)
class Origin:
    """The data directory of the program that started process ``pid``, and its record there; None if there is none."""

    pid: int
    home: Path | None
    run: str | None

    @contextlib.contextmanager
    def taken_over(self) -> Iterator[None]:
        """Keeps that program from being started meanwhile; later it does not know the process. Raises: as origin_of."""
        if self.home is None:
            yield
            return
        lock = DataLock(self.home)
        try:
            lock.acquire()
        except DataDirectoryInUse as exc:
            raise RunnerUnavailable(_kept(self.pid)) from exc
        except RunnerUnavailable:
            pass  # what cannot be written is no running program's
        try:
            yield
            if self.run is not None:
                RecordStore(self.home / SERVERS).delete(self.run)
        finally:
            lock.release()


class OtherPrograms:
    """As seen from the program over ``data_dir``, which is none of them."""

    def __init__(self, data_dir: Path) -> None:
        self._own = data_dir.resolve()

    def running(self) -> tuple[Path, ...]:
        """The data directories of those that run, by the lock that each has open."""
        return tuple(dict.fromkeys(self._find_running()))

    def keeper_of(self, pid: int, identity: str, running: Iterable[Path]) -> Path | None:
        """The data directory of the one among ``running`` that looks after this process; None if there is none.

        The one that started it is known by the output of the process too.
        """
        home = self._home_of(pid)
        if home is not None and DataLock(home).is_held():
            return home
        return next((each for each in running if RecordStore(each / SERVERS).run_of(pid, identity)), None)

    def origin_of(self, pid: int, identity: str) -> Origin:
        """Whose process it is. Raises: RunnerUnavailable when a program that runs looks after it."""
        if self.keeper_of(pid, identity, self.running()) is not None:
            raise RunnerUnavailable(_kept(pid))
        home = self._home_of(pid)
        return Origin(pid, home, None if home is None else RecordStore(home / SERVERS).run_of(pid, identity))

    def _home_of(self, pid: int) -> Path | None:
        """The data directory whose log folder takes the output of a process, unless it is our own."""
        with contextlib.suppress(psutil.Error, OSError):
            for file in psutil.Process(pid).open_files():
                log = Path(file.path)
                home = log.parent.parent
                if log.suffix == ".log" and log.parent.name == LOGS and (home / LOCK_NAME).is_file():
                    return None if home.resolve() == self._own else home
        return None

    def _find_running(self) -> Iterator[Path]:
        for process in processes.running_processes():
            with contextlib.suppress(psutil.Error, OSError):
                if process.pid == os.getpid() or not any(_PROGRAM in word for word in process.cmdline()[:_WORDS]):
                    continue
                for file in process.open_files():
                    lock = Path(file.path)
                    if lock.name == LOCK_NAME and (lock.parent / SERVERS).is_dir():
                        yield lock.parent


def _kept(pid: int) -> str:
    return f"another GGLib Desktop, which runs, looks after process {pid}"
