"""What tells workers from servers, and which worker a head needs at a place."""

from __future__ import annotations

from gglib_desktop.domain.options.host import LOOPBACK
from gglib_desktop.domain.servers.server import ServerConfig

WORKER = "llama.cpp-worker"
"""The id of the engine of workers, as configurations and records have it."""
_BASE_PORT = 50052


def is_worker(config: ServerConfig) -> bool:
    """Whether a configuration is that of a worker, which clients do not use."""
    return config.engine == WORKER


def worker_config(head: ServerConfig, place: str) -> ServerConfig:
    """The worker of ``head`` at a place. It has no password, so it listens on loopback alone."""
    name = f"Worker of {head.model_name}"
    return ServerConfig(
        head.model_id,
        name,
        head.model_path,
        _BASE_PORT,
        place=place,
        engine=WORKER,
        host=LOOPBACK,
        threads=head.threads,
    )
