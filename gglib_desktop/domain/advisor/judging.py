"""From what was measured to the verdict."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from gglib_desktop.domain.advisor.measurements import Measurements
from gglib_desktop.domain.advisor.samples import Length, Task, TextKind
from gglib_desktop.domain.advisor.settings import OFF, DraftSetting
from gglib_desktop.domain.advisor.verdict import LEAST_GAIN, Doubt, Gain, Line, Verdict, is_open

_TIE = 1.03
_LEAST_REQUESTS = 4
_OFF_REQUESTS = 6


def judge(measured: Measurements) -> Verdict:
    """The verdict. A computer that is too busy leads to none."""
    short = measured.only(lambda task: task.length is Length.SHORT and task.clients == 1)
    if not short.of(OFF) or not any(each.drafts for each in short.settings):
        return Verdict(doubt=Doubt.TOO_LITTLE, same_text=measured.texts_agree)
    order = ranked(short)
    chosen = _chosen(short, order)
    if not short.is_steady and not _is_clear(short, chosen if chosen.drafts else order[0]):
        return Verdict(doubt=Doubt.BUSY, same_text=measured.texts_agree)
    shown = chosen if chosen.drafts else order[0]
    others = [each for each in order if each != shown]
    return Verdict(
        setting=chosen,
        gain=short.gain(shown),
        lines=tuple(_lines(measured, shown)),
        first_token_ms=_first_token(short, chosen),
        off_first_token_ms=_first_token(short, OFF),
        off_ms=tuple(each.gen_ms / each.timed for each in short.of(OFF)),
        same_text=measured.texts_agree,
        runner_up=others[0] if others else None,
    )


def is_wanting(measured: Measurements) -> bool:
    """Whether the computer is so busy that a measurement should take longer than planned."""
    return not measured.is_steady or len(measured.of(OFF)) < _OFF_REQUESTS


def _is_clear(measured: Measurements, setting: DraftSetting) -> bool:
    """Whether the verdict would be the same if the time without drafting were wrong by as much as it changes."""
    gain = measured.gain(setting)
    return gain is not None and not is_open(gain, measured.spread)


def ranked(measured: Measurements) -> list[DraftSetting]:
    """The settings with drafting, the fastest first: those that were measured enough before all others.

    All are compared by the questions that those measured enough have in common.
    """
    drafting = [each for each in measured.settings if each.drafts]
    enough = [each for each in drafting if len(measured.pooled(each)) >= _LEAST_REQUESTS]
    compared = enough or drafting
    asked = [frozenset(each.task for each in measured.pooled(setting)) for setting in compared]
    common = frozenset.intersection(*asked)

    def cost(setting: DraftSetting) -> float:
        return measured.cost(setting, common or None) or 0.0

    return sorted(compared, key=cost)


def _chosen(measured: Measurements, order: Sequence[DraftSetting]) -> DraftSetting:
    """The one with the fewest draft tokens among the fastest, if it is certain to be faster than none."""
    best_cost = measured.cost(order[0]) or 0.0
    close = [each for each in order if (measured.cost(each) or 0.0) <= best_cost * _TIE]
    for setting in sorted(close, key=lambda each: (each.n_max, -each.p_min)):
        gain = measured.gain(setting)
        if gain is not None and gain.low >= LEAST_GAIN:
            return setting
    return OFF


def _lines(measured: Measurements, setting: DraftSetting) -> list[Line]:
    """For each kind of use that was measured: one client first, short before long, both kinds of text together last."""
    uses = {(each.clients, each.length) for each in measured.tasks(OFF)}
    found = [
        _line(measured, setting, kind, length, clients)
        for clients, length in sorted(uses, key=lambda use: (use[0], use[1] is Length.LONG))
        for kind in (*TextKind, None)
    ]
    return [each for each in found if each is not None]


def _line(
    measured: Measurements, setting: DraftSetting, kind: TextKind | None, length: Length, clients: int
) -> Line | None:
    def belongs(task: Task) -> bool:
        return (task.clients, task.length) == (clients, length) and kind in {task.kind, None}

    part = measured.only(belongs)
    ratio = part.speed(setting)
    if ratio is None or (kind is None and len({task.kind for task in part.tasks(OFF)}) < 2):
        return None
    speeds = {each: part.speed(each) or 0.0 for each in part.settings}
    best = max(speeds, key=lambda each: speeds[each])
    best = setting if speeds[best] <= ratio * _TIE else best
    return Line(kind, length, clients, part.gain(setting) or Gain(ratio, ratio, ratio), best)


def _first_token(measured: Measurements, setting: DraftSetting) -> float | None:
    times = [each.prompt_ms for each in measured.of(setting)]
    return statistics.median(times) if times else None
