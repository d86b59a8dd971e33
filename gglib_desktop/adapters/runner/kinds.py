"""The runner as it is used: over this computer, with the engine that serves there. It alone says which one that is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gglib_desktop.adapters.engines.dasllama.catalog import DASLLAMA_PROGRAM
from gglib_desktop.adapters.engines.dasllama.driver import DasllamaDriver
from gglib_desktop.adapters.engines.llama_cpp.catalog import LlamaEngineCatalog
from gglib_desktop.adapters.engines.llama_cpp.driver import LlamaCppDriver
from gglib_desktop.adapters.engines.llama_cpp.router_driver import RouterDriver
from gglib_desktop.adapters.engines.llama_cpp.worker_driver import WorkerDriver
from gglib_desktop.adapters.engines.openai.catalog import ProgramCatalog
from gglib_desktop.adapters.engines.vllm.driver import VLLM_PROGRAM, VllmDriver
from gglib_desktop.adapters.keys.key_store import KEY_FILE, KeptKey
from gglib_desktop.adapters.machine.threads import InThread, Threads
from gglib_desktop.adapters.places.local.place import LocalPlace
from gglib_desktop.adapters.runner.announced_servers import Site
from gglib_desktop.adapters.runner.places_in_force import PlacesInForce
from gglib_desktop.adapters.runner.recorded_runner import RecordedRunner
from gglib_desktop.adapters.runner.split.runner import SplitRunner
from gglib_desktop.domain.documents.settings import DEFAULT_LOG_BYTES, DEFAULT_STOP_GRACE_S, PlaceSettings
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.servers.router.kind import ROUTER
from gglib_desktop.domain.servers.split.kind import WORKER
from gglib_desktop.domain.values import OneOf
from gglib_desktop.ports.machine.key_store import KeyStore
from gglib_desktop.ports.servers.engine_catalog import EngineCatalog
from gglib_desktop.ports.servers.engine_driver import EngineDriver

if TYPE_CHECKING:
    import httpx

    from gglib_desktop.adapters.http.chats import StreamedChats
    from gglib_desktop.adapters.ssh.asking import Asker
    from gglib_desktop.ports.servers.endpoint_client import AskedEngine

LLAMA_CPP, DASLLAMA, VLLM = "llama.cpp", "dasllama", "vllm"
"""The ids of the engines, as configurations and records have them."""
_LLAMA_CPP_DRIVERS = {LLAMA_CPP: LlamaCppDriver, ROUTER: RouterDriver, WORKER: WorkerDriver}
_OTHER_DRIVERS: Mapping[str, type[DasllamaDriver | VllmDriver]] = {DASLLAMA: DasllamaDriver, VLLM: VllmDriver}
OFFERED = (DASLLAMA,)
"""Those that can serve models of the library, which are GGUF files."""
_PROGRAMS = {DASLLAMA: DASLLAMA_PROGRAM, VLLM: VLLM_PROGRAM}


def asked_engines(connections: httpx.AsyncBaseTransport, chats: StreamedChats) -> Sequence[AskedEngine]:
    """What asks servers of other people that are of a kind known here."""
    return tuple(kind.asking(connections, chats) for kind in (LlamaCppDriver, DasllamaDriver, VllmDriver))


def engine_catalog(environment: Mapping[str, str]) -> EngineCatalog:
    """The programs of the engine that serves on this computer where nothing else is chosen."""
    return LlamaEngineCatalog(environment)


def other_catalogs(environment: Mapping[str, str]) -> dict[str, EngineCatalog]:
    """Those of the engines that can be chosen beside it, by their ids."""
    return {engine: ProgramCatalog(kind, environment) for engine, kind in _PROGRAMS.items()}


def drivers_here() -> dict[str, EngineDriver]:
    """What asks the servers of this computer, and starts none, by the ids of their engines."""

    async def none() -> Engine:
        raise ConfigurationError("engine", None, "servers are only asked")

    others: dict[str, EngineDriver] = {each: driver(none) for each, driver in _OTHER_DRIVERS.items()}
    return {LLAMA_CPP: LlamaCppDriver(none), ROUTER: RouterDriver(none), **others}


@dataclass(frozen=True)
class PlaceParts:
    """What places are made with. ``asker`` puts the questions of ssh to the user; without it, none are answered."""

    data_dir: Path
    environment: Mapping[str, str]
    in_thread: InThread
    log_bytes: Callable[[], int]
    asker: Asker | None = None


def _containers(place: PlaceSettings, parts: PlaceParts) -> Site:
    from gglib_desktop.adapters.runner.containers import container_site

    return container_site(
        place.url,
        parts.data_dir,
        Path(place.engine) if place.engine else None,
        environment=parts.environment,
        in_thread=parts.in_thread,
        log_bytes=parts.log_bytes,
    )


def _computer(place: PlaceSettings, parts: PlaceParts) -> Site:
    from gglib_desktop.adapters.runner.machines import machine_site, ssh_machine

    return machine_site(
        ssh_machine(place.url, place.name or "", place.ssh_config, parts.environment, parts.asker),
        parts.data_dir,
        Path(place.engine) if place.engine else None,
        environment=parts.environment,
        in_thread=parts.in_thread,
        log_bytes=parts.log_bytes,
    )


# How the places of the settings are opened, by the scheme of their addresses. Each kind of place adds its own.
PLACES: Mapping[str, Callable[[PlaceSettings, PlaceParts], Site]] = {
    "podman": _containers,
    "docker": _containers,
    "ssh": _computer,
}


def load_places() -> None:
    """Loads what ``open_place`` needs. Blocks."""
    import gglib_desktop.adapters.runner.containers
    import gglib_desktop.adapters.runner.machines  # noqa: F401


def open_place(place: PlaceSettings, parts: PlaceParts) -> Site:
    """Raises: ConfigurationError for ``url``."""
    scheme = place.url.partition(":")[0]
    if scheme not in PLACES:
        raise ConfigurationError("url", place.url, f"must begin with {OneOf(tuple(PLACES))}")
    return PLACES[scheme](place, parts)


def _searched(environment: Mapping[str, str]) -> Callable[[str], Awaitable[Engine]]:
    catalogs = other_catalogs(environment)
    return lambda chosen: catalogs[chosen].find(None)


def local_runner(
    data_dir: Path,
    engine: Callable[[], Awaitable[Engine]],
    *,
    environment: Mapping[str, str],
    other_engine: Callable[[str], Awaitable[Engine]] | None = None,
    stop_grace_s: Callable[[], float] = lambda: DEFAULT_STOP_GRACE_S,
    keys: KeyStore | None = None,
    log_bytes: Callable[[], int] = lambda: DEFAULT_LOG_BYTES,
    follow_places: Callable[[PlacesInForce], object] = lambda _places: None,
    asker: Asker | None = None,
) -> RecordedRunner:
    """Real processes on this computer, of llama-server where a configuration chooses no other engine.

    ``engine`` gives the program to start, or raises ConfigurationError; ``other_engine`` that of another engine, by its
    id; without it, one is looked for. ``stop_grace_s`` is asked at each stop, ``log_bytes`` how much a log may take.
    ``keys`` keeps the key that some servers ask for; without it, a file in the data directory does.
    ``follow_places`` tells of the places beside this computer, if there are any; ``asker`` puts their questions.
    """
    threads = Threads()
    place = LocalPlace(data_dir, environment=environment, in_thread=threads.run, log_bytes=log_bytes)
    other_engine = other_engine or _searched(environment)
    drivers = {each: driver(engine) for each, driver in _LLAMA_CPP_DRIVERS.items()}
    others = {each: driver(partial(other_engine, each)) for each, driver in _OTHER_DRIVERS.items()}
    runner = SplitRunner(
        data_dir,
        {"local": Site(place, {**drivers, **others})},
        threads=threads,
        stop_grace_s=stop_grace_s,
        keys=keys or KeptKey(data_dir / KEY_FILE),
    )

    parts = PlaceParts(data_dir, environment, threads.run, log_bytes, asker)

    def open_one(_place_id: str, settings: PlaceSettings) -> Site:
        return open_place(settings, parts)

    follow_places(PlacesInForce(runner, open_one, load_places))
    return runner
