"""What the classes of failure say of themselves."""

import pytest

from gglib_desktop.domain.servers.failures import Failure, FailureCause, ServerExit


@pytest.mark.parametrize(
    ("cause", "end", "incidental"),
    [
        (FailureCause.KILLED, ServerExit(-9), True),
        (FailureCause.UNKNOWN, ServerExit(-11), True),
        (FailureCause.UNKNOWN, ServerExit(-6), False),
        (FailureCause.UNKNOWN, None, False),
        (FailureCause.OUT_OF_MEMORY, ServerExit(-11), False),
    ],
)
def test_where_a_signal_ended_it_and_nothing_says_why_the_lines_are_only_the_last_ones(cause, end, incidental):
    assert Failure(cause, exit=end).evidence_is_incidental is incidental
