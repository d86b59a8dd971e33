"""Words for the history of requests."""

from __future__ import annotations

import time

from PySide6.QtCore import QCoreApplication

from gglib_desktop.domain.traffic.audit import Verdict
from gglib_desktop.domain.traffic.request_columns import RequestColumn
from gglib_desktop.domain.traffic.requests import RequestEnd, RequestRow
from gglib_desktop.domain.traffic.totals import Spread, Totals
from gglib_desktop.views.words.figures import number_text, short_speed_text, wait_text

translate = QCoreApplication.translate

_NOTHING = "–"
_MOST_AGE_S = 20 * 3600


def column_title(column: RequestColumn) -> str:
    """What stands above a column."""
    return {
        RequestColumn.TIME: translate("Requests", "Time"),
        RequestColumn.FIRST_TOKEN: translate("Requests", "First token"),
        RequestColumn.PROMPT: translate("Requests", "Prompt"),
        RequestColumn.CACHED: translate("Requests", "Cached"),
        RequestColumn.GENERATED: translate("Requests", "Generated"),
        RequestColumn.PROMPT_SPEED: translate("Requests", "Prompt speed"),
        RequestColumn.SPEED: translate("Requests", "Speed"),
        RequestColumn.DRAFTED: translate("Requests", "Drafted"),
        RequestColumn.ACCEPTED: translate("Requests", "Accepted"),
        RequestColumn.RESULT: translate("Requests", "Result"),
    }[column]


def column_hint(column: RequestColumn) -> str:
    """What the figures of a column count."""
    return {
        RequestColumn.TIME: translate("Requests", "When a slot took the request"),
        RequestColumn.FIRST_TOKEN: translate("Requests", "From the moment when a slot took it to the first token"),
        RequestColumn.PROMPT: translate("Requests", "Prompt tokens that were read, those from the cache left out"),
        RequestColumn.CACHED: translate("Requests", "Prompt tokens that were taken from the cache"),
        RequestColumn.GENERATED: translate("Requests", "Tokens of the answer"),
        RequestColumn.PROMPT_SPEED: translate("Requests", "Prompt tokens read per second"),
        RequestColumn.SPEED: translate("Requests", "Tokens generated per second"),
        RequestColumn.DRAFTED: translate("Requests", "Tokens that were guessed ahead"),
        RequestColumn.ACCEPTED: translate("Requests", "Guessed tokens that were right"),
        RequestColumn.RESULT: translate("Requests", "How the request ended"),
    }[column]


def end_text(end: RequestEnd) -> str:
    """How a request ended."""
    return {
        RequestEnd.OK: translate("Requests", "ok"),
        RequestEnd.CANCELLED: translate("Requests", "cancelled"),
        RequestEnd.REFUSED: translate("Requests", "refused"),
        RequestEnd.FULL: translate("Requests", "full"),
        RequestEnd.NOT_RECORDED: translate("Requests", "not recorded"),
        RequestEnd.INTERVAL: translate("Requests", "sum of an interval"),
    }[end]


def end_hint(end: RequestEnd) -> str:
    """What a result means; empty where the word says it all."""
    return {
        RequestEnd.CANCELLED: translate("Requests", "The client, or the end of the server, broke it off."),
        RequestEnd.REFUSED: translate("Requests", "The server refused it, for example because it is too long."),
        RequestEnd.FULL: translate("Requests", "The answer ended because the context was full."),
        RequestEnd.NOT_RECORDED: translate(
            "Requests", "A part of the log was lost before it was read. How many requests were in it is not known."
        ),
        RequestEnd.INTERVAL: translate(
            "Requests", "The lines of this engine are not understood. These are sums of its counters."
        ),
    }.get(end, "")


def cell_text(column: RequestColumn, row: RequestRow) -> str:
    """What stands in a cell; a dash where that is not known."""
    match column:
        case RequestColumn.TIME:
            return _time_text(row.started)
        case RequestColumn.FIRST_TOKEN:
            return _NOTHING if row.ttft_ms is None else wait_text(row.ttft_ms)
        case RequestColumn.PROMPT_SPEED:
            return _NOTHING if row.prompt_speed is None else number_text(row.prompt_speed)
        case RequestColumn.SPEED:
            return _NOTHING if row.speed is None else number_text(row.speed)
        case RequestColumn.RESULT:
            return end_text(row.end)
        case RequestColumn.PROMPT:
            count = row.prompt_n
        case RequestColumn.CACHED:
            count = row.cached_n
        case RequestColumn.GENERATED:
            count = row.gen_n
        case RequestColumn.DRAFTED:
            count = row.draft_n
        case RequestColumn.ACCEPTED:
            count = row.accepted_n
    return _NOTHING if count is None else str(count)


def audit_text(verdict: Verdict) -> str:
    """Whether all requests are known."""
    return {
        Verdict.COMPLETE: translate("Requests", "complete"),
        Verdict.CHECKING: translate("Requests", "checking"),
        Verdict.NOT_UNDERSTOOD: translate("Requests", "not understood"),
        Verdict.NOT_TOLD: translate("Requests", "this engine tells of no requests"),
    }[verdict]


def audit_hint(verdict: Verdict) -> str:
    """What that means."""
    return {
        Verdict.COMPLETE: translate(
            "Requests", "The server counted the tokens of these requests, and no others but those of cancelled ones."
        ),
        Verdict.CHECKING: translate("Requests", "The requests have not been compared with the server's counters yet."),
        Verdict.NOT_UNDERSTOOD: translate(
            "Requests",
            "This engine's request lines are not understood. Sums of its counters are shown instead.",
        ),
        Verdict.NOT_TOLD: translate("Requests", "Its log does not tell of requests, so none are listed here."),
    }[verdict]


def totals_text(totals: Totals, refused: int, cancelled_n: int | None) -> str:
    """Sums and percentiles of requests, and how many never reached a slot.

    ``cancelled_n`` tokens of cancelled requests are in none of the sums: only the server's counters tell them.
    """
    parts = [
        translate("Requests", "{count} prompt tokens").format(count=totals.prompt_n),
        translate("Requests", "{count} cached").format(count=totals.cached_n),
        translate("Requests", "{count} generated").format(count=totals.gen_n),
    ]
    if cancelled_n:
        parts.append(translate("Requests", "{count} more for cancelled requests of this run").format(count=cancelled_n))
    if totals.draft_n:
        text = translate("Requests", "{accepted} of {drafted} drafted tokens accepted")
        parts.append(text.format(accepted=totals.accepted_n, drafted=totals.draft_n))
    if totals.first_token_ms is not None:
        text = translate("Requests", "first token {half} (p95 {most})")
        half, most = wait_text(totals.first_token_ms.p50), wait_text(totals.first_token_ms.p95)
        parts.append(text.format(half=half, most=most))
    if totals.prompt_speed is not None:
        parts.append(_spread_text(translate("Requests", "prompt {half} (p95 {most})"), totals.prompt_speed))
    if totals.speed is not None:
        parts.append(_spread_text(translate("Requests", "generation {half} (p95 {most})"), totals.speed))
    if refused:
        parts.append(translate("Requests", "{count} refused before a slot took them").format(count=refused))
    return " · ".join(parts)


def others_text() -> str:
    """Where requests are while a run has none."""
    return translate("Requests", "This run has no requests. Choose “This model” to see those of other runs.")


def _spread_text(text: str, spread: Spread) -> str:
    return text.format(half=short_speed_text(spread.p50), most=short_speed_text(spread.p95))


def _time_text(started: float) -> str:
    """The time alone for what is not old."""
    at = time.localtime(started)
    return time.strftime("%H:%M:%S" if abs(time.time() - started) < _MOST_AGE_S else "%Y-%m-%d %H:%M", at)
