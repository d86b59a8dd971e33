"""What can be said against a start before anything is stopped or started for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from gglib_desktop.adapters.runners.model_file import check_model_file
from gglib_desktop.adapters.runners.port_allocator import PortAllocator
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.environment import mtp_is_suppressed
from gglib_desktop.domain.llama_cpp.argv import server_argv
from gglib_desktop.domain.servers.access import needs_key
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.ports.machine.key_store import KeyStore


async def engine_for(config: ServerConfig, engine: Callable[[], Awaitable[Engine]]) -> Engine:
    """The engine that serves a configuration whose model file can be read. Raises: ConfigurationError."""
    # In the threads of the loop: the file may be on a share that does not answer.
    await asyncio.to_thread(check_model_file, config.model_path)
    return await engine()


async def check_start(
    config: ServerConfig,
    engine: Callable[[], Awaitable[Engine]],
    ports: PortAllocator,
    keys: KeyStore,
    environment: Mapping[str, str],
    *,
    freed: int,
) -> None:
    """Raises what a start would raise, except for what only the engine itself can tell. ``freed``: a port of ours."""
    found = await engine_for(config, engine)
    server_argv(config, found, config.port or config.base_port, mtp_suppressed=mtp_is_suppressed(environment))
    await ports.choose(config, avoid=frozenset(), freed=freed)
    if needs_key(config):
        await keys.key()
