"""How well an endpoint is, as far as looks have told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gglib_desktop.domain.endpoints.look import EndpointLook, Trouble
from gglib_desktop.domain.servers.health import (
    HEALTHY_INTERVAL_S,
    HIDDEN_INTERVAL_S,
    MISSED_INTERVAL_S,
    UNRESPONSIVE_AFTER,
    next_look_at,
)


class EndpointHealth(StrEnum):
    """The word for it."""

    CHECKING = "Checking"
    HEALTHY = "Healthy"
    LOADING = "Loading"
    BUSY = "Busy"
    DEGRADED = "Degraded"
    UNRESPONSIVE = "Unresponsive"
    UNREACHABLE = "Unreachable"
    NOT_AUTHORIZED = "Not authorized"
    NO_SUCH_MODEL = "No such model"
    NONSENSE = "Answers nonsense"


_MEANS = {
    Trouble.NO_ADDRESS: EndpointHealth.UNREACHABLE,
    Trouble.REFUSED: EndpointHealth.UNREACHABLE,
    Trouble.NO_CONNECTION: EndpointHealth.UNREACHABLE,
    Trouble.CERTIFICATE: EndpointHealth.UNREACHABLE,
    Trouble.NO_TLS: EndpointHealth.UNREACHABLE,
    Trouble.SILENT: EndpointHealth.DEGRADED,
    Trouble.BROKE: EndpointHealth.DEGRADED,
    Trouble.NOT_NOW: EndpointHealth.DEGRADED,
    Trouble.LOADING: EndpointHealth.LOADING,
    Trouble.KEY_WANTED: EndpointHealth.NOT_AUTHORIZED,
    Trouble.KEY_REFUSED: EndpointHealth.NOT_AUTHORIZED,
}
_MISSED = frozenset({Trouble.SILENT, Trouble.BROKE})


@dataclass(frozen=True)
class EndpointState:
    """``since``: the unix time from which it has been so. ``missed``: how many looks in a row had no whole answer.

    ``detail`` belongs to the ``trouble``, or is the name of the model that it lacks; empty where it has none at all.
    """

    health: EndpointHealth
    since: float
    trouble: Trouble | None = None
    detail: str = ""
    missed: int = 0

    @property
    def word(self) -> str:
        return str(self.health)

    @property
    def is_calm(self) -> bool:
        """The next look is not urgent."""
        return not 0 < self.missed < UNRESPONSIVE_AFTER and self.health is not EndpointHealth.LOADING

    @property
    def answers(self) -> bool:
        """It listed its models at the last look."""
        return self.health in {EndpointHealth.HEALTHY, EndpointHealth.NO_SUCH_MODEL}

    def after(
        self, look: EndpointLook, now: float, *, wanted: str | None = None, answers_us: bool = False
    ) -> EndpointState:
        """The state after one more look. ``wanted``: the model that the user chose.

        ``answers_us``: it works on an answer for this program; some answer nothing else meanwhile.
        """
        missed = self.missed + 1 if look.trouble in _MISSED and not answers_us else 0
        health, detail = self._health(look, missed), look.detail
        if answers_us and look.trouble is Trouble.SILENT:
            health = EndpointHealth.BUSY
        lacks = not look.models or (wanted is not None and wanted not in look.models)
        if health is EndpointHealth.HEALTHY and lacks:
            health, detail = EndpointHealth.NO_SUCH_MODEL, wanted or ""
        return EndpointState(health, self.since if health is self.health else now, look.trouble, detail, missed)

    def _health(self, look: EndpointLook, missed: int) -> EndpointHealth:
        if look.trouble is None:
            return EndpointHealth.HEALTHY
        if missed >= UNRESPONSIVE_AFTER:
            return EndpointHealth.UNRESPONSIVE
        return _MEANS.get(look.trouble, EndpointHealth.NONSENSE)

    def due_at(self, asked_at: float, number: int, *, visible: bool) -> float:
        """When to look again after a look that began at ``asked_at``, together with servers as ``number`` says."""
        if visible and not self.is_calm:
            return asked_at + MISSED_INTERVAL_S
        # Who says that it is asked too often is asked rarely.
        rarely = not visible or (self.trouble is Trouble.NOT_NOW and self.detail == "429")
        return next_look_at(asked_at, HIDDEN_INTERVAL_S if rarely else HEALTHY_INTERVAL_S, number)
