"""The advisor, joined from its parts: for the window and for the command line. Loads each when it is first needed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from gglib_desktop.domain.errors import LibraryError
from gglib_desktop.tasks import TaskScope

if TYPE_CHECKING:
    from gglib_desktop.adapters.requests.sqlite_advice import SqliteAdviceStore
    from gglib_desktop.domain.engine.capabilities import Engine
    from gglib_desktop.domain.gguf.forecast import ByteRange
    from gglib_desktop.domain.launch.options import MeasuredDrafting
    from gglib_desktop.domain.models.model import Model
    from gglib_desktop.domain.servers.server import ServerConfig
    from gglib_desktop.ports.servers.measuring import MeasuringRunner
    from gglib_desktop.services.advisor.advisor import Advisor
    from gglib_desktop.services.advisor.kept import KeptAdvice
    from gglib_desktop.services.advisor.subject import Subject

_log = logging.getLogger(__name__)
ADVICE = "advice.sqlite"
# The memory that a start takes; None: not known.
Forecast: TypeAlias = "Callable[[ServerConfig], Awaitable[ByteRange | None]]"


class AdvisorParts:
    """Measures with servers of its own below ``data_dir``, and keeps what comes out. ``stack`` closes the file."""

    def __init__(self, data_dir: Path, scope: TaskScope, stack: contextlib.AsyncExitStack, forecast: Forecast) -> None:
        self._data_dir = data_dir
        self._scope = scope
        self._stack = stack
        self._forecast = forecast

    async def load(self) -> None:
        """What was measured before counts from now on. Most have measured nothing, and nothing is loaded for them."""
        if not await asyncio.to_thread((self._data_dir / ADVICE).exists):
            return
        try:
            await self.kept.load()
        except LibraryError as exc:
            _log.warning("%s", exc)

    def measured(self, model: Model, config: ServerConfig, engine: Engine | None) -> MeasuredDrafting | None:
        """What counts for a start now."""
        if "kept" not in vars(self):
            return None
        from gglib_desktop.domain.advisor.advice import conditions_of
        from gglib_desktop.domain.launch.options import MeasuredDrafting

        known = self.kept.advice_for(conditions_of(config, model, engine))
        if known is None or known.changed is not None or known.advice.verdict.doubt is not None:
            return None
        setting = known.advice.verdict.setting
        return MeasuredDrafting(known.advice.measured_at, setting.n_max, setting.p_min)

    def off_times(self, model_path: Path, speed_key: str) -> Sequence[float]:
        """As ``KeptAdvice.off_times``."""
        return self.kept.off_times(model_path, speed_key) if "kept" in vars(self) else ()

    @cached_property
    def kept(self) -> KeptAdvice:
        from gglib_desktop.services.advisor.kept import KeptAdvice

        return KeptAdvice(self._store)

    @cached_property
    def advisor(self) -> Advisor:
        from gglib_desktop.adapters.machine.memory import PsutilMemory
        from gglib_desktop.services.advisor.advisor import Advisor

        memory = PsutilMemory()

        async def short_of(_subject: Subject, config: ServerConfig) -> int:
            needed, free = await self._forecast(config), memory.read()
            return 0 if needed is None or free is None else max(needed.low - free.free_bytes, 0)

        return Advisor(self._open_runner, self._store, self.kept, self._scope, short_of=short_of, now=time.time)

    def _open_runner(self, engine: Engine) -> AbstractAsyncContextManager[MeasuringRunner]:
        from gglib_desktop.adapters.runner.beside_window.measured import measured_runner

        return measured_runner(self._data_dir, engine, environment=os.environ)

    @cached_property
    def _store(self) -> SqliteAdviceStore:
        from gglib_desktop.adapters.requests.sqlite_advice import SqliteAdviceStore

        store = SqliteAdviceStore(self._data_dir / ADVICE)
        self._stack.push_async_callback(store.aclose)
        return store
