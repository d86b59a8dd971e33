"""The watch of another computer ends when it is told to, whatever happens at that moment."""

import asyncio

import pytest

from gglib_desktop.adapters.places.ssh.runs import Runs
from gglib_desktop.adapters.places.ssh.told import Computer
from gglib_desktop.adapters.places.ssh.watch import Watch
from tests.fakes.local_machine import LocalMachine
from tests.fakes.waiting import poll

COMPUTER = Computer("/", "boot", hertz=100, page_bytes=4096, programs=(), environment={})


@pytest.mark.parametrize("steps", range(6))
async def test_a_change_in_the_moment_of_the_end_does_not_keep_it_from_ending(tmp_path, steps):
    machine = LocalMachine(tmp_path / "home")
    await machine.lose()
    watch = Watch(machine, Runs(machine, tmp_path / "data", ()))
    watching = asyncio.create_task(watch.go_on(COMPUTER))
    await poll(lambda: watch.outage)
    await machine.lose()  # it tells of a change
    for _ in range(steps):
        await asyncio.sleep(0)
    watching.cancel()
    # With a limit: one that missed its end would go on forever.
    await asyncio.wait({watching}, timeout=5)
    assert watching.cancelled()
