"""Several places under one runner: they come and go, and one that does not answer harms no other."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import psutil
import pytest
from typing_extensions import override

from gglib_desktop.adapters.engines.llama_cpp.driver import LlamaCppDriver
from gglib_desktop.adapters.keys.key_store import KEY_FILE, KeptKey
from gglib_desktop.adapters.machine.threads import Threads
from gglib_desktop.adapters.places.local.place import LocalPlace
from gglib_desktop.adapters.runner.announced_servers import Site
from gglib_desktop.adapters.runner.kinds import local_runner
from gglib_desktop.adapters.runner.places_in_force import PlacesInForce
from gglib_desktop.adapters.runner.recorded_runner import RecordedRunner
from gglib_desktop.domain.documents.settings import PlaceSettings
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.errors import ConfigurationError, PlaceInUse, ProcessError, RunnerUnavailable
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.domain.servers.states import Unreachable
from gglib_desktop.ports.servers.engine_driver import ProcessReader
from gglib_desktop.ports.servers.place import Finding
from gglib_desktop.services.servers.supervisor import Supervisor
from tests.contract.harness import CATALOG, STOP_GRACE_S, NamespaceHarness, ParrotHarness
from tests.contract.test_process_runner import becomes_healthy
from tests.fakes.engine_image import IMAGE
from tests.fakes.namespace_place import NamespacePlace
from tests.fakes.parrot_driver import ParrotDriver
from tests.fakes.supervision import KeptBugs, Story
from tests.fakes.waiting import poll

pytestmark = pytest.mark.llama


class MoodyPlace(NamespacePlace):
    """Refuses to tell of its servers, or does not answer at all, until a test lets it."""

    refuses = False
    hangs = False

    @override
    async def find(self, record: ServerRecord, reader: ProcessReader) -> Finding:
        if self.hangs:
            await asyncio.Event().wait()
        if self.refuses:
            raise RunnerUnavailable("no route to host")
        return await super().find(record, reader)


class TwoPlaces:
    """This computer, where parrots serve, and a network namespace with llama.cpp."""

    def __init__(self, here: ParrotHarness, there: NamespaceHarness) -> None:
        self.data_dir = here.data_dir
        self._here, self._there = here, there
        self.config = here.config
        self.engine = there.engine

    def elsewhere(self, threads: Threads, *, refuses: bool = False, hangs: bool = False) -> Site:
        place = MoodyPlace(self.data_dir, environment=self._there.environment, in_thread=threads.run)
        place.refuses, place.hangs = refuses, hangs
        return Site(place, {"llama.cpp": LlamaCppDriver(partial(CATALOG.inspect, self._there.engine))})

    def runner(self, threads: Threads, **sites: Site) -> RecordedRunner:
        here = LocalPlace(self.data_dir, environment=self._here.environment, in_thread=threads.run)
        return RecordedRunner(
            self.data_dir,
            {"local": Site(here, {"parrot": ParrotDriver(self._here.engine)}), **sites},
            threads=threads,
            stop_grace_s=lambda: STOP_GRACE_S,
            keys=KeptKey(self.data_dir / KEY_FILE),
        )

    def both(self) -> RecordedRunner:
        threads = Threads()
        return self.runner(threads, attic=self.elsewhere(threads))


@pytest.fixture
async def two(parrot: ParrotHarness, netns: NamespaceHarness) -> AsyncIterator[TwoPlaces]:
    two = TwoPlaces(parrot, netns)
    yield two
    async with two.both() as runner:
        await runner.list_running()
        await poll(lambda: not runner.unreachable())
        for handle in await runner.list_running():
            await runner.kill(handle)


async def left_running(two: TwoPlaces) -> None:
    async with two.both() as runner:
        for place in ("local", "attic"):
            await runner.start(two.config(place=place))


async def test_each_place_starts_its_own_servers_and_the_next_runner_finds_them(two):
    async with two.both() as runner:
        here = await runner.start(two.config())
        there = await runner.start(two.config(place="attic"))
        assert (here.place, there.place) == ("local", "attic")
        await becomes_healthy(runner, here)
        await becomes_healthy(runner, there)
        assert " --weights " in runner.describe(here).command_line
        assert " -m " in runner.describe(there).command_line
        assert (await runner.engine_at("attic", None)).path == two.engine
        with pytest.raises(ConfigurationError, match="must be one of"):
            await runner.engine_at("attic", "parrot")
        with pytest.raises(RunnerUnavailable):
            await runner.engine_at("cellar", None)
        with pytest.raises(ConfigurationError, match="this runner knows local, attic"):
            await runner.start(two.config(place="cellar"))
    async with two.both() as runner:
        assert here in await runner.list_running()
        await poll(lambda: not runner.unreachable())
        assert set(await runner.list_running()) == {here, there}
        await runner.stop(here)
        await runner.stop(there)


async def test_a_place_that_refuses_is_shown_and_found_later_in_the_same_panel(two):
    await left_running(two)
    threads = Threads()
    silent = two.elsewhere(threads, refuses=True)
    async with two.runner(threads, attic=silent) as runner:
        supervisor = Supervisor(runner, runner, KeptBugs())
        story = Story(supervisor)
        assert await supervisor.adopt() == 1
        panels = {server.config.place: server.id for server in supervisor.servers}
        await story.reaches(panels["local"], "Healthy")
        assert isinstance(story.state(panels["attic"]), Unreachable)
        await poll(lambda: getattr(story.state(panels["attic"]), "reason", "") == "no route to host")
        assert supervisor.has_server_at("attic")
        await supervisor.stop_all(lambda place: place == "local")
        assert isinstance(silent.place, MoodyPlace)
        silent.place.refuses = False
        await story.reaches(panels["attic"], "Healthy")
        assert {server.id for server in supervisor.servers} == set(panels.values())
        await supervisor.stop_all()
        await supervisor.aclose()


async def test_a_place_that_hangs_delays_nothing(two):
    await left_running(two)
    threads = Threads()
    async with two.runner(threads, attic=two.elsewhere(threads, hangs=True)) as runner:
        (here,) = await runner.list_running()
        await runner.list_foreign()
        await becomes_healthy(runner, here)
        (known,) = runner.unreachable()
        assert (known.config.place, (await runner.read_log(known.log_name, 0, 100)).next_offset) == ("attic", 100)
        await runner.stop(here)


async def test_places_come_and_go_while_the_runner_works(two):
    await left_running(two)
    threads = Threads()
    async with two.runner(threads) as runner:
        told: list[int] = []
        runner.on_found(lambda: told.append(len(runner.unreachable())))
        (here,) = await runner.list_running()
        (unknown,) = runner.unreachable()
        assert (unknown.config.place, unknown.reason) == ("attic", "there is no place attic in the settings")
        await runner.add_place("attic", two.elsewhere(threads))
        await poll(lambda: told[-1:] == [0])
        (there,) = set(await runner.list_running()) - {here}
        with pytest.raises(PlaceInUse):
            await runner.remove_place("attic")
        await runner.stop(there)
        await runner.remove_place("attic")
        with pytest.raises(ConfigurationError, match="place"):
            await runner.start(two.config(place="attic"))
        await runner.stop(here)


async def test_what_ended_while_its_place_was_silent_is_shown_where_it_was(two, netns):
    await left_running(two)
    threads = Threads()
    silent = two.elsewhere(threads, refuses=True)
    async with two.runner(threads, attic=silent) as runner:
        supervisor = Supervisor(runner, runner, KeptBugs())
        story = Story(supervisor)
        await supervisor.adopt()
        panels = {server.config.place: server.id for server in supervisor.servers}
        ended = netns.processes()
        for process in ended:
            process.kill()
        # This program started them, so they stay in the list of processes until it has waited for them.
        await asyncio.to_thread(psutil.wait_procs, ended)
        assert isinstance(silent.place, MoodyPlace)
        silent.place.refuses = False
        crashed = await story.reaches(panels["attic"], "Crashed")
        assert crashed.failure.exit is not None
        assert len(supervisor.servers) == len(panels)
        await supervisor.stop_all()
        await supervisor.aclose()


async def test_the_places_are_those_of_the_settings(two):
    threads = Threads()
    opened: list[str] = []

    def open_place(place_id: str, place: PlaceSettings) -> Site:
        if place.url != "netns:attic":
            raise ConfigurationError("url", place.url, "no such kind")
        opened.append(place_id)
        site: Site = two.elsewhere(threads)
        return site

    async with two.runner(threads) as runner:
        places = PlacesInForce(runner, open_place)
        attic = PlaceSettings(url="netns:attic")
        places.take({"moon": PlaceSettings(url="moon:1"), "attic": attic})
        await runner.list_running()
        await poll(lambda: opened)
        there = await runner.start(two.config(place="attic"))
        places.take({"attic": attic.replace(name="The attic")})
        places.take({})
        await poll(lambda: opened == ["attic"])
        assert await runner.list_running() == [there], "a place where a server runs stays"
        await runner.stop(there)
        places.take({})

        async def has_gone():
            try:
                await runner.start(two.config(place="attic", extra_args=["--nope"]))
            except ProcessError as exc:
                return isinstance(exc, ConfigurationError) and exc.field == "place"
            return False

        assert await poll(has_gone)


async def test_a_container_engine_of_the_settings_is_a_place_beside_this_computer(local, podman, podman_service):
    async def find() -> Engine:
        return await CATALOG.inspect(local.engine)

    def runner() -> RecordedRunner:
        return local_runner(
            local.data_dir,
            find,
            environment=podman_service.environment,
            follow_places=lambda places: places.take({"box": PlaceSettings(url=f"podman:{IMAGE}", name="Box")}),
        )

    async with runner() as window:
        here = await window.start(local.config())
        await poll(lambda: "box" in window._sites)
        there = await window.start(local.config(place="box"))
        assert (here.place, here.run, there.place, there.pid) == ("local", "", "box", None)
        await becomes_healthy(window, there)
        assert (await window.engine_at("box", None)).capabilities.has_mtp
    async with runner() as window:
        assert here in await window.list_running()
        await poll(lambda: "box" in window._sites and not window.unreachable())
        assert set(await window.list_running()) == {here, there}
        with pytest.raises(PlaceInUse):
            await window.remove_place("box")
        await asyncio.gather(window.stop(here), window.stop(there))
