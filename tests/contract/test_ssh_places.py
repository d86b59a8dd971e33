"""Servers behind real ssh: what becomes of them when a connection is killed, stopped or made anew, and many at once."""

import asyncio
import contextlib
import os
import signal

import psutil
import pytest

from gglib_desktop.adapters.runner.kinds import local_runner
from gglib_desktop.adapters.runner.recorded_runner import RecordedRunner
from gglib_desktop.domain.documents.settings import PlaceSettings
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.errors import RunnerUnavailable
from gglib_desktop.domain.servers.failures import StopRung
from gglib_desktop.domain.servers.health import ProbeResult
from tests.contract.harness import CATALOG, SshHarness
from tests.contract.test_process_runner import becomes_healthy
from tests.fakes.processes import kill, those
from tests.fakes.waiting import poll

pytestmark = pytest.mark.llama
MANY = 30


def sessions(ssh: SshHarness) -> list[psutil.Process]:
    """The processes of sshd that serve a connection."""
    return those(psutil.Process(ssh.sshd.pid).children(recursive=True), lambda each: each.name().startswith("sshd"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
async def test_a_server_outlives_its_connection(ssh, number):
    async with ssh.runner() as runner:
        handle = await runner.start(ssh.config())
        await becomes_healthy(runner, handle)
        ending = asyncio.ensure_future(runner.wait_exit(handle))
        cut = sessions(ssh)
        psutil.Process(ssh.sshd.pid).suspend()  # or it is reached again before anyone has looked
        for each in cut:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.send_signal(number)

        async def is_unreachable():
            return (await runner.probe(handle, 2)).result is ProbeResult.UNREACHABLE

        await poll(is_unreachable)
        with pytest.raises(RunnerUnavailable):
            await runner.stop(handle)
        assert psutil.pid_exists(handle.pid)
        assert not ending.done()
        kill(cut)
        psutil.Process(ssh.sshd.pid).resume()
        await becomes_healthy(runner, handle)
        await runner.stop(handle)
        assert ((await ending).status, (await ending).stopped_by) == (0, StopRung.SIGTERM)


async def test_a_start_without_a_connection_leaves_nothing(ssh):
    ssh.sshd.kill()
    async with ssh.runner() as runner:
        with pytest.raises(RunnerUnavailable):
            await runner.start(ssh.config())
        ssh.sshd.start()

        async def starts():
            try:
                await runner.stop(await runner.start(ssh.config()))
            except RunnerUnavailable:
                return False
            return True

        assert await poll(starts)


async def test_many_servers_share_one_connection(ssh):
    async with ssh.runner() as runner:
        handles = await asyncio.gather(*(runner.start(ssh.config()) for _number in range(MANY)))
        assert len({handle.port for handle in handles}) == MANY
        os.kill(handles[0].pid, signal.SIGKILL)
        assert (await runner.wait_exit(handles[0])).signal_number == signal.SIGKILL
        assert set(await runner.list_running()) == set(handles[1:])
        await asyncio.gather(*(runner.stop(handle) for handle in handles[1:]))
        assert await runner.list_running() == []


async def test_a_computer_of_the_settings_is_a_place_beside_this_one(local, ssh):
    async def find() -> Engine:
        return await CATALOG.inspect(local.engine)

    attic = PlaceSettings(url="ssh://attic", name="Attic", engine=str(local.engine), ssh_config=str(ssh.sshd.config))

    def runner() -> RecordedRunner:
        return local_runner(
            local.data_dir,
            find,
            environment=os.environ,
            follow_places=lambda places: places.take({"attic": attic}),
        )

    async with runner() as window:
        here = await window.start(local.config())
        await poll(lambda: "attic" in window._sites)
        there = await window.start(local.config(place="attic"))
        assert (here.place, there.place) == ("local", "attic")
        await becomes_healthy(window, there)
    async with runner() as window:
        assert here in await window.list_running()
        await poll(lambda: "attic" in window._sites and not window.unreachable())
        assert set(await window.list_running()) == {here, there}
        assert not {here.pid, there.pid} & {each.pid for each in await window.list_foreign()}
        await asyncio.gather(window.stop(here), window.stop(there))
