"""View-models over simulated servers, without any widget."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gglib_desktop.tasks import TaskScope
from tests.fakes.program import Program, running_program
from tests.fakes.supervision import KeptBugs


@pytest.fixture
def bugs():
    kept = KeptBugs()
    yield kept
    assert not kept.bugs


@pytest.fixture
async def scope(bugs: KeptBugs) -> AsyncIterator[TaskScope]:
    async with TaskScope(bugs) as scope:
        yield scope


@pytest.fixture
async def program(tmp_path: Path, bugs: KeptBugs) -> AsyncIterator[Program]:
    async with running_program(tmp_path, bugs) as program:
        yield program
