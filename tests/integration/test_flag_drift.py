"""A real engine gets renamed flags under its own names, and is not started with what it is known to refuse."""

from __future__ import annotations

import pytest

from gglib_desktop.api import create_runner
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.servers.health import ProbeResult
from gglib_desktop.domain.servers.server import ServerConfig
from tests.fakes.waiting import poll

pytestmark = pytest.mark.llama


async def test_a_renamed_flag_reaches_the_engine_translated(plain_model, data_dir, engine_path):
    async with create_runner("local", data_dir=data_dir, engine=engine_path) as runner:
        config = ServerConfig(1, "Plain", plain_model, 19500, extra_args=("--draft-max", "4", "-c", "256"))
        handle = await runner.start(config)

        async def ready():
            return (await runner.probe(handle, 2)).result is ProbeResult.OK

        await poll(ready)
        assert "--spec-draft-n-max 4 -c 256" in runner.describe(handle).command_line
        await runner.stop(handle)


async def test_a_removed_flag_is_refused_before_a_process(plain_model, data_dir, engine_path):
    async with create_runner("local", data_dir=data_dir, engine=engine_path) as runner:
        with pytest.raises(ConfigurationError, match="--draft-min any more: use --spec-draft-n-min"):
            await runner.start(ServerConfig(1, "Plain", plain_model, 19500, extra_args=("--draft-min", "1")))
        assert await runner.list_running() == []
        assert not list(data_dir.rglob("*.log"))
