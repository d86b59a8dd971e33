"""What tells a router from other servers, and how long it may take to end."""

from __future__ import annotations

from gglib_desktop.domain.servers.server import ServerConfig

ROUTER = "llama.cpp-router"
"""The id of the engine, as configurations and records have it. The file of such a server lists its models."""
MODEL_STOP_S = 5
"""How long a router that this program starts lets a model end, in whole seconds, before it kills it."""
# Longer than other routers let theirs, which is 10 s, and than they then take.
_ROUTER_STOP_S = 13.0


def is_router(config: ServerConfig) -> bool:
    """Whether a configuration is that of a router."""
    return config.engine == ROUTER


def stop_grace_s(config: ServerConfig, chosen_s: float) -> float:
    """How long such a server may take to end before it is told again. ``chosen_s``: by the user, for any server."""
    return max(chosen_s, _ROUTER_STOP_S) if is_router(config) else chosen_s
