"""What to serve, which process serves it, and how it is: the values of the process runner port."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gglib_desktop.domain.options import EngineOptions
from gglib_desktop.domain.values import PORT, Limits, Value, limited


@dataclass(frozen=True)
class ServerConfig(EngineOptions):
    """What to serve and with which intent. An option that is None says nothing and lets the engine decide.

    ``port`` None takes a free one from ``base_port`` to ``base_port + 99``. ``context_size`` is in tokens, 0 the
    model's own. ``gpu_layers`` -1 is the engine's automatic choice. ``jinja`` False turns templates off, which is not
    what None does. ``spec_draft_n_max`` (MTP draft tokens) None or 0 is no drafting, whatever ``spec_draft_p_min``
    (least probability of a draft token, 0 to 1) says. ``extra_args`` follow last, verbatim.
    """

    model_id: int
    model_name: str
    model_path: Path
    base_port: int = limited(PORT)


@dataclass(frozen=True)
class ProcessHandle(Value):
    """One server process, identified by pid, start time and port together. ``started_at`` is in unix seconds."""

    model_id: int
    model_name: str
    pid: int | None
    port: int = limited(Limits(1, 65535))
    started_at: int = limited(Limits(0))


@dataclass(frozen=True)
class ServerHealth(Value):
    """The answer to a health check. ``last_check`` is the unix time of the last successful one, in seconds."""

    healthy: bool
    last_check: int | None = None
    context_size: int | None = None
    message: str | None = None
