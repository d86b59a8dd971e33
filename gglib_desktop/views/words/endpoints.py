"""The texts about endpoints: what was seen of them, and what they do not tell."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from gglib_desktop.domain.endpoints.look import Trouble
from gglib_desktop.domain.endpoints.state import EndpointHealth, EndpointState
from gglib_desktop.domain.servers.health import UNRESPONSIVE_AFTER
from gglib_desktop.views.words.errors import joined, sentence

translate = QCoreApplication.translate


def endpoint_word(health: EndpointHealth, *, is_short: bool = False) -> str:
    """The text of the badge. ``is_short``: not longer than the words of other states."""
    short = {
        EndpointHealth.NOT_AUTHORIZED: translate("Endpoints", "No entry"),
        EndpointHealth.NO_SUCH_MODEL: translate("Endpoints", "No model"),
        EndpointHealth.NONSENSE: translate("Endpoints", "Nonsense"),
    }
    if is_short and health in short:
        return short[health]
    return {
        EndpointHealth.CHECKING: translate("Endpoints", "Checking"),
        EndpointHealth.HEALTHY: translate("Endpoints", "Healthy"),
        EndpointHealth.LOADING: translate("Endpoints", "Loading"),
        EndpointHealth.BUSY: translate("Endpoints", "Busy"),
        EndpointHealth.DEGRADED: translate("Endpoints", "Degraded"),
        EndpointHealth.UNRESPONSIVE: translate("Endpoints", "Unresponsive"),
        EndpointHealth.UNREACHABLE: translate("Endpoints", "Unreachable"),
        EndpointHealth.NOT_AUTHORIZED: translate("Endpoints", "Not authorized"),
        EndpointHealth.NO_SUCH_MODEL: translate("Endpoints", "No such model"),
        EndpointHealth.NONSENSE: translate("Endpoints", "Answers nonsense"),
    }[health]


def endpoint_description(state: EndpointState) -> str:
    """A state in a sentence or two: what was observed, and what it means."""
    if state.health is EndpointHealth.CHECKING:
        return translate("Endpoints", "The endpoint has not been looked at yet.")
    if state.health is EndpointHealth.BUSY:
        return translate("Endpoints", "It works on an answer and does not answer anything else meanwhile.")
    if state.health is EndpointHealth.NO_SUCH_MODEL and not state.detail:
        return translate("Endpoints", "No such model: it lists no models.")
    if state.health is EndpointHealth.NO_SUCH_MODEL:
        text = translate("Endpoints", "No such model: it does not list “{model}” any more, or refused a chat with it.")
        return text.format(model=state.detail)
    if state.trouble is None:
        return translate("Endpoints", "The endpoint answers in time and lists its models.")
    often = translate("Endpoints", "So it was {count} times in a row.").format(count=state.missed)
    text = trouble_text(state.trouble, state.detail)
    return joined(text, often if state.missed >= UNRESPONSIVE_AFTER else "")


def trouble_text(trouble: Trouble, detail: str = "") -> str:
    """Why an endpoint lists no models, in a sentence."""
    text = {
        **_unreachable_texts(),
        **_refusal_texts(),
        Trouble.SILENT: translate("Endpoints", "It does not answer in time."),
        Trouble.BROKE: translate("Endpoints", "It closes the connection before it has answered."),
        Trouble.LOADING: translate("Endpoints", "It is loading its model."),
        Trouble.NOT_NOW: translate("Endpoints", "It says that it cannot answer now (HTTP {detail})."),
        Trouble.REDIRECT: translate("Endpoints", "It answers with a redirect to {detail}, which is not followed."),
        Trouble.STATUS: translate("Endpoints", "It answers nonsense: HTTP {detail} instead of a list of models."),
        Trouble.NO_HTTP: translate("Endpoints", "It answers nonsense: what it says is no HTTP."),
        Trouble.TOO_LONG: translate("Endpoints", "It answers nonsense: its list of models has no end."),
        Trouble.HTML: translate("Endpoints", "It answers nonsense: a web page instead of a list of models."),
        Trouble.NO_JSON: translate("Endpoints", "It answers nonsense: what it says is no JSON."),
        Trouble.NO_LIST: translate("Endpoints", "It answers nonsense: what it says is no list of models."),
    }[trouble]
    return text.format(detail=detail or translate("Endpoints", "no reason given"))


def _unreachable_texts() -> dict[Trouble, str]:
    return {
        Trouble.NO_ADDRESS: translate("Endpoints", "It cannot be reached: its name leads to no computer."),
        Trouble.REFUSED: translate("Endpoints", "It cannot be reached: nothing listens at its address."),
        Trouble.NO_CONNECTION: translate("Endpoints", "It cannot be reached: no connection can be made ({detail})."),
        Trouble.CERTIFICATE: translate(
            "Endpoints", "It is not used, because its certificate is not trusted: {detail}. Nothing was sent to it."
        ),
        Trouble.NO_TLS: translate("Endpoints", "It cannot be used with https: it does not speak it."),
    }


def _refusal_texts() -> dict[Trouble, str]:
    return {
        Trouble.KEY_WANTED: translate(
            "Endpoints",
            "This program is not authorized: the endpoint wants a key (HTTP {detail}). Give it one with “Change key…” "
            "in Settings, Places.",
        ),
        Trouble.KEY_REFUSED: translate(
            "Endpoints",
            "This program is not authorized: the endpoint refuses its key (HTTP {detail}). Give it another one with "
            "“Change key…” in Settings, Places.",
        ),
    }


def not_told(*, is_router: bool = False) -> str:
    """For a figure that the endpoint has not."""
    if is_router:
        return translate("Endpoints", "a router does not tell")
    return translate("Endpoints", "this endpoint does not tell")


def key_problem_text(problem: str) -> str:
    """Why it is shown no key."""
    return translate("Endpoints", "Its key cannot be read: {problem}").format(problem=sentence(problem))
