"""A place at which several engines serve: each server keeps the one that it was started with."""

from collections.abc import AsyncIterator
from functools import partial

import pytest

from gglib_desktop.adapters.engines.llama_cpp.driver import LlamaCppDriver
from gglib_desktop.adapters.keys.key_store import KEY_FILE, KeptKey
from gglib_desktop.adapters.machine.threads import Threads
from gglib_desktop.adapters.places.local.place import LocalPlace
from gglib_desktop.adapters.runner.announced_servers import Site
from gglib_desktop.adapters.runner.recorded_runner import RecordedRunner
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.ports.servers.engine_driver import EngineDriver
from tests.contract.harness import CATALOG, STOP_GRACE_S, LocalHarness, ParrotHarness
from tests.contract.test_process_runner import becomes_healthy
from tests.fakes.parrot_driver import ParrotDriver

pytestmark = pytest.mark.llama


class TwoEngines:
    """Real processes of two engines under one runner."""

    def __init__(self, local: LocalHarness, parrot: ParrotHarness) -> None:
        self.config = local.config
        self._local, self._parrot = local, parrot

    def runner(self, *, parrot: bool = True) -> RecordedRunner:
        folder, threads = self._local.data_dir, Threads()
        drivers: dict[str, EngineDriver] = {
            "llama.cpp": LlamaCppDriver(partial(CATALOG.inspect, self._local.engine)),
            "parrot": ParrotDriver(self._parrot.engine),
        }
        if not parrot:
            del drivers["parrot"]
        return RecordedRunner(
            folder,
            {"local": Site(LocalPlace(folder, environment=self._local.environment, in_thread=threads.run), drivers)},
            threads=threads,
            stop_grace_s=lambda: STOP_GRACE_S,
            keys=KeptKey(folder / KEY_FILE),
        )


@pytest.fixture
async def two(local: LocalHarness, parrot: ParrotHarness) -> AsyncIterator[TwoEngines]:
    two = TwoEngines(local, parrot)
    yield two
    async with two.runner() as runner:
        for handle in await runner.list_running():
            await runner.kill(handle)


async def test_each_server_keeps_its_engine_over_the_end_of_the_program(two):
    async with two.runner() as runner:
        llama = await runner.start(two.config())
        parrot = await runner.start(two.config(engine="parrot"))
        await becomes_healthy(runner, llama)
        await becomes_healthy(runner, parrot)
    async with two.runner() as runner:
        assert set(await runner.list_running()) == {llama, parrot}
        assert " --weights " in runner.describe(parrot).command_line
        assert " --weights " not in runner.describe(llama).command_line
        assert await runner.slots(llama) is not None
        assert await runner.slots(parrot) is None
        await runner.stop(parrot)
        await runner.stop(llama)


async def test_an_engine_that_the_place_does_not_have_is_refused(two):
    async with two.runner() as runner:
        with pytest.raises(ConfigurationError, match=r"must be one of llama\.cpp, parrot") as caught:
            await runner.start(two.config(engine="nope"))
        assert caught.value.field == "engine"


async def test_a_server_of_an_engine_that_is_not_known_any_more_is_kept(two):
    async with two.runner() as runner:
        handle = await runner.start(two.config(engine="parrot"))
    async with two.runner(parrot=False) as runner:
        assert await runner.list_running() == []
        (known,) = runner.unreachable()
        assert known.config.engine == "parrot"
    async with two.runner() as runner:
        assert await runner.list_running() == [handle]
