"""What to serve, which process serves it, and how it is: the values of the process runner port."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from gglib_desktop.domain.inference import InferenceConfig
from gglib_desktop.domain.values import PORT, Limits, OneOf, Value, limited

MAX_DRAFT_TOKENS = 16


@dataclass(frozen=True)
class ServerConfig(Value):
    """What to serve and with which intent. None always means: say nothing, let the engine decide.

    ``port`` None takes a free one from ``base_port`` to ``base_port + 99``. ``context_size`` is in tokens, 0 the
    model's own. ``gpu_layers`` -1 is the engine's automatic choice. ``jinja`` False turns templates off, which is not
    what None does. ``spec_draft_n_max`` (MTP draft tokens) None or 0 is no drafting, whatever ``spec_draft_p_min``
    (least probability of a draft token, 0 to 1) says. ``extra_args`` follow last, verbatim.
    """

    model_id: int
    model_name: str
    model_path: Path
    base_port: int = limited(PORT)
    _: KW_ONLY
    port: int | None = limited(PORT, default=None)
    context_size: int | None = limited(Limits(0), default=None)
    gpu_layers: int | None = limited(Limits(-1), default=None)
    jinja: bool | None = None
    reasoning_format: str | None = limited(OneOf(("none", "deepseek", "deepseek-legacy", "auto")), default=None)
    spec_draft_n_max: int | None = limited(Limits(0, MAX_DRAFT_TOKENS), default=None)
    spec_draft_p_min: float | None = limited(Limits(0, 1), default=None)
    inference_config: InferenceConfig | None = None
    extra_args: tuple[str, ...] = ()


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
