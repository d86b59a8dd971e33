"""What is kept of a run beside its requests."""

from __future__ import annotations

from gglib_desktop.domain.traffic.requests import RunFacts
from gglib_desktop.services.servers.snapshot import ServerSnapshot

# What decides how fast a model is without drafting, on one computer and with one build of an engine.
_SPEED_OPTIONS = ("threads", "device", "cache_type_k", "cache_type_v", "flash_attn", "extra_args")


def run_facts(snapshot: ServerSnapshot) -> RunFacts:
    """Of the run that a server is in, as far as is known of it now."""
    config, facts = snapshot.config, snapshot.facts
    drafts = bool(config.spec_draft_n_max) and (facts is None or facts.drafts is not False)
    return RunFacts(
        snapshot.log_name,
        config.model_id,
        config.model_name,
        build="" if facts is None else facts.build or "",
        n_max=config.spec_draft_n_max if drafts else None,
        p_min=config.spec_draft_p_min if drafts else None,
        speed_key=_speed_key(snapshot),
    )


def _speed_key(snapshot: ServerSnapshot) -> str:
    """Empty while the server has not said what it is."""
    config, facts = snapshot.config, snapshot.facts
    if facts is None or facts.build is None:
        return ""
    layers = config.gpu_layers if facts.gpu_layers is None else facts.gpu_layers
    said = [f"{name}={config.get(name)}" for name in _SPEED_OPTIONS if config.get(name) is not None]
    return " ".join([facts.build, f"gpu_layers={layers}", *said])
