"""Where servers run: the choice among the runners. Loading it loads no runner, which scripts are spared until then."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, cast

from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.ports.servers.foreign_servers import ForeignServers
from gglib_desktop.ports.servers.process_runner import ProcessRunner
from gglib_desktop.ports.servers.server_monitor import ServerMonitor

if TYPE_CHECKING:
    from gglib_desktop.adapters.runner.places_in_force import PlacesInForce
    from gglib_desktop.adapters.runner.recorded_runner import RecordedRunner
    from gglib_desktop.domain.engine.capabilities import Engine
    from gglib_desktop.ports.machine.key_store import KeyStore
    from gglib_desktop.ports.machine.ssh_questions import SshQuestions
    from gglib_desktop.ports.models.place_files import PlaceFiles
    from gglib_desktop.ports.servers.engine_catalog import EngineCatalog
    from gglib_desktop.services.models.library import Library
    from gglib_desktop.services.models.places_scan import OpenedFiles
    from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
    from gglib_desktop.tasks import TaskScope

T = TypeVar("T")


class Runner(ProcessRunner, ServerMonitor, ForeignServers, Protocol):
    """What every runner is: the port and the ports beside it."""


class WindowRunner(Runner, Protocol):
    """What the window asks beside that."""

    async def engine_at(self, place: str, engine: str | None) -> Engine:
        """The program that would serve at a place; None means the place's own engine.

        Raises: ConfigurationError when it cannot be used, RunnerUnavailable.
        """
        ...

    def follow_files(self, follow: Callable[[str, PlaceFiles | None], object]) -> None:
        """Calls back with the files of each place that has some, now and when it is opened.

        With None when it is left.
        """


def create_runner(kind: str, *, data_dir: Path, engine: Path | None = None) -> AbstractAsyncContextManager[Runner]:
    """A runner over ``data_dir``: ``local`` for real llama-server processes, ``mock`` for simulated ones.

    ``podman:IMAGE`` and ``docker:IMAGE`` run real ones in containers, ``ssh://[user@]host[:port]`` on another computer.
    ``engine`` names the program, for these the path there; None looks for one. Raises: ConfigurationError for another
    kind.
    """
    if kind == "mock":
        from gglib_desktop.adapters.runner.simulated import MockRunner

        return MockRunner(data_dir, environment=os.environ)
    if kind == "local":
        from gglib_desktop.adapters.runner.kinds import engine_catalog, local_runner

        catalog = engine_catalog(os.environ)

        async def find() -> Engine:
            return await (catalog.inspect(engine) if engine is not None else catalog.find(None))

        return local_runner(data_dir, find, environment=os.environ)
    if kind.startswith(("podman:", "docker:")):
        from gglib_desktop.adapters.runner.containers import container_runner

        return container_runner(kind, data_dir, engine, environment=os.environ)
    if kind.startswith("ssh://"):
        from gglib_desktop.adapters.runner.machines import machine_runner

        return machine_runner(kind, data_dir, engine, environment=os.environ)
    raise ConfigurationError(
        "kind", kind, "must be local, mock, podman:IMAGE, docker:IMAGE or ssh://[user@]host[:port]"
    )


def runner_and_catalog(
    kind: str,
    data_dir: Path,
    settings: SettingsKeeper,
    keys: Callable[[], KeyStore],
    questions: SshQuestions | None = None,
) -> tuple[AbstractAsyncContextManager[WindowRunner], EngineCatalog]:
    """As ``create_runner`` for the program itself: the settings say which engine, and the runner is loaded late.

    ``questions`` asks the user what ssh asks; without it, computers that ask something cannot be reached.
    """
    if kind == "mock":
        from gglib_desktop.adapters.runner.simulated import MockRunner, simulated_catalog

        simulated = MockRunner(
            data_dir, environment=os.environ, keys=keys(), log_bytes=lambda: settings.current.log_bytes
        )
        return simulated, simulated_catalog()

    def build_catalog() -> EngineCatalog:
        from gglib_desktop.adapters.runner.kinds import engine_catalog

        return engine_catalog(os.environ)

    catalog = cast("EngineCatalog", _Late(build_catalog))

    def build() -> RecordedRunner:
        return _program_runner(data_dir, settings, keys(), catalog, questions)

    return _LateRunner(build), catalog


def _program_runner(
    data_dir: Path,
    settings: SettingsKeeper,
    keys: KeyStore,
    catalog: EngineCatalog,
    questions: SshQuestions | None,
) -> RecordedRunner:
    from gglib_desktop.adapters.runner.kinds import local_runner
    from gglib_desktop.adapters.ssh.askpass import Askpass

    def follow_places(places: PlacesInForce) -> None:
        places.take(settings.current.places)
        settings.subscribe(lambda changed: places.take(changed.places))

    return local_runner(
        data_dir,
        lambda: catalog.find(settings.current.engine_path),
        environment=os.environ,
        stop_grace_s=lambda: settings.current.stop_grace_s,
        keys=keys,
        log_bytes=lambda: settings.current.log_bytes,
        follow_places=follow_places,
        asker=Askpass(questions, os.environ) if questions is not None else None,
        other_engine=lambda chosen: _other_engines()[chosen].find(settings.current.engine_path_of(chosen)),
    )


def engines_of(kind: str) -> Mapping[str, EngineCatalog | None]:
    """The catalogs of all engines to choose from, by their ids: None for the usual one, which comes first."""
    if kind == "mock":
        return {}
    from gglib_desktop.adapters.runner.kinds import LLAMA_CPP, OFFERED

    return {LLAMA_CPP: None, **{each: _other_engines()[each] for each in OFFERED}}


@cache
def _other_engines() -> Mapping[str, EngineCatalog]:
    from gglib_desktop.adapters.runner.kinds import other_catalogs

    return other_catalogs(os.environ)


def scan_places(runner: WindowRunner, library: Library, settings: SettingsKeeper, scope: TaskScope) -> None:
    """From now on the library holds the models in the folders of the places."""
    from gglib_desktop.services.models.places_scan import PlacesScan

    def open_files(files: PlaceFiles) -> OpenedFiles:
        from gglib_desktop.adapters.library.placed_files import PlacedModelFiles

        return PlacedModelFiles(files)

    scan = PlacesScan(library, lambda: settings.current.places, open_files, scope)
    settings.subscribe(lambda _changed: scan.settings_changed())
    runner.follow_files(scan.follow)


class _Late(Generic[T]):
    """Something with methods, whose code is loaded when it is first used: the window does not wait for it."""

    def __init__(self, build: Callable[[], T]) -> None:
        self._build = build
        self._built: T | None = None

    def __getattr__(self, name: str) -> object:
        if self._built is None:
            self._built = self._build()
        # From now on a call goes straight to the method.
        method = self.__dict__[name] = getattr(self._built, name)
        return method


class _LateRunner(_Late["RecordedRunner"]):
    """The runner, 40 ms of a start. One that was never used is not loaded to be left."""

    async def __aenter__(self) -> WindowRunner:
        return cast(WindowRunner, self)

    async def __aexit__(self, *reason: object) -> None:
        if self._built is not None:
            await self._built.__aexit__(*reason)
