"""The history of requests of one server, or of all servers of its model."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from PySide6.QtCore import Signal

from gglib_desktop.domain.traffic.audit import Verdict
from gglib_desktop.domain.traffic.request_columns import RequestColumn, csv_text, json_text
from gglib_desktop.domain.traffic.requests import RequestEnd
from gglib_desktop.domain.traffic.totals import RunningTotals, Totals
from gglib_desktop.ports.machine.text_files import TextFiles
from gglib_desktop.ports.servers.request_store import KeptRequest, RequestScope, RequestStore
from gglib_desktop.services.traffic.news import RecordingNews, RequestsAudited, RequestsKept
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import ViewModel, reported
from gglib_desktop.viewmodels.servers.request_table import RequestTable

# The newest are shown at once; the rest comes in pieces, each of them read in a few hundredths of a second.
_FIRST_ROWS = 1000
_MORE_ROWS = 10_000


class RequestFormat(Enum):
    """What requests are exported as."""

    CSV = "csv"
    JSON = "json"


@dataclass(frozen=True)
class RequestsState:
    """``totals`` are those of the ``shown`` requests; None while they are being read. ``total`` are in the scope.

    ``refused`` never reached a slot. ``has_others``: there are none in the scope, but some of other runs of the model.
    ``result`` None shows all. ``audit``: whether the requests of the newest run are all that its server counted, with
    ``cancelled_n`` tokens beside them that were generated for cancelled ones.
    """

    of_model: bool = False
    result: RequestEnd | None = None
    shown: int = 0
    total: int = 0
    refused: int = 0
    has_others: bool = False
    totals: Totals | None = None
    audit: Verdict = Verdict.CHECKING
    cancelled_n: int | None = None


class RequestsViewModel(ViewModel):
    """Reads the history while it is shown, and keeps nothing of it while it is hidden. ``run`` is the newest one."""

    stateChanged = Signal(object)  # RequestsState
    exported = Signal(str)  # the file's path

    def __init__(
        self,
        store: RequestStore,
        files: TextFiles,
        scope: TaskScope,
        *,
        model_id: int,
        run: str,
        tells: Callable[[], bool] = lambda: True,
    ) -> None:
        """``tells`` says whether the engine of the newest run writes of its requests."""
        super().__init__(scope)
        self._tells = tells
        self.table = RequestTable(self)
        self._store = store
        self._files = files
        self._model_id = model_id
        self._run = run
        self._state = RequestsState(audit=self._unaudited)
        self._totals = RunningTotals()
        self._newest = 0
        self._reading: asyncio.Task[None] | None = None

    @property
    def state(self) -> RequestsState:
        return self._state

    @property
    def is_shown(self) -> bool:
        return self._reading is not None

    def set_shown(self, shown: bool) -> None:
        """Begins to read, or forgets what was read."""
        if shown != self.is_shown:
            if shown:
                self._read()
            else:
                self._forget()

    def show_run(self, run: str) -> None:
        """Turns to the requests of a new run; those before it are among those of the model."""
        before, self._run = self._run, run
        if run != before:
            self._show(replace(self._state, audit=self._unaudited, cancelled_n=None))
        if run != before and self.is_shown and not self._state.of_model:
            self._read()

    def take(self, news: RecordingNews) -> None:
        """What was recorded, of any server."""
        match news:
            case RequestsAudited(run, verdict, cancelled_n) if run == self._run:
                self._show(replace(self._state, audit=verdict, cancelled_n=cancelled_n))
            case RequestsKept(runs) if self._state.of_model or self._run in runs:
                if self._reading is not None and self._reading.done():
                    self._start(self._read_new)

    def choose_scope(self, *, of_model: bool) -> None:
        """All requests of the model, or only those of the server's newest run."""
        if of_model != self._state.of_model:
            self._show(replace(self._state, of_model=of_model))
            if self.is_shown:
                self._read()

    def choose_result(self, result: RequestEnd | None) -> None:
        self._show(replace(self._state, result=result))
        self.run(self._show_result(result), "filter requests")

    def sort(self, column: RequestColumn, *, descending: bool) -> None:
        self.run(self.table.order_by(column, descending=descending), "sort requests")

    def export(self, path: Path, kind: RequestFormat) -> None:
        """Writes what is shown, in its order; ``exported`` or ``failed`` reports the end."""
        self.run(self._export(path, kind), "export requests")

    def clear(self) -> None:
        """Forgets all requests of the scope, shown or not."""
        self.run(self._clear(), "clear requests")

    # -- reading

    @property
    def _unaudited(self) -> Verdict:
        return Verdict.CHECKING if self._tells() else Verdict.NOT_TOLD

    @property
    def _scope_of_history(self) -> RequestScope:
        return RequestScope(model_id=self._model_id) if self._state.of_model else RequestScope(run=self._run)

    def _start(self, read: Callable[[], Awaitable[None]]) -> None:
        async def reading() -> None:
            # Called only now: the page may be hidden before this task's first step.
            await reported(read(), self.failed)

        self._reading = self._scope.start(reading(), name="read requests")

    def _read(self) -> None:
        self._forget()
        self._start(self._read_all)

    def _forget(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        self.table.clear()
        self._newest, self._totals = 0, RunningTotals()
        self._show(replace(self._state, shown=0, total=0, refused=0, has_others=False, totals=None))

    async def _read_all(self) -> None:
        history = await self._store.history(self._scope_of_history, most=_FIRST_ROWS)
        if history.requests:
            self._newest = history.requests[0].number
        await self.table.fill(history.requests)
        await self._count_all(history.refused)
        if len(history.requests) == _FIRST_ROWS:
            await self.table.fill(await self._older(history.requests[-1].number))
            await self._count_all(history.refused)
        if not self._state.of_model and not self.table.total:
            others = await self._store.history(RequestScope(model_id=self._model_id), most=1)
            self._show(replace(self._state, has_others=bool(others.requests)))
        # Of those that were kept meanwhile it was not told.
        await self._read_new()

    async def _older(self, before: int) -> list[KeptRequest]:
        """All with a lower number, which are read in pieces."""
        older: list[KeptRequest] = []
        while True:
            found = (await self._store.history(self._scope_of_history, before=before, most=_MORE_ROWS)).requests
            older += found
            if len(found) < _MORE_ROWS:
                return older
            before = found[-1].number

    async def _read_new(self) -> None:
        history = await self._store.history(self._scope_of_history, after=self._newest)
        new = history.requests
        if new:
            self._newest = new[0].number
            self._totals.add(self.table.add(new))
        self._show_counts(history.refused)

    async def _show_result(self, result: RequestEnd | None) -> None:
        await self.table.show_result(result)
        await self._count_all(self._state.refused)

    async def _count_all(self, refused: int) -> None:
        counted = -1
        while counted != self.table.changes:  # others came meanwhile, or other ones are shown
            counted = self.table.changes
            self._totals = await asyncio.to_thread(RunningTotals, self.table.rows)
        self._show_counts(refused)

    def _show_counts(self, refused: int) -> None:
        shown, total = self.table.rowCount(), self.table.total
        totals, has_others = self._totals.totals, self._state.has_others and not total
        self._show(
            replace(self._state, shown=shown, total=total, refused=refused, has_others=has_others, totals=totals)
        )

    def _show(self, state: RequestsState) -> None:
        if state != self._state:
            self._state = state
            self.stateChanged.emit(state)

    # -- what is done with them

    async def _export(self, path: Path, kind: RequestFormat) -> None:
        pairs = [(kept.run, kept.row) for kept in self.table.requests]

        def write() -> None:
            text = csv_text(pairs) if kind is RequestFormat.CSV else json_text(pairs)
            self._files.write(path, text, executable=False)

        await asyncio.to_thread(write)
        self.exported.emit(str(path))

    async def _clear(self) -> None:
        await self._store.clear(self._scope_of_history)
        if self.is_shown:
            self._read()
