"""Which servers of a model are equally fast without drafting, on one computer."""

from __future__ import annotations

from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.server import ServerConfig

_OPTIONS = ("threads", "device", "cache_type_k", "cache_type_v", "flash_attn", "extra_args")


def speed_key(config: ServerConfig, facts: ServerFacts | None) -> str:
    """Equal for those that are. Empty while the server has not said what it is."""
    if facts is None or facts.build is None:
        return ""
    layers = config.gpu_layers if facts.gpu_layers is None else facts.gpu_layers
    said = [f"{name}={config.get(name)}" for name in _OPTIONS if config.get(name) is not None]
    return " ".join([facts.build, f"gpu_layers={layers}", *said])
