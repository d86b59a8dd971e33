"""When a crashed server is started again, and what a frozen one counts as."""

import pytest

from gglib_desktop.domain.servers.failures import Failure, FailureCause
from gglib_desktop.domain.servers.restart import BACK_OFF_S, STABLE_S, RestartPolicy, Retry, next_retry
from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.domain.servers.states import Unresponsive

KILLED = Failure(FailureCause.KILLED, "signal 9")
ON_CRASH, NEVER = RestartPolicy.ON_CRASH, RestartPolicy.NEVER


@pytest.mark.parametrize(
    ("policy", "failure", "tries", "ready_s", "number"),
    [
        (ON_CRASH, KILLED, 0, 1, 1),
        (ON_CRASH, KILLED, 1, 1, 2),
        (ON_CRASH, KILLED, len(BACK_OFF_S) - 1, 1, len(BACK_OFF_S)),
        (ON_CRASH, KILLED, len(BACK_OFF_S), 1, None),
        (ON_CRASH, KILLED, len(BACK_OFF_S), STABLE_S, 1),
        (NEVER, KILLED, 0, 1, None),
        (ON_CRASH, Failure(FailureCause.UNKNOWN_FLAG), 0, 1, None),
        # Of no use at load; a server that had memory enough may have it again.
        (ON_CRASH, Failure(FailureCause.OUT_OF_MEMORY), 0, 1, 1),
        (ON_CRASH, Failure(FailureCause.OUT_OF_MEMORY), len(BACK_OFF_S), 1, None),
        (ON_CRASH, Failure(FailureCause.WRONG_PROCESSOR), 0, 1, None),
    ],
)
def test_the_next_try(policy, failure, tries, ready_s, number):
    expected = None if number is None else Retry(number, len(BACK_OFF_S), 1000 + BACK_OFF_S[number - 1])
    assert next_retry(policy, failure, tries=tries, ready_s=ready_s, now=1000) == expected


def test_what_does_not_answer_is_a_failure_with_its_reason():
    frozen = Unresponsive(ProcessHandle(1, "Tiny", 4711, 9000, 0), 10.0, "the process is stopped")
    assert frozen.failure == Failure(FailureCause.FROZEN, "the process is stopped")
