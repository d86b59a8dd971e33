"""Whether and when a crashed server is started again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gglib_desktop.domain.servers.failures import Failure, FailureCause

BACK_OFF_S = (2.0, 10.0, 30.0)
# A server that was ready for this long has earned a fresh budget.
STABLE_S = 60.0


class RestartPolicy(StrEnum):
    """What happens when a model's server crashes."""

    NEVER = "never"
    ON_CRASH = "on crash"


@dataclass(frozen=True)
class Retry:
    """The next start after a crash: the ``number``-th of at most ``most``, at this unix time."""

    number: int
    most: int
    at: float


def next_retry(policy: RestartPolicy, failure: Failure, *, tries: int, ready_s: float, now: float) -> Retry | None:
    """The retry that follows a crash. None if it is not wanted, cannot help, or the budget is spent.

    ``tries`` were made since the last stable run; ``ready_s`` is how long this run was ready.
    """
    # There was enough memory once; whatever took it since may release it.
    lasts = failure.cause.will_repeat and failure.cause is not FailureCause.OUT_OF_MEMORY
    if policy is RestartPolicy.NEVER or lasts:
        return None
    if ready_s >= STABLE_S:
        tries = 0
    if tries >= len(BACK_OFF_S):
        return None
    return Retry(tries + 1, len(BACK_OFF_S), now + BACK_OFF_S[tries])
