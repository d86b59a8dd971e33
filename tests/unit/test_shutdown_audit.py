"""What the program's log tells of the servers that are left when it ends."""

import logging

import pytest

from gglib_desktop.bootstrap import _audit
from gglib_desktop.domain.documents.settings import OnQuit
from gglib_desktop.domain.errors import RunnerUnavailable
from gglib_desktop.domain.servers.server import ProcessHandle

LEFT = ProcessHandle(1, "Tiny", 4711, 9000, 1)


class Left:
    """As much of a runner as is asked at the end."""

    def __init__(self, *handles, error=None):
        self.handles = handles
        self.error = error

    async def list_running(self):
        if self.error is not None:
            raise self.error
        return self.handles


@pytest.mark.parametrize(
    ("left", "on_quit", "level", "words"),
    [
        (Left(LEFT), OnQuit.STOP_ALL, logging.ERROR, "although all were to be stopped"),
        (Left(LEFT), OnQuit.LEAVE_RUNNING, logging.INFO, "left running: [('Tiny', 4711, 9000)]"),
        (Left(), OnQuit.STOP_ALL, logging.INFO, "left running: []"),
        (Left(error=RunnerUnavailable("locked")), OnQuit.STOP_ALL, logging.WARNING, "could be audited: locked"),
    ],
)
async def test_the_last_look_compares_what_runs_with_what_was_wanted(caplog, left, on_quit, level, words):
    caplog.set_level(logging.INFO)
    await _audit(left, on_quit)
    (record,) = caplog.records
    assert record.levelno == level
    assert words in record.getMessage()
    assert "4711" in record.getMessage() or not left.handles
