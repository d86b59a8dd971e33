"""What a runner has to know of a server that another program started, before it takes it over."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.options.host import own_url
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.foreign import ForeignServer
from gglib_desktop.domain.servers.health import PROBE_TIMEOUT_S, ProbeResult
from gglib_desktop.domain.servers.record import ServerRecord, run_name
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.ports.servers.engine_driver import EngineDriver, Seen
from gglib_desktop.ports.servers.place import Strangers

_UNKNOWN_MODEL = Path("unknown-model")


async def usable_address(driver: EngineDriver, strangers: Strangers, server: ForeignServer) -> ServerAddress:
    """Where it can be asked as our own servers are. Raises: ConfigurationError, NotRunning, RunnerUnavailable."""
    address = await strangers.address_of(server, driver.reader)
    probe = await driver.probe(address, PROBE_TIMEOUT_S)
    if probe.result in {ProbeResult.REFUSED, ProbeResult.FOREIGN}:
        await strangers.address_of(server, driver.reader)  # it may just have ended, which is the better reason
        reason = f"it does not answer on {own_url(address.host, address.port)} ({probe.message})"
        raise ConfigurationError("port", address.port, reason)
    return address


async def record_of(
    driver: EngineDriver,
    server: ForeignServer,
    address: ServerAddress,
    *,
    model_id: int | None,
    model_name: str | None,
) -> ServerRecord:
    """What is written down of it. ``model_id`` and ``model_name`` are the library's, if its model is listed there."""
    path = server.model_path or await _served_model(driver, address)
    name = model_name or (path != _UNKNOWN_MODEL and path.stem) or driver.reader.program_name
    # Models of the library have positive ids.
    own_id, port = -server.pid if model_id is None else model_id, address.port
    config = ServerConfig(
        own_id, name, path, port, port=port, host=address.host, engine=server.engine, **asdict(server.settings)
    )
    if config.alias is None:
        config = config.replace(alias=",".join(await driver.names(address)))
    return ServerRecord(
        run_name(config.model_name),
        config,
        port,
        server.command_line,
        pid=server.pid,
        identity=server.identity,
        started_at=server.started_at,
        owns_group=False,
        place=server.place,
        engine=server.engine,
    )


async def _served_model(driver: EngineDriver, address: ServerAddress) -> Path:
    """The model of a server whose command line names no file, as the server itself says."""
    facts = await driver.facts(address, Seen())
    return Path(facts.model_path) if facts is not None and facts.model_path else _UNKNOWN_MODEL
