"""View-models over simulated servers, without any widget."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.program import Program, running_program
from tests.fakes.supervision import KeptBugs


@pytest.fixture
async def program(tmp_path: Path, bugs: KeptBugs) -> AsyncIterator[Program]:
    async with running_program(tmp_path, bugs) as program:
        yield program
