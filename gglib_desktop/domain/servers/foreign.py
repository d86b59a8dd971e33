"""Servers on this computer that this program did not start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class StatedSettings:
    """The settings in a command line that we have too; None for anything that we cannot express."""

    context_size: int | None = None
    gpu_layers: int | None = None
    spec_draft_n_max: int | None = None
    spec_draft_p_min: float | None = None
    alias: str | None = None
    spec_draft_model: Path | None = None
    spec_type: str | None = None


@dataclass(frozen=True)
class ForeignServer:
    """A server process that this program did not start. ``pid`` and ``identity`` together identify it.

    ``port`` None: it listens on none that can be reached from here. ``model_path`` None: it does not name a file.
    ``parent`` is ``name (pid)`` of the living process that started it, or the service that it is; None if its starter
    is gone. ``started_at`` is in unix seconds. ``kept_by``: the data directory of another running GGLib Desktop that
    looks after it; then it can be neither taken over nor ended from here. ``place`` is the id of the place it runs in,
    ``engine`` that of the engine.
    """

    pid: int
    identity: str
    port: int | None
    model_path: Path | None
    command_line: str
    rss_bytes: int
    parent: str | None
    started_at: int
    settings: StatedSettings = StatedSettings()
    kept_by: Path | None = None
    place: str = "local"
    engine: str | None = None
