"""Compares the requests that were read with what the servers counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gglib_desktop.domain.traffic.audit import Audit, Told, Verdict, interval
from gglib_desktop.domain.traffic.figures import Counters
from gglib_desktop.services.traffic.news import CountersRead, RequestsAudited
from gglib_desktop.services.traffic.run_reading import RunReading


@dataclass
class _RunAudit:
    """``since`` the time ``at`` the counters tell what no request did; None: they were not read before."""

    since: Counters | None
    at: float
    told: Told = Told()
    audit: Audit = field(default_factory=Audit)

    def count_from(self, counters: Counters, told: Told, now: float) -> None:
        self.since, self.told, self.at = counters, told, now


class RequestAudits:
    """Audits a run each time its counters are read, and has rows of intervals kept where its lines are not understood.

    ``latest`` is what was told last of a run, and ``tell`` is called when that changes. ``clock`` gives the unix time.
    """

    def __init__(
        self,
        readings: Mapping[str, RunReading],
        tell: Callable[[RequestsAudited], None],
        *,
        started_at: Callable[[str], float | None],
        clock: Callable[[], float],
    ) -> None:
        """``started_at`` gives the time at which a run began that this program started, None for other runs."""
        self.latest: dict[str, RequestsAudited] = {}
        self._readings = readings
        self._tell = tell
        self._started_at = started_at
        self._clock = clock
        self._runs: dict[str, _RunAudit] = {}

    def on_counters(self, news: CountersRead) -> None:
        run, counters = news.run, news.counters
        reading = self._readings.get(run)
        if reading is None:
            return
        now = self._clock()
        known = self._runs.get(run) or self._begin(run, now)
        was_understood = reading.is_understood
        verdict = known.audit.compare(reading.told, counters, now, at_work=bool(counters.processing))
        reading.is_understood = verdict is not Verdict.NOT_UNDERSTOOD
        if reading.is_understood:
            if verdict is Verdict.COMPLETE or known.since is None or known.told != reading.told:
                known.count_from(counters, reading.told, now)
        elif not counters.processing:
            # Of what was kept when it seemed to be understood nothing is kept again.
            if known.since is not None and (not was_understood or known.told == reading.told):
                _keep_interval(reading, known.since, counters, known.at)
            known.count_from(counters, reading.told, now)
        self._report(RequestsAudited(run, verdict, known.audit.gen_n if verdict is Verdict.COMPLETE else None))

    def _begin(self, run: str, now: float) -> _RunAudit:
        for over in self._runs.keys() - self._readings.keys():
            del self._runs[over], self.latest[over]
        started = self._started_at(run)
        known = _RunAudit(None, now) if started is None else _RunAudit(Counters(0, 0.0, 0, 0.0), started)
        self._runs[run] = known
        return known

    def _report(self, audited: RequestsAudited) -> None:
        if audited != self.latest.get(audited.run):
            self.latest[audited.run] = audited
            self._tell(audited)


def _keep_interval(reading: RunReading, since: Counters, counters: Counters, at: float) -> None:
    row = interval(at, since, counters)
    if row is not None:
        reading.add(row)
