"""Failures that the system causes, staged for a real engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from gglib_desktop.bootstrap import create_runner
from gglib_desktop.domain.failures import FailureCause
from gglib_desktop.domain.server import ServerConfig
from gglib_desktop.domain.states import Failed
from gglib_desktop.services.supervisor import Supervisor
from gglib_desktop.tasks import LogReporter
from tests.fakes.waiting import poll, reasons_told

pytestmark = pytest.mark.llama


@pytest.fixture
def engine_with_little_memory(engine_path: Path, tmp_path: Path) -> Path:
    """The real engine in an address space that holds the program and the model but no large context."""
    script = tmp_path / "llama-server"
    script.write_text(f'#!/bin/sh\nulimit -v 900000\nexec "{engine_path}" "$@"\n')
    script.chmod(0o755)
    return script


async def test_too_little_memory_at_load_is_named(engine_with_little_memory, plain_model, data_dir):
    async with create_runner("local", data_dir=data_dir, engine=engine_with_little_memory) as runner:
        supervisor = Supervisor(runner, runner, LogReporter())
        server = supervisor.start(ServerConfig(1, "Plain", plain_model, 19300, context_size=4_000_000))
        await poll(lambda: isinstance(supervisor.server(server).state, Failed))
        await reasons_told()
        state = supervisor.server(server).state
        assert isinstance(state, Failed)
        assert state.failure.cause is FailureCause.OUT_OF_MEMORY
        assert any("memory" in line for line in state.failure.evidence)
        assert state.failure.cause.will_repeat
        await supervisor.aclose()
