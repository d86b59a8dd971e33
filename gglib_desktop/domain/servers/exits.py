"""How a server process ended."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import StrEnum


class StopRung(StrEnum):
    """How far the stop ladder had to go. The values are the last signal sent."""

    NONE = "none"
    SIGTERM = "SIGTERM"
    SECOND_SIGTERM = "second SIGTERM"
    SIGKILL = "SIGKILL"


class Absence(StrEnum):
    """Why this program did not see an end."""

    NONE = "none"
    NOT_RUNNING = "this program was not running"
    COMPUTER_RESTARTED = "the computer was restarted"


# HUP, INT, QUIT, KILL and TERM; programs send themselves the other ones.
_SIGNALS_OF_OTHERS = frozenset({1, 2, 3, 9, 15})


@dataclass(frozen=True)
class ServerExit:
    """The end of a server. ``status`` is an exit code, or minus the signal; None if only a parent could know it."""

    status: int | None
    stopped_by: StopRung = StopRung.NONE
    absence: Absence = Absence.NONE

    @property
    def signal_number(self) -> int | None:
        return -self.status if self.status is not None and self.status < 0 else None

    @property
    def was_signalled(self) -> bool:
        """It ended by a signal that programs don't send themselves."""
        return self.signal_number in _SIGNALS_OF_OTHERS

    @property
    def asked_for(self) -> bool:
        """We were stopping it when it ended."""
        return self.stopped_by is not StopRung.NONE

    def __str__(self) -> str:
        if self.absence is not Absence.NONE:
            return f"ended while {self.absence}"
        if self.status is None:
            return "ended, reason unknown to us"
        if self.signal_number is None:
            return f"exit code {self.status}"
        return f"signal {self.signal_number}"


def signal_name(number: int) -> str:
    """SIGKILL for 9; the number itself if the system has no name for it."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
