"""A real engine that refuses new settings: what ran before runs again."""

from __future__ import annotations

import pytest

from gglib_desktop.api import create_runner
from gglib_desktop.domain.servers.failures import FailureCause
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.servers.states import Healthy
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.tasks import LogReporter
from tests.fakes.waiting import poll

pytestmark = pytest.mark.llama


@pytest.mark.parametrize(
    ("changes", "causes"),
    [
        ({"spec_draft_n_max": 2}, {FailureCause.MTP_LAYERS_MISSING}),
        # b10434 aborts.
        ({"context_size": 1}, {FailureCause.UNKNOWN}),
        ({"extra_args": ("--nope",)}, {FailureCause.UNKNOWN_FLAG}),
        ({"extra_args": ("--flash-attn", "maybe")}, {FailureCause.BAD_VALUE}),
    ],
    ids=["MTP without layers", "context of one", "unknown flag", "bad value"],
)
async def test_what_does_not_start_leads_back_to_what_ran(plain_model, data_dir, engine_path, changes, causes):
    good = ServerConfig(1, "Plain", plain_model, 19400, context_size=512, threads=1)
    async with create_runner("local", data_dir=data_dir, engine=engine_path) as runner:
        supervisor = Supervisor(runner, runner, LogReporter())
        server = supervisor.start(good)

        def is_healthy() -> bool:
            return isinstance(supervisor.server(server).state, Healthy)

        await poll(is_healthy)
        first = supervisor.server(server).state
        supervisor.restart(server, good.replace(**changes), on_trial=True)
        await poll(lambda: supervisor.server(server).rejected)
        await poll(is_healthy)
        snapshot = supervisor.server(server)
        assert snapshot.config == good
        assert snapshot.state != first
        assert snapshot.rejected is not None
        assert snapshot.rejected.config == good.replace(**changes)
        assert snapshot.rejected.failure.cause in causes, snapshot.rejected.failure
        await supervisor.stop(server)
        await supervisor.aclose()
