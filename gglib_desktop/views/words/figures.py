"""Words for measured figures. What was not observed is not known, never 0."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from gglib_desktop.domain.traffic.figures import Drafting, SlotWork
from gglib_desktop.domain.traffic.trend import Trend, trend_of
from gglib_desktop.domain.units import size_text

translate = QCoreApplication.translate

_MS_PER_S = 1000


def number_text(value: float) -> str:
    """With one decimal below 100, and without grouping."""
    return f"{value:.1f}" if round(value, 1) < 100 else f"{value:.0f}"


def not_known() -> str:
    """For a figure that was not observed."""
    return translate("Figures", "not known")


def speed_text(speed: float | None) -> str:
    """Of tokens per second; 0 is idle."""
    if speed is None:
        return not_known()
    if not speed:
        return translate("Figures", "idle")
    return translate("Figures", "{speed} tokens per second").format(speed=number_text(speed))


def short_speed_text(speed: float | None) -> str:
    """For narrow places: the unit is explained beside it, or where the long text is."""
    if not speed:
        return speed_text(speed)
    return translate("Figures", "{speed} tok/s").format(speed=number_text(speed))


def wait_text(milliseconds: float | None) -> str:
    """In seconds with two decimals."""
    if milliseconds is None:
        return not_known()
    return translate("Figures", "{seconds} s").format(seconds=f"{milliseconds / _MS_PER_S:.2f}")


def bytes_text(size_bytes: int | None) -> str:
    """A size."""
    return not_known() if size_bytes is None else size_text(size_bytes)


def count_or_not_known(count: int | None) -> str:
    """A number of things."""
    return not_known() if count is None else str(count)


def percent_text(percent: float | None) -> str:
    """A share in whole percent."""
    return not_known() if percent is None else translate("Figures", "{count} %").format(count=round(percent))


def slot_text(work: SlotWork) -> str:
    """What a slot does now."""
    if not work.is_busy:
        return translate("Figures", "idle")
    if work.gen_n is None:
        return translate("Figures", "working; this engine does not tell how far")
    if work.gen_n:
        return translate("Figures", "generating, {count} tokens").format(count=work.gen_n)
    if work.prompt_n is None:
        return translate("Figures", "reading, {count} tokens so far").format(count=work.read_n)
    text = translate("Figures", "reading {count} of {total} tokens")
    return text.format(count=work.read_n, total=work.prompt_n)


def described_line(values: Sequence[float | None]) -> str:
    """A line of speeds for those who do not see it: ``42.0 tokens per second, rising``."""
    now = next((value for value in reversed(values) if value is not None), None)
    trend = trend_of(values)
    if not now or trend is Trend.UNKNOWN:
        return speed_text(now)
    words = {
        Trend.RISING: translate("Figures", "rising"),
        Trend.FALLING: translate("Figures", "falling"),
        Trend.STEADY: translate("Figures", "steady"),
    }
    return translate("Figures", "{speed}, {trend}").format(speed=speed_text(now), trend=words[trend])


# -- drafting


def drafting_text(drafting: Drafting) -> str:
    """How well drafts are guessed."""
    text = translate("Figures", "{count} tokens per step, {share} % accepted")
    return text.format(count=f"{drafting.tokens_per_step:.2f}", share=round(100 * drafting.accepted))


def gain_text(gain: float | None) -> str:
    """``+38 %`` or ``-12 %`` against no drafting."""
    return not_known() if gain is None else f"{round(100 * (gain - 1)):+d} %"


def gain_sentence(drafting: Drafting) -> str:
    """What drafting brings, as plainly for a loss as for a gain."""
    if drafting.is_uncertain:
        return translate("Figures", "Gain not known yet: there were too few requests, or they differed too much.")
    if drafting.gain is None:
        return translate("Figures", "Gain not known: the speed without drafting was not measured here yet.")
    percent = round(100 * (drafting.gain - 1))
    if percent == 0:
        text = translate("Figures", "Drafting makes no difference.")
    elif percent > 0:
        text = translate("Figures", "Drafting makes it {percent} % faster.").format(percent=percent)
    else:
        text = translate("Figures", "Drafting costs {percent} %.").format(percent=-percent)
    if drafting.breaks_even_at is not None:
        even = translate("Figures", "It breaks even at {count} tokens per step.")
        text = f"{text} {even.format(count=f'{drafting.breaks_even_at:.2f}')}"
    return text


def fewer_sentence(drafting: Drafting) -> str:
    """What fewer draft tokens would bring; empty if that is not known."""
    if drafting.fewer is None or drafting.fewer_gain is None or len(drafting.accepted_at) <= drafting.fewer:
        return ""
    text = translate(
        "Figures",
        "Position {position} is accepted in {share} % of the drafts:"
        " {count} draft tokens would be about {percent} % faster.",
    )
    return text.format(
        position=len(drafting.accepted_at),
        share=round(100 * drafting.accepted_at[-1]),
        count=drafting.fewer,
        percent=round(100 * (drafting.fewer_gain - 1)),
    )
