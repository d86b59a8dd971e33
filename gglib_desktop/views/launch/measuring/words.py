"""Words for measurements of drafting: plans, settings, verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from gglib_desktop.domain.advisor.advice import Advice
from gglib_desktop.domain.advisor.plan import Plan
from gglib_desktop.domain.advisor.progress import ArmState, Progress
from gglib_desktop.domain.advisor.samples import Length, TextKind
from gglib_desktop.domain.advisor.settings import DraftSetting
from gglib_desktop.domain.advisor.verdict import Doubt, Gain, Line, Verdict
from gglib_desktop.domain.units import shortest, size_text
from gglib_desktop.views.words.errors import sentence
from gglib_desktop.views.words.figures import not_known, wait_text

translate = QCoreApplication.translate


def plan_text(plan: Plan | None) -> str:
    """What a measurement is going to do, and how long that takes."""
    if plan is None:
        return translate("Advice", "Plan: not known")
    text = translate("Advice", "Plan: {seconds}, or up to {most} on a busy computer; at most {starts} starts")
    return text.format(seconds=_seconds(plan.seconds), most=_seconds(plan.most_seconds), starts=plan.starts)


def _seconds(seconds: float) -> str:
    text = translate("Advice", "{count} s") if seconds <= 90 else translate("Advice", "{count} min")
    return text.format(count=round(seconds if seconds <= 90 else seconds / 60))


def shortage_text(plan: Plan) -> str:
    """Why there is no room for a second copy of the model."""
    text = translate("Advice", "A second copy of the model does not fit: {size} of memory are missing.")
    return text.format(size=size_text(plan.short_of_bytes))


def stop_text(servers: Sequence[str]) -> str:
    """What could make room."""
    text = translate("Advice", "Stop {servers} for the time, and start again afterwards")
    return text.format(servers=", ".join(servers))


def setting_text(setting: DraftSetting) -> str:
    """For a line or a cell."""
    if not setting.drafts:
        return translate("Advice", "off")
    text = translate("Advice", "1 token, p ≥ {p}") if setting.n_max == 1 else translate("Advice", "{n} tokens, p ≥ {p}")
    return text.format(n=setting.n_max, p=shortest(setting.p_min))


def arm_state_text(state: ArmState) -> str:
    """How far one setting is."""
    return {
        ArmState.WAITING: translate("Advice", "waiting"),
        ArmState.STARTING: translate("Advice", "starting"),
        ArmState.MEASURING: translate("Advice", "measuring"),
        ArmState.MEASURED: translate("Advice", "measured"),
        ArmState.DROPPED: translate("Advice", "too slow"),
        ArmState.FAILED: translate("Advice", "failed"),
    }[state]


def speed_text(speed: float | None) -> str:
    """As a multiple of the speed without drafting."""
    return not_known() if speed is None else translate("Advice", "{factor} ×").format(factor=f"{speed:.2f}")


def progress_text(progress: Progress) -> str:
    """What goes on now."""
    if progress.current is None:
        return translate("Advice", "Preparing the next start")
    arm = next((each for each in progress.arms if each.setting == progress.current), None)
    starts = arm is not None and arm.state is ArmState.STARTING
    text = translate("Advice", "Starting: {setting}") if starts else translate("Advice", "Measuring: {setting}")
    text = text.format(setting=setting_text(progress.current))
    if progress.extended:
        return translate("Advice", "{what}. The computer is busy, so it takes longer.").format(what=text)
    return text


def verdict_text(verdict: Verdict) -> str:
    """In one line, whether drafting pays, and with which settings."""
    if verdict.doubt is not None:
        return translate("Advice", "Verdict: uncertain")
    if not verdict.is_on:
        return translate("Advice", "Verdict: off")
    text = translate("Advice", "Verdict: {n} draft tokens, minimum probability {p}")
    return text.format(n=verdict.setting.n_max, p=shortest(verdict.setting.p_min))


def gain_text(verdict: Verdict) -> str:
    """What drafting brings, with the range in which that lies. Without a verdict there is no number."""
    if verdict.doubt is not None or verdict.gain is None:
        return translate("Advice", "Gain: {gain}").format(gain=not_known())
    return translate("Advice", "Gain: {gain}").format(gain=_gain(verdict.gain))


def _gain(gain: Gain) -> str:
    text = translate("Advice", "{gain} % ({low} to {high} %)")
    return text.format(gain=_percent(gain.ratio), low=_percent(gain.low), high=_percent(gain.high))


def _percent(ratio: float) -> str:
    return f"{round((ratio - 1) * 100):+d}"


def verdict_details(advice: Advice) -> tuple[str, ...]:
    """What else is to be known, each a sentence or a line."""
    verdict = advice.verdict
    if verdict.doubt is not None:
        return (_doubt(verdict.doubt),)
    found = []
    if not verdict.is_on and verdict.runner_up is not None:
        text = translate("Advice", "With drafting at its best: {setting}")
        found.append(text.format(setting=setting_text(verdict.runner_up)))
    found += [_line(line, verdict.setting) for line in verdict.lines if line.gain is not None]
    if verdict.first_token_ms is not None and verdict.off_first_token_ms is not None:
        text = translate("Advice", "First token: {this}, without drafting {off}")
        found.append(text.format(this=wait_text(verdict.first_token_ms), off=wait_text(verdict.off_first_token_ms)))
    if not verdict.same_text:
        found.append(translate("Advice", "The answers differed between settings, so times were compared per token."))
    return tuple(found)


def _doubt(doubt: Doubt) -> str:
    text = {
        Doubt.BUSY: translate("Advice", "the computer is too busy: two measurements without drafting differ too much"),
        Doubt.TOO_LITTLE: translate("Advice", "too little was measured"),
    }[doubt]
    return sentence(text)


def _line(line: Line, chosen: DraftSetting) -> str:
    kind = {
        TextKind.CODE: translate("Advice", "Code"),
        TextKind.PROSE: translate("Advice", "Prose"),
        None: translate("Advice", "Code and prose"),
    }[line.kind]
    parts = [kind]
    if line.length is Length.LONG:
        parts.append(translate("Advice", "long prompts"))
    if line.clients > 1:
        parts.append(translate("Advice", "{count} clients").format(count=line.clients))
    assert line.gain is not None
    text = translate("Advice", "{use}: {gain}").format(use=", ".join(parts), gain=_gain(line.gain))
    if line.best is None or line.best == chosen:
        return text
    return translate("Advice", "{line}; best alone: {setting}").format(line=text, setting=setting_text(line.best))
