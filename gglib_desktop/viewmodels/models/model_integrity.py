"""Whether a model's files are as they were published."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

from PySide6.QtCore import QObject, Signal

from gglib_desktop.domain.errors import InvalidModelFile
from gglib_desktop.domain.models.integrity import FileSum, KnownHash
from gglib_desktop.domain.models.model import Model
from gglib_desktop.ports.models.checksums import Checksums
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import AsyncCommand

_PROGRESS_S = 0.1


@dataclass(frozen=True)
class IntegrityState:
    """``known`` None: not looked up yet; else in the order of the files, None for files without a known sum.

    ``sums`` are the results, ``problem`` is why there is none, ``share`` how much was read, from 0 to 1, while reading.
    """

    files: tuple[Path, ...]
    known: tuple[KnownHash | None, ...] | None = None
    share: float | None = None
    sums: tuple[FileSum, ...] = ()
    problem: str | None = None
    was_cancelled: bool = False

    @property
    def is_right(self) -> bool | None:
        """False: at least one file differs. None: there is no result, or not all of it can be compared."""
        found = [each.is_right for each in self.sums]
        if False in found:
            return False
        return True if found and None not in found else None

    @property
    def text(self) -> str:
        """The results in the format of ``sha256sum``."""
        return "".join(f"{each.sha256}  {each.path}\n" for each in self.sums)


class ModelIntegrityViewModel(QObject):
    """Reads all files of a model, which takes minutes for large ones; ``check.cancel()`` ends that."""

    stateChanged = Signal(object)  # IntegrityState

    def __init__(self, model: Model, checksums: Checksums, scope: TaskScope) -> None:
        super().__init__()
        self._checksums = checksums
        self._state = IntegrityState(model.parts or (model.path,))
        self._size_bytes = model.size_bytes or 0
        self.check = AsyncCommand(scope, self._check, name="check integrity")
        self._looking = scope.start(self._look_up(), name="look up checksums")

    @property
    def state(self) -> IntegrityState:
        return self._state

    def close(self) -> None:
        """Stops reading."""
        self._looking.cancel()
        self.check.cancel()

    async def _look_up(self) -> None:
        files = self._state.files
        known = await asyncio.to_thread(lambda: tuple(self._checksums.known(file) for file in files))
        self._set_state(known=known)

    async def _check(self) -> None:
        await asyncio.wait({self._looking})
        self._set_state(share=0.0, sums=(), problem=None, was_cancelled=False)
        reading = _Reading(self._checksums, self._state.files)
        running = asyncio.get_running_loop().run_in_executor(None, reading.run)
        try:
            while True:
                await asyncio.wait({running}, timeout=_PROGRESS_S)
                if running.done():
                    break
                self._set_state(share=min(reading.read_bytes / self._size_bytes, 1.0) if self._size_bytes else 0.0)
            known = self._state.known or ()
            pairs = zip(self._state.files, running.result(), known, strict=True)
            self._set_state(share=None, sums=tuple(FileSum(*pair) for pair in pairs))
        except InvalidModelFile as exc:
            self._set_state(share=None, problem=exc.reason)
        except asyncio.CancelledError:
            self._set_state(share=None, was_cancelled=True)
            raise
        finally:
            reading.stopped.set()
            # The program does not wait for the thread: it ends with its present piece, and reports to no one.
            running.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _set_state(self, **changes: Any) -> None:
        state = replace(self._state, **changes)
        if state != self._state:
            self._state = state
            self.stateChanged.emit(state)


class _Reading:
    """Runs in a thread; ``read_bytes`` may be read and ``stopped`` set from another."""

    def __init__(self, checksums: Checksums, files: tuple[Path, ...]) -> None:
        self._checksums = checksums
        self._files = files
        self.read_bytes = 0
        self.stopped = Event()

    def run(self) -> tuple[str, ...]:
        return tuple(self._sums())

    def _sums(self) -> Iterator[str]:
        for file in self._files:
            found = self._checksums.sha256(file, self._told)
            if found is None:
                return
            yield found

    def _told(self, count: int) -> bool:
        self.read_bytes += count
        return not self.stopped.is_set()
