"""Measuring what drafting brings: the plan, how far it is, what came out, and what is done with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from PySide6.QtCore import Signal

from gglib_desktop.domain.advisor.advice import Advice
from gglib_desktop.domain.advisor.plan import Depth, Plan
from gglib_desktop.domain.advisor.progress import Progress
from gglib_desktop.domain.errors import GglibError
from gglib_desktop.domain.launch.options import LaunchOptions, MtpChoice
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.options.engine_options import DRAFT_NUMBERS, DRAFT_OPTIONS
from gglib_desktop.services.advisor.subject import Subject
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import ViewModel


class Stage(StrEnum):
    """``REFUSED``: the model cannot be measured. ``ENDING``: it was canceled, and its server is being ended."""

    PLANNING = "planning"
    REFUSED = "refused"
    READY = "ready"
    MEASURING = "measuring"
    ENDING = "ending"
    CANCELED = "canceled"
    DONE = "done"


@dataclass(frozen=True)
class MeasuringState:
    """Everything that the dialog shows.

    ``in_the_way`` are the names of the servers that could be stopped where memory is short; ``stops_them``: they are,
    for the time. ``is_used``: the settings that came out were taken over.
    """

    stage: Stage = Stage.PLANNING
    depth: Depth = Depth.QUICK
    plan: Plan | None = None
    progress: Progress | None = None
    advice: Advice | None = None
    in_the_way: tuple[str, ...] = ()
    stops_them: bool = False
    is_used: bool = False

    @property
    def is_busy(self) -> bool:
        return self.stage in {Stage.MEASURING, Stage.ENDING}

    @property
    def lacks_memory(self) -> bool:
        return self.plan is not None and not self.plan.fits and not self.stops_them

    @property
    def can_start(self) -> bool:
        return self.plan is not None and not self.is_busy and not self.lacks_memory

    @property
    def choices(self) -> Mapping[str, object]:
        """The launch options that came out, by name; empty without a verdict."""
        verdict = None if self.advice is None else self.advice.verdict
        if verdict is None or verdict.doubt is not None:
            return {}
        if not verdict.is_on:
            return {"mtp": MtpChoice.OFF}
        setting = verdict.setting
        return {"mtp": MtpChoice.ON, "spec_draft_n_max": setting.n_max, "spec_draft_p_min": setting.p_min}


class Measuring(Protocol):
    """A measurement under way, as the advisor's."""

    @property
    def progress(self) -> Progress: ...
    def subscribe(self, listener: Callable[[Progress], None], /) -> Callable[[], None]: ...
    def cancel(self) -> None: ...
    async def finished(self) -> Advice | None: ...


class MeasuringAdvisor(Protocol):
    """Plans and begins measurements. Both raise ConfigurationError if it cannot be measured."""

    async def plan(self, subject: Subject, depth: Depth) -> Plan: ...
    def begin(self, subject: Subject, plan: Plan) -> Measuring: ...


class Room(Protocol):
    """The servers whose memory a measurement could need."""

    @property
    def names(self) -> tuple[str, ...]: ...
    async def make(self) -> Sequence[int]:
        """Stops them, and returns their ids. Raises: StopFailed."""

    def give_back(self, servers: Sequence[int]) -> None:
        """Starts them again."""


@dataclass(frozen=True)
class Outcome:
    """What becomes of the settings that came out. Both raise GglibError. ``keep`` takes a name, and ``for_all``.

    ``fills_form``: they are used by a form that is open.
    """

    use: Callable[[Mapping[str, object]], Awaitable[None]]
    keep: Callable[[str, LaunchOptions, bool], Awaitable[None]]
    fills_form: bool = False


class MeasuringViewModel(ViewModel):
    """One model. Closing it in the middle of a measurement ends that."""

    stateChanged = Signal(object)  # MeasuringState

    def __init__(
        self, subject: Subject, advisor: MeasuringAdvisor, room: Room, outcome: Outcome, scope: TaskScope
    ) -> None:
        super().__init__(scope)
        self._subject, self._advisor, self._room, self._outcome = subject, advisor, room, outcome
        self._measuring: Measuring | None = None
        self._state = MeasuringState()
        self.start = self.command(self._measure, "measure drafting")
        self.use = self.command(self._use, "use measured settings")
        self._planning = self.command(self._plan, "plan measurement")
        self._planning.trigger()

    @property
    def state(self) -> MeasuringState:
        return self._state

    @property
    def model(self) -> Model:
        return self._subject.model

    @property
    def fills_form(self) -> bool:
        """The settings that come out go to the form that asked, and are not saved yet."""
        return self._outcome.fills_form

    def choose(self, depth: Depth) -> None:
        """Plans another measurement; not while one goes on."""
        if depth is not self._state.depth and not self._state.is_busy:
            self._show(depth=depth)
            self._planning.trigger()

    def stop_servers(self, stop: bool) -> None:
        """Whether those in the way are stopped for the time."""
        self._show(stops_them=stop)

    def cancel(self) -> None:
        """What was measured stays, and the next measurement of the same begins with it."""
        if self._state.stage is Stage.MEASURING:
            self._show(stage=Stage.ENDING)
            if self._measuring is not None:
                self._measuring.cancel()

    def close(self) -> None:
        """Nothing of it goes on."""
        self._planning.cancel()
        self.cancel()

    async def keep(self, name: str, for_all: bool) -> None:
        """Makes a preset of what came out. Raises: ConfigurationError, LibraryError."""
        drafter = {each: self._subject.config.get(each) for each in DRAFT_OPTIONS - DRAFT_NUMBERS}
        await self._outcome.keep(name, LaunchOptions().with_values(**self._state.choices, **drafter), for_all)

    async def _plan(self) -> None:
        planned = None
        while planned is not self._state.depth:  # another one may be chosen meanwhile
            planned = self._state.depth
            try:
                plan = await self._advisor.plan(self._subject, planned)
            except GglibError:
                self._show(stage=Stage.REFUSED)
                raise
        stage = Stage.READY if self._state.stage in {Stage.PLANNING, Stage.REFUSED} else self._state.stage
        self._show(stage=stage, plan=plan, in_the_way=() if plan.fits else self._room.names)

    async def _measure(self) -> None:
        plan = self._state.plan
        if plan is None or not self._state.can_start:
            return
        stopped: Sequence[int] = ()
        try:
            self._show(stage=Stage.MEASURING, advice=None, progress=Progress(plan), is_used=False)
            if self._state.stops_them and not plan.fits:
                stopped = await self._room.make()
            if self._state.stage is Stage.ENDING:
                self._show(stage=Stage.CANCELED)
                return
            await self._follow(self._advisor.begin(self._subject, plan))
        except GglibError:
            self._show(stage=Stage.READY)
            raise
        finally:
            self._measuring = None
            self._room.give_back(stopped)

    async def _follow(self, measuring: Measuring) -> None:
        self._measuring = measuring
        unsubscribe = measuring.subscribe(lambda progress: self._show(progress=progress))
        try:
            advice = await measuring.finished()
        except BaseException:
            measuring.cancel()
            raise
        finally:
            unsubscribe()
        self._show(stage=Stage.CANCELED if advice is None else Stage.DONE, advice=advice, progress=measuring.progress)

    async def _use(self) -> None:
        await self._outcome.use(self._state.choices)
        self._show(is_used=True)

    def _show(self, **changes: object) -> None:
        state = replace(self._state, **changes)  # type: ignore[arg-type]  # names and types are those of the state
        if state != self._state:
            self._state = state
            self.stateChanged.emit(state)
