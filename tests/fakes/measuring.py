"""Measurements of drafting that a test carries out by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gglib_desktop.domain.advisor.advice import Advice
from gglib_desktop.domain.advisor.plan import Depth, Plan, make_plan
from gglib_desktop.domain.advisor.progress import Arm, ArmState, Progress
from gglib_desktop.domain.advisor.samples import Length, TextKind
from gglib_desktop.domain.advisor.settings import OFF, DraftSetting
from gglib_desktop.domain.advisor.verdict import Gain, Line, Verdict
from gglib_desktop.domain.errors import GglibError
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.services.advisor.subject import Subject
from gglib_desktop.services.events import EventSource
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.launch.measuring import MeasuringViewModel, Outcome
from tests.fakes.forms import MODEL
from tests.fakes.settings import FOUND

SUBJECT = Subject(MODEL, ServerConfig(MODEL.id, MODEL.name, MODEL.path, 9000, spec_draft_n_max=2), FOUND)
BEST = DraftSetting(3, 0.5)
ARMS = (
    Arm(OFF, ArmState.MEASURED, 8, 1.0, 42.0, None, 1.0),
    Arm(DraftSetting(2, 0.75), ArmState.MEASURED, 8, 1.12, 47.1, 0.97, 2.1),
    Arm(BEST, ArmState.MEASURED, 8, 1.24, 52.1, 0.81, 3.05),
    Arm(DraftSetting(1), ArmState.DROPPED, 1, 0.71, 29.8, 0.34, 1.3),
    Arm(DraftSetting(6, 0.5), ArmState.FAILED, problem="the engine died"),
)
ON = Verdict(
    BEST,
    Gain(1.24, 1.18, 1.30),
    lines=(
        Line(TextKind.CODE, Length.SHORT, 1, Gain(1.31, 1.2, 1.4)),
        Line(TextKind.PROSE, Length.LONG, 4, Gain(0.92, 0.9, 0.95), best=OFF),
    ),
    first_token_ms=210,
    off_first_token_ms=160,
)


def advice(verdict: Verdict) -> Advice:
    return Advice(SUBJECT.conditions, MODEL.name, verdict, ARMS, measured_at=1.8e9, seconds=58.0)


@dataclass
class FakeMeasuring:
    """It goes on until a test ends it, or it is canceled."""

    plan: Plan
    outcome: asyncio.Future[Advice | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    is_canceled: bool = False

    def __post_init__(self) -> None:
        self.progress = Progress(self.plan)
        self._events: EventSource[Progress] = EventSource()

    def subscribe(self, listener: Callable[[Progress], None]) -> Callable[[], None]:
        return self._events.add(listener)

    def show(self, progress: Progress) -> None:
        self.progress = progress
        self._events.emit(progress)

    def cancel(self) -> None:
        self.is_canceled = True
        if not self.outcome.done():
            self.outcome.set_result(None)

    async def finished(self) -> Advice | None:
        return await asyncio.shield(self.outcome)


class FakeAdvisor:
    """``short_of_bytes`` of memory are missing. A ``problem`` refuses all plans."""

    def __init__(self) -> None:
        self.short_of_bytes = 0
        self.problem: GglibError | None = None
        self.begun: list[FakeMeasuring] = []

    async def plan(self, _subject: Subject, depth: Depth) -> Plan:
        if self.problem is not None:
            raise self.problem
        return make_plan(depth, 0.4, short_of_bytes=self.short_of_bytes)

    def begin(self, _subject: Subject, plan: Plan) -> FakeMeasuring:
        self.begun.append(FakeMeasuring(plan))
        return self.begun[-1]


class FakeRoom:
    """Servers that a measurement could need the memory of."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ("Tiny", "Phi 4 Mini")
        self.story: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def make(self) -> Sequence[int]:
        self.story.append("stopped")
        await self.gate.wait()
        return (1, 2)

    def give_back(self, servers: Sequence[int]) -> None:
        if servers:
            self.story.append("started again")


@dataclass
class Taken:
    """What was done with what came out."""

    used: list[Mapping[str, object]] = field(default_factory=list)
    kept: list[tuple[str, LaunchOptions, bool]] = field(default_factory=list)

    async def use(self, choices: Mapping[str, object]) -> None:
        self.used.append(choices)

    async def keep(self, name: str, options: LaunchOptions, for_all: bool) -> None:
        self.kept.append((name, options, for_all))


def measuring(advisor: FakeAdvisor, room: FakeRoom, taken: Taken, scope: TaskScope) -> MeasuringViewModel:
    return MeasuringViewModel(SUBJECT, advisor, room, Outcome(taken.use, taken.keep), scope)
