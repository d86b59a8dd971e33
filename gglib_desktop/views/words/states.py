"""The texts about a server's state: on the badge, in its tool tip and for a screen reader."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QDate, QDateTime, QLocale

from gglib_desktop.domain.endpoints.state import EndpointState
from gglib_desktop.domain.servers.failures import StopRung
from gglib_desktop.domain.servers.states import (
    Busy,
    Crashed,
    Degraded,
    Failed,
    Healthy,
    Loading,
    ServerState,
    Starting,
    Stopped,
    Stopping,
    Unreachable,
    Unresponsive,
)
from gglib_desktop.domain.units import duration_text
from gglib_desktop.views.words.endpoints import endpoint_description, endpoint_word
from gglib_desktop.views.words.errors import joined, sentence
from gglib_desktop.views.words.failures import words_for_failure

translate = QCoreApplication.translate


def state_text(state: ServerState | EndpointState, *, with_end: bool = True) -> str:
    """The badge's text: the state's word, and ``with_end`` the way a crash ended if it is known."""
    if isinstance(state, EndpointState):
        return endpoint_word(state.health, is_short=not with_end)
    word = _state_words()[type(state).word]
    if with_end and isinstance(state, Crashed) and state.failure.exit is not None:
        end = state.failure.exit
        if end.signal_number is not None:
            return translate("States", "{word} (signal {number})").format(word=word, number=end.signal_number)
        if end.status is not None:
            return translate("States", "{word} (exit code {code})").format(word=word, code=end.status)
    return word


def _state_words() -> dict[str, str]:
    return {
        Starting.word: translate("States", "Starting"),
        Loading.word: translate("States", "Loading"),
        Healthy.word: translate("States", "Healthy"),
        Busy.word: translate("States", "Busy"),
        Degraded.word: translate("States", "Degraded"),
        Unresponsive.word: translate("States", "Unresponsive"),
        Stopping.word: translate("States", "Stopping"),
        Stopped.word: translate("States", "Stopped"),
        Failed.word: translate("States", "Failed"),
        Crashed.word: translate("States", "Crashed"),
        Unreachable.word: translate("States", "Unreachable"),
    }


def state_description(state: ServerState | EndpointState) -> str:
    """A state in a sentence or two, for tool tips and accessible descriptions."""
    match state:
        case EndpointState():
            return endpoint_description(state)
        case Starting():
            return translate("States", "The server was asked to run and has not answered yet.")
        case Loading(usual_s=usual_s):
            usual = (
                translate("States", "This usually takes {time}.").format(time=duration_text(usual_s)) if usual_s else ""
            )
            return joined(translate("States", "The server is loading the model."), usual)
        case Healthy():
            return translate("States", "The server answers in time.")
        case Busy():
            return translate("States", "The server works and answers health checks late.")
        case Degraded() | Unresponsive():
            return _not_answering(state)
        case Stopping():
            return translate("States", "The server was asked to end. It will be killed if it does not.")
        case Stopped():
            return sentence(stopped_text(state))
        case Unreachable(place=place, since=since, reason=reason):
            lost = translate("States", "{place} cannot be reached since {time}.").format(
                place=place, time=time_text(since)
            )
            unknown = translate("States", "Nothing is known of this server since then.")
            return joined(lost, unknown, sentence(reason))
        case Failed(failure=failure) | Crashed(failure=failure):
            return words_for_failure(failure, type(state).word).summary


def _not_answering(state: Degraded | Unresponsive) -> str:
    if isinstance(state, Unresponsive):
        if state.paused:
            return translate(
                "States", "The process is paused: somebody stopped it with a signal. “kill -CONT {pid}” lets it go on."
            ).format(pid=state.handle.pid)
        missed = translate("States", "The server does not answer and shows no progress.")
    elif state.missed == 1:
        missed = translate("States", "The server missed a health check.")
    else:
        missed = translate("States", "The server missed {count} health checks in a row.").format(count=state.missed)
    return joined(missed, sentence(state.reason))


def ended_text(state: ServerState | EndpointState) -> str:
    """When and why a server ended; for one that cannot be reached, since when. Empty for one that lives."""
    match state:
        case Stopped(at=at) | Failed(at=at) | Crashed(at=at):
            text = translate("States", "{time}: {why}")
            return text.format(time=time_text(at), why=state_description(state))
        case Unreachable():
            return state_description(state)
        case _:
            return ""


def time_text(at: float) -> str:
    """A time of today as the user's clock shows it, any other with its date. ``at`` is a unix time."""
    moment, locale = QDateTime.fromSecsSinceEpoch(int(at)), QLocale()
    short = QLocale.FormatType.ShortFormat
    if moment.date() == QDate.currentDate():
        return locale.toString(moment.time(), short)
    return locale.toString(moment, short)


def stopped_text(state: Stopped) -> str:
    """The word ``Stopped`` and, unless the first SIGTERM was enough, the last signal that was needed."""
    word = translate("States", "Stopped")
    how = state.end.stopped_by if state.end is not None else StopRung.NONE
    if how is StopRung.SECOND_SIGTERM:
        return translate("States", "{word}: it did not end on SIGTERM; the second one ended it").format(word=word)
    if how is StopRung.SIGKILL:
        return translate("States", "{word}: it did not end on SIGTERM and was killed").format(word=word)
    return word
