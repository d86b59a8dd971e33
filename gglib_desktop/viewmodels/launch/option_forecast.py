"""How much memory a start with the options in a form will need, while the user edits them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from gglib_desktop.domain.errors import InvalidModelFile
from gglib_desktop.domain.gguf.forecast import (
    Fit,
    Forecast,
    Memory,
    Serving,
    forecast,
    judge,
    largest_context_that_fits,
    model_context,
)
from gglib_desktop.domain.gguf.header import GgufHeader
from gglib_desktop.domain.models.model import Model
from gglib_desktop.ports.machine.memory_probe import MemoryProbe
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel

_PAUSE_MS = 100


@dataclass(frozen=True)
class MemoryOutlook:
    """What is known about the memory for a start. ``loading``: the model's header is being read."""

    loading: bool = True
    forecast: Forecast | None = None
    memory: Memory | None = None
    longest_context: int | None = None
    fitting_context: int | None = None

    @property
    def fit(self) -> Fit:
        return judge(self.forecast.needed if self.forecast else None, self.memory)


class OptionForecastViewModel(QObject):
    """Forecasts again whenever the form changes, shortly after the last change. ``read_header`` blocks."""

    stateChanged = Signal(object)  # MemoryOutlook

    def __init__(
        self,
        model: Model,
        form: OptionFormViewModel,
        read_header: Callable[[Path], GgufHeader],
        memory: MemoryProbe,
        scope: TaskScope,
    ) -> None:
        super().__init__()
        self._model, self._form, self._scope = model, form, scope
        self._read_header, self._memory = read_header, memory
        self._header: GgufHeader | None = None
        self._asked: Serving | None = None
        self._state = MemoryOutlook()
        self._is_closed = False
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self._look)
        form.stateChanged.connect(self._on_form)
        self._task = scope.start(self._load(), name="read header")

    @property
    def state(self) -> MemoryOutlook:
        return self._state

    def close(self) -> None:
        """Stops forecasting."""
        self._is_closed = True
        self._pause.stop()
        self._task.cancel()

    async def _load(self) -> None:
        try:
            self._header = await asyncio.to_thread(self._read_header, self._model.path)
        except InvalidModelFile:
            self._set_state(MemoryOutlook(loading=False))
            return
        await self._forecast()

    def _on_form(self, _state: object) -> None:
        if not self._is_closed:
            self._pause.start()

    def _look(self) -> None:
        if self._header is None:
            return
        if not self._task.done():
            # The running forecast began with options that have changed.
            self._pause.start()
        elif self._form.serving != self._asked:
            self._task = self._scope.start(self._forecast(), name="forecast")

    async def _forecast(self) -> None:
        assert self._header is not None
        facts = self._model.facts
        # With a part missing, the size of the others says nothing.
        weights = facts.file_size_bytes if facts is not None and self._model.problem is None else None
        self._asked = self._form.serving
        # In a thread: for a large vocabulary it takes longer than the event loop can wait.
        repackable = facts.repackable_bytes if facts is not None else 0
        outlook = await asyncio.to_thread(_outlook, self._header, weights, self._asked, self._memory.read(), repackable)
        self._set_state(outlook)

    def _set_state(self, state: MemoryOutlook) -> None:
        if state != self._state:
            self._state = state
            self.stateChanged.emit(state)


def _outlook(
    header: GgufHeader, weights_bytes: int | None, serving: Serving, memory: Memory | None, repackable_bytes: int
) -> MemoryOutlook:
    metadata = header.metadata
    return MemoryOutlook(
        loading=False,
        forecast=forecast(metadata, weights_bytes, serving, repackable_bytes),
        memory=memory,
        longest_context=model_context(metadata),
        fitting_context=largest_context_that_fits(metadata, weights_bytes, serving, memory),
    )
