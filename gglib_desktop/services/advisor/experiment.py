"""One measurement from its first server to the advice."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TypeAlias

from gglib_desktop.domain.advisor.advice import Advice
from gglib_desktop.domain.advisor.judging import is_wanting, judge
from gglib_desktop.domain.advisor.measurements import Measurements
from gglib_desktop.domain.advisor.plan import Plan, Way, make_plan
from gglib_desktop.domain.advisor.prediction import Prediction
from gglib_desktop.domain.advisor.progress import Arm, ArmState, Progress
from gglib_desktop.domain.advisor.race import Course, Race, Visit
from gglib_desktop.domain.advisor.samples import Basis, Sample, accepted_share, tokens_per_s, tokens_per_step
from gglib_desktop.domain.advisor.settings import OFF, DraftSetting
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.errors import ChatError, GglibError, ProcessError
from gglib_desktop.ports.models.advice_store import AdviceStore
from gglib_desktop.ports.servers.measuring import MeasuringRunner
from gglib_desktop.services.advisor.held_server import HeldServer, serving
from gglib_desktop.services.advisor.kept import KeptAdvice
from gglib_desktop.services.advisor.pace import Pace
from gglib_desktop.services.advisor.subject import Subject

_log = logging.getLogger(__name__)
# What another program may have changed in the meantime.
_SAMPLES_COUNT_S = 3600.0
# How often the engine may die with one setting before that is given up.
_DEATHS = 2
# The share of the planned time after which it is decided whether more is needed.
_LATE = 0.8

OpenRunner: TypeAlias = Callable[[Engine], AbstractAsyncContextManager[MeasuringRunner]]


@dataclass
class _State:
    """What changes while it goes on."""

    measured: Measurements = field(default_factory=Measurements)
    arms: dict[DraftSetting, Arm] = field(default_factory=dict)
    deaths: dict[DraftSetting, int] = field(default_factory=dict)
    visits: int = 0
    answered: int = 0  # of the questions of this visit
    load_s: float = 0.0
    basis: Basis = Basis.WALL
    device: str = ""
    build: str = ""
    speed_key: str = ""


class Experiment:
    """Starts one server after the other, asks each the same questions, and keeps every answer at once."""

    def __init__(
        self,
        subject: Subject,
        plan: Plan,
        open_runner: OpenRunner,
        *,
        store: AdviceStore,
        kept: KeptAdvice,
        now: Callable[[], float],
    ) -> None:
        self._subject = subject
        self._plan = plan
        self._open_runner = open_runner
        self._store = store
        self._kept = kept
        self._now = now
        self._state = _State()
        self._pace = Pace(plan.load_s)
        self._show: Callable[[Progress], None] = lambda _progress: None

    async def run(self, show: Callable[[Progress], None]) -> Advice:
        """Measures and keeps the advice. Raises: GglibError when it leads to none."""
        self._show = show
        loop = asyncio.get_running_loop()
        self._began_at = loop.time()
        await self._remember()
        async with self._open_runner(self._subject.engine) as runner:
            for handle in await runner.list_running():  # of a program that was killed while it measured
                await runner.kill(handle)
            await self._measure(runner)
        return await self._advise()

    async def _remember(self) -> None:
        """What an earlier measurement of the same found before it was ended."""
        since = self._now() - _SAMPLES_COUNT_S
        for sample in await self._store.samples(self._subject.conditions, since=since):
            self._state.measured.add(sample)
            self._state.visits = max(self._state.visits, sample.visit + 1)
            if sample.task.clients == 1:
                self._pace.tokens = sample.tokens
        for setting in (*self._plan.settings, *self._state.measured.settings):
            self._state.arms.setdefault(setting, Arm(setting))
            self._update(setting)

    async def _measure(self, runner: MeasuringRunner) -> None:
        course = self._course()
        while (visit := course.next(self._left_s(), self._pace.visit_s)) is not None:
            self._state.answered = 0
            while not await self._visit(runner, course, visit) and visit.setting not in course.failed:
                pass  # the engine died: once more, with what it left unanswered
            if self._state.visits == 1:
                course = self._replanned(course)

    def _replanned(self, course: Course) -> Course:
        """The first start may have taken more or less time than the size of the file suggested."""
        plan = make_plan(self._plan.depth, self._state.load_s, short_of_bytes=self._plan.short_of_bytes)
        if plan.way is self._plan.way:
            return course
        self._plan = plan
        return self._course()

    def _course(self) -> Course:
        kind = Race if self._plan.way is Way.RACE else Prediction
        return kind(self._plan, self._state.measured)

    def _elapsed_s(self) -> float:
        return asyncio.get_running_loop().time() - self._began_at

    @property
    def _is_extended(self) -> bool:
        return self._elapsed_s() > self._plan.seconds * _LATE and is_wanting(self._state.measured)

    def _left_s(self) -> float:
        budget = self._plan.most_seconds if self._is_extended else self._plan.seconds
        return budget - self._elapsed_s()

    async def _visit(self, runner: MeasuringRunner, course: Course, visit: Visit) -> bool:
        """Whether the engine lived to its end."""
        setting, clients = visit.setting, visit.tasks[0].clients
        self._state.arms.setdefault(setting, Arm(setting))
        self._update(setting, ArmState.STARTING)
        try:
            async with serving(runner, self._subject.configured(setting, clients)) as server:
                self._state.load_s = server.load_s
                self._pace.load_s = server.load_s + await server.warm_up(self._pace)
                await self._learn(server)
                self._update(setting, ArmState.MEASURING)
                await self._ask_all(server, course, visit)
        except (ProcessError, ChatError) as exc:
            _log.warning("measuring %s: %s", setting, exc)
            self._died(course, setting, exc)
            return False
        finally:
            self._state.visits += 1
        return True

    async def _learn(self, server: HeldServer) -> None:
        """What the server is, by which it is decided what counts."""
        facts = await server.facts()
        if facts is None:
            return
        state = self._state
        state.basis = Basis.CPU if facts.gpu_layers == 0 else Basis.WALL
        state.device = "CPU" if facts.gpu_layers == 0 else self._subject.config.device or "GPU"
        state.build = facts.build or self._subject.engine.version
        state.speed_key = server.speed_key(self._subject.config, facts)

    async def _ask_all(self, server: HeldServer, course: Course, visit: Visit) -> None:
        for task in visit.tasks[self._state.answered :]:
            answers, cost = await server.ask(task, self._pace)
            self._pace.took(task, cost.wall_s)
            sample = Sample(
                visit.setting,
                task,
                sum(each.tokens for each in answers),
                cost.cpu_s if self._state.basis is Basis.CPU and cost.cpu_s is not None else cost.wall_s,
                max(each.prompt_ms for each in answers),
                max(each.gen_ms for each in answers),
                sum(each.draft_n for each in answers),
                sum(each.accepted_n for each in answers),
                hashlib.sha256("\0".join(each.text for each in answers).encode(errors="replace")).hexdigest()[:16],
                self._state.visits,
            )
            self._state.measured.add(sample)
            self._state.answered += 1
            await self._store.add_sample(self._subject.conditions, sample)
            self._update(visit.setting, ArmState.MEASURING)
            if not course.goes_on(visit.setting):
                self._update(visit.setting, ArmState.DROPPED)
                return
        if isinstance(course, Prediction) and visit.setting == self._plan.settings[-1]:
            course.accepted_at = await server.accepted_at()
        self._update(visit.setting, ArmState.MEASURED)

    def _died(self, course: Course, setting: DraftSetting, reason: GglibError) -> None:
        """Only this setting is lost, and only if it happens again."""
        deaths = self._state.deaths[setting] = self._state.deaths.get(setting, 0) + 1
        if deaths >= _DEATHS:
            course.failed.add(setting)
            if setting == OFF and not self._state.measured.of(OFF):
                raise reason
        self._update(setting, ArmState.FAILED, str(reason))

    def _update(self, setting: DraftSetting, state: ArmState | None = None, problem: str = "") -> None:
        measured, arms = self._state.measured, self._state.arms
        if state is None:
            state = ArmState.MEASURED if measured.of(setting) else ArmState.WAITING
        arms[setting] = arms[setting].replace(state=state, problem=problem)
        self._state.arms = {each: _told(arm, measured) for each, arm in arms.items()}
        current = setting if state in {ArmState.STARTING, ArmState.MEASURING} else None
        shown = tuple(self._state.arms.values())
        self._show(Progress(self._plan, shown, self._elapsed_s(), current, extended=self._is_extended))

    async def _advise(self) -> Advice:
        state = self._state
        subject, verdict = self._subject, judge(state.measured)
        advice = Advice(
            subject.conditions,
            subject.model.name,
            verdict,
            tuple(state.arms.values()),
            measured_at=self._now(),
            seconds=self._elapsed_s(),
            depth=self._plan.depth,
            basis=state.basis,
            engine=state.build or subject.engine.version,
            device=state.device,
            speed_key=state.speed_key,
            load_s=state.load_s,
        )
        await self._store.clear_samples(subject.conditions)
        if verdict.doubt is None:  # else an earlier verdict still counts
            await self._kept.keep(advice)
        return advice


def _told(arm: Arm, measured: Measurements) -> Arm:
    setting = arm.setting
    samples: Sequence[Sample] = measured.of(setting)
    if not samples:
        return arm
    return arm.replace(
        requests=len(samples),
        speed=measured.speed(setting),
        tokens_per_s=tokens_per_s(samples),
        accepted=accepted_share(samples),
        tokens_per_step=tokens_per_step(samples),
    )
