"""What was measured, and under which conditions; under others it is stale."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gglib_desktop.domain.advisor.plan import Depth
from gglib_desktop.domain.advisor.progress import Arm
from gglib_desktop.domain.advisor.samples import Basis
from gglib_desktop.domain.advisor.verdict import Verdict
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.values import Value


class Changed(StrEnum):
    """Why something that was measured does not count any more."""

    ENGINE = "engine"
    FILE = "file"
    DEVICE = "device"
    THREADS = "threads"
    CACHE_TYPE = "cache type"
    CONTEXT = "context"
    DRAFT = "draft"


@dataclass(frozen=True)
class Conditions(Value):
    """What a measurement depends on. ``engine`` is its build; empty: not known."""

    path: Path
    engine: str = ""
    file: str = ""
    device: str = ""
    threads: str = ""
    cache_type: str = ""
    context: str = ""
    draft: str = ""
    place: str = "local"

    def changed_since(self, measured: Conditions) -> Changed | None:
        """The first reason for which what was measured then does not count now. An engine not known yet is none."""
        if self.engine and self.engine != measured.engine:
            return Changed.ENGINE
        names = {each: each.value.replace(" ", "_") for each in Changed if each is not Changed.ENGINE}
        return next((each for each, name in names.items() if getattr(self, name) != getattr(measured, name)), None)


def conditions_of(config: ServerConfig, model: Model, engine: Engine | None) -> Conditions:
    """Those of a start with this configuration."""
    return Conditions(
        config.model_path,
        engine=engine.version if engine is not None else "",
        file=model.header_hash or "",
        device=_words(config, "device", "gpu_layers"),
        threads=_words(config, "threads", "threads_batch"),
        cache_type=_words(config, "cache_type_k", "cache_type_v"),
        context=_words(config, "context_size"),
        draft=_words(config, "spec_type", "spec_draft_model"),
        place=config.place,
    )


def _words(config: ServerConfig, *names: str) -> str:
    """The choices by name, without those that are left to the engine."""
    return " ".join(f"{name}={config.get(name)}" for name in names if config.get(name) is not None)


@dataclass(frozen=True)
class Advice(Value):
    """One finished measurement. ``measured_at`` is a unix time; ``seconds`` is how long it took.

    ``load_s`` is what a start took. ``speed_key``: equal for servers that are equally fast without drafting.
    """

    conditions: Conditions
    model: str
    verdict: Verdict
    arms: tuple[Arm, ...]
    measured_at: float
    seconds: float
    depth: Depth = Depth.QUICK
    basis: Basis = Basis.WALL
    engine: str = ""
    device: str = ""
    speed_key: str = ""
    load_s: float = 0.0
