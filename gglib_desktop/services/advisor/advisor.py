"""Measures what drafting brings to a model on this computer, and advises."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from gglib_desktop.domain.advisor.advice import Advice
from gglib_desktop.domain.advisor.plan import Depth, Plan, make_plan
from gglib_desktop.domain.advisor.progress import Progress
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.servers.server import OWN_PLACE, ServerConfig
from gglib_desktop.ports.models.advice_store import AdviceStore
from gglib_desktop.ports.servers.measuring import MeasuringRunner
from gglib_desktop.services.advisor.experiment import Experiment
from gglib_desktop.services.advisor.kept import KeptAdvice
from gglib_desktop.services.advisor.subject import Subject
from gglib_desktop.services.events import EventSource
from gglib_desktop.tasks import TaskScope

_START_S = 0.3
# A disk that is neither fast nor slow. The first start tells more.
_LOAD_BYTES_PER_S = 700e6

OpenRunner = Callable[[Engine], AbstractAsyncContextManager[MeasuringRunner]]
ShortOf = Callable[[Subject, ServerConfig], Awaitable[int]]


class Measuring:
    """One measurement under way. ``progress`` is as it stands; subscribers are told of each change."""

    def __init__(self, plan: Plan) -> None:
        self.progress = Progress(plan)
        self._events: EventSource[Progress] = EventSource()
        self.subscribe = self._events.add
        self._task: asyncio.Task[Advice] | None = None

    def cancel(self) -> None:
        """Ends it and its server. What was measured is kept for the next measurement of the same."""
        if self._task is not None:
            self._task.cancel()

    async def finished(self) -> Advice | None:
        """What came out; None after ``cancel``, once nothing of it is left. Raises: GglibError."""
        assert self._task is not None
        await asyncio.wait({self._task})
        return None if self._task.cancelled() else self._task.result()

    def begin(self, scope: TaskScope, experiment: Experiment) -> None:
        self._task = scope.start(experiment.run(self._show), name="measure drafting")

    def _show(self, progress: Progress) -> None:
        self.progress = progress
        self._events.emit(progress)


class Advisor:
    """Plans and begins measurements. Only one goes on at a time on a computer, also among programs."""

    def __init__(
        self,
        open_runner: OpenRunner,
        store: AdviceStore,
        kept: KeptAdvice,
        scope: TaskScope,
        *,
        short_of: ShortOf,
        now: Callable[[], float],
    ) -> None:
        """``open_runner`` gives a runner with a data directory of its own. ``short_of`` tells how many bytes of memory
        are missing for a start beside all that runs, 0: none, as far as is known. ``now`` is the unix time.
        """
        self._open_runner = open_runner
        self._store = store
        self.kept = kept
        self._scope = scope
        self._short_of = short_of
        self._now = now

    async def plan(self, subject: Subject, depth: Depth) -> Plan:
        """What ``begin`` is going to do. Raises: ConfigurationError if it cannot be measured."""
        check(subject)
        config = subject.configured(make_plan(depth, 0).settings[-1])
        short_of = await self._short_of(subject, config)
        return make_plan(depth, self._load_s(subject), short_of_bytes=short_of)

    def begin(self, subject: Subject, plan: Plan) -> Measuring:
        """Measures as planned, beside all that runs. Raises: ConfigurationError."""
        check(subject)
        experiment = Experiment(subject, plan, self._open_runner, store=self._store, kept=self.kept, now=self._now)
        measuring = Measuring(plan)
        measuring.begin(self._scope, experiment)
        return measuring

    def _load_s(self, subject: Subject) -> float:
        known = self.kept.advice_for(subject.conditions)
        if known is not None and known.advice.load_s:
            return known.advice.load_s
        return _START_S + (subject.model.size_bytes or 0) / _LOAD_BYTES_PER_S


def check(subject: Subject) -> None:
    """Raises: ConfigurationError where drafting cannot be measured; its reason is for people."""
    if subject.config.place != OWN_PLACE:
        raise ConfigurationError("place", subject.config.place, "drafting is measured on this computer only, so far")
    if subject.config.spec_draft_model is not None or subject.config.spec_type is not None:
        return  # the engine says what it cannot do
    if not subject.engine.capabilities.has_mtp:
        raise ConfigurationError("engine", str(subject.engine.path), "this engine cannot draft (no draft-mtp)")
    if not subject.model.mtp_layers:
        raise ConfigurationError("model_path", str(subject.model.path), "this model has no MTP layers to draft with")
