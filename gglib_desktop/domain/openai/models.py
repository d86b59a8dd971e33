"""Whether a server is ready, by its list of models."""

from __future__ import annotations

from gglib_desktop.domain.servers.health import Probe, ProbeResult

MODELS_PATH = "/v1/models"
_OK, _UNAVAILABLE = 200, 503


def model_ids(content: object) -> tuple[str, ...] | None:
    """The names in an answer; None if it is no list of models."""
    listed = content.get("data") if isinstance(content, dict) else None
    if not isinstance(listed, list):
        return None
    return tuple(each["id"] for each in listed if isinstance(each, dict) and isinstance(each.get("id"), str))


def are_of(content: object, owner: str) -> bool:
    """Whether all models in an answer are said to be that owner's, which is the name of an engine."""
    listed = content.get("data") if isinstance(content, dict) else None
    if not isinstance(listed, list) or not listed:
        return False
    return all(isinstance(each, dict) and each.get("owned_by") == owner for each in listed)


def readiness(status: int, content: object, model: str, program: str) -> Probe:
    """What an answer tells to those who wait for ``model``; empty: for any."""
    names = model_ids(content) if status == _OK else None
    if names is None:
        if status == _UNAVAILABLE:
            return Probe(ProbeResult.LOADING, "loading the model")
        return Probe(ProbeResult.FOREIGN, f"something that is no {program} answers (HTTP {status})")
    if not names:
        return Probe(ProbeResult.LOADING, "it serves no model yet")
    if model and model not in names:
        return Probe(ProbeResult.FOREIGN, f"it serves {', '.join(names)} and not {model}")
    return Probe(ProbeResult.OK)
