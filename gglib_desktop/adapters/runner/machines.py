"""Servers on other computers, over ssh. Loaded only where they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from gglib_desktop.adapters.engines.llama_cpp.driver import LlamaCppDriver
from gglib_desktop.adapters.engines.llama_cpp.image_catalog import ImageCatalog
from gglib_desktop.adapters.engines.llama_cpp.worker_driver import WorkerDriver
from gglib_desktop.adapters.keys.key_store import KEY_FILE, KeptKey
from gglib_desktop.adapters.machine.threads import InThread, Threads
from gglib_desktop.adapters.places.ssh.model_files import SshModelFiles
from gglib_desktop.adapters.places.ssh.place import SshPlace
from gglib_desktop.adapters.places.ssh.programs import Programs
from gglib_desktop.adapters.places.ssh.runs import Runs
from gglib_desktop.adapters.runner.announced_servers import Site
from gglib_desktop.adapters.runner.kinds import LLAMA_CPP
from gglib_desktop.adapters.runner.recorded_runner import RecordedRunner
from gglib_desktop.adapters.ssh.asking import Asker
from gglib_desktop.adapters.ssh.connector import Connector
from gglib_desktop.adapters.ssh.machine import Machine
from gglib_desktop.adapters.ssh.ssh_machine import SshMachine
from gglib_desktop.domain.documents.settings import DEFAULT_LOG_BYTES, DEFAULT_STOP_GRACE_S
from gglib_desktop.domain.documents.ssh_address import ssh_address
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.servers.split.kind import WORKER

SSH_CONFIG_VARIABLE = "GGLIB_SSH_CONFIG"
PROGRAMS = ("llama-server", "llama")
"""Those that are looked for in PATH there."""


def ssh_machine(
    url: str, name: str, config: str | None, environment: Mapping[str, str], asker: Asker | None = None
) -> SshMachine:
    """``config`` takes the place of the user's own configuration of ssh. Raises: ConfigurationError for ``url``."""
    try:
        address = ssh_address(url)
    except ValueError as exc:
        raise ConfigurationError("url", url, str(exc)) from exc
    config = config or environment.get(SSH_CONFIG_VARIABLE)
    file = Path(config).expanduser() if config else None
    return SshMachine(Connector(address, name=name, config=file, environment=environment, asker=asker))


def engine_catalog_of(runs: Runs, engine: Path | None) -> ImageCatalog:
    """What asks the program of a computer what it is."""
    programs = Programs(runs, engine)
    return ImageCatalog(programs.found, programs.answer)


def machine_site(
    machine: Machine,
    data_dir: Path,
    engine: Path | None,
    *,
    environment: Mapping[str, str],
    in_thread: InThread,
    log_bytes: Callable[[], int] = lambda: DEFAULT_LOG_BYTES,
) -> Site:
    """The servers of one computer. ``engine`` is a path there; None takes the first one in PATH there."""
    runs = Runs(machine, data_dir, PROGRAMS)
    place = SshPlace(machine, runs, environment=environment, in_thread=in_thread, log_bytes=log_bytes)
    catalog = engine_catalog_of(runs, engine)

    async def find() -> Engine:
        found = await catalog.find(engine)
        place.takes_sockets = found.capabilities.has_sockets
        return found

    return Site(place, {LLAMA_CPP: LlamaCppDriver(find), WORKER: WorkerDriver(find)}, SshModelFiles(machine))


def machine_runner(
    kind: str,
    data_dir: Path,
    engine: Path | None = None,
    *,
    environment: Mapping[str, str],
    machine: Machine | None = None,
    stop_grace_s: Callable[[], float] = lambda: DEFAULT_STOP_GRACE_S,
) -> RecordedRunner:
    """A runner over one such site; ``kind`` is its address, and the id of its place. Raises: ConfigurationError."""
    try:
        machine = machine or ssh_machine(kind, "", None, environment)
    except ConfigurationError as exc:
        raise ConfigurationError("kind", kind, exc.reason) from exc
    threads = Threads()
    site = machine_site(machine, data_dir, engine, environment=environment, in_thread=threads.run)
    return RecordedRunner(
        data_dir, {kind: site}, threads=threads, stop_grace_s=stop_grace_s, keys=KeptKey(data_dir / KEY_FILE)
    )
