"""What a person chose for starting a model, and the server configuration that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gglib_desktop.domain.engine import Engine
from gglib_desktop.domain.model import Model
from gglib_desktop.domain.restart import RestartPolicy
from gglib_desktop.domain.server import MAX_DRAFT_TOKENS, ServerConfig
from gglib_desktop.domain.values import PORT, Limits, Value, limited

DEFAULT_DRAFT_TOKENS = 2
DEFAULT_MIN_PROBABILITY = 0.75


class MtpChoice(StrEnum):
    """Speculative decoding with the model's own MTP layers: when the model and the engine can, always, or never."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class MtpReason(StrEnum):
    """Why drafting is on or off."""

    CHOSEN = "chosen"
    MODEL_AND_ENGINE_CAN = "model and engine can"
    SWITCHED_OFF = "switched off"
    NO_LAYERS = "no MTP layers in this model"
    NO_ENGINE_SUPPORT = "no draft-mtp in this engine"
    SUPPRESSED = "suppressed by GGLIB_DISABLE_MTP"


@dataclass(frozen=True)
class MtpDecision:
    """Whether drafting will be on, and why."""

    enabled: bool
    reason: MtpReason


@dataclass(frozen=True, kw_only=True)
class LaunchOptions(Value):
    """The choices of the launch form, saved for each model. None: an automatic port, the engine's own context."""

    port: int | None = limited(PORT, default=None)
    context_size: int | None = limited(Limits(0), default=None)
    mtp: MtpChoice = MtpChoice.AUTO
    spec_draft_n_max: int = limited(Limits(1, MAX_DRAFT_TOKENS), default=DEFAULT_DRAFT_TOKENS)
    spec_draft_p_min: float = limited(Limits(0, 1), default=DEFAULT_MIN_PROBABILITY)
    restart: RestartPolicy = RestartPolicy.NEVER

    def same_server(self, other: LaunchOptions) -> bool:
        """Both lead to the same server: what differs, if anything, is not for the engine."""
        return self.replace(restart=other.restart) == other


def decide_mtp(choice: MtpChoice, *, mtp_layers: int, engine: Engine | None, suppressed: bool) -> MtpDecision:
    """Whether a model is served with drafting. Auto never decides by a file's name. ``engine`` None: not known yet."""
    if suppressed:
        return MtpDecision(False, MtpReason.SUPPRESSED)
    if choice is MtpChoice.OFF:
        return MtpDecision(False, MtpReason.SWITCHED_OFF)
    if engine is not None and not engine.capabilities.has_mtp:
        return MtpDecision(False, MtpReason.NO_ENGINE_SUPPORT)
    if choice is MtpChoice.ON:
        return MtpDecision(True, MtpReason.CHOSEN)
    if mtp_layers <= 0:
        return MtpDecision(False, MtpReason.NO_LAYERS)
    return MtpDecision(True, MtpReason.MODEL_AND_ENGINE_CAN)


def server_config(model: Model, options: LaunchOptions, *, base_port: int, mtp: MtpDecision) -> ServerConfig:
    """The configuration that every way to start ``model`` uses."""
    return ServerConfig(
        model_id=model.id,
        model_name=model.name,
        model_path=model.path,
        base_port=base_port,
        port=options.port,
        context_size=options.context_size,
        spec_draft_n_max=options.spec_draft_n_max if mtp.enabled else None,
        spec_draft_p_min=options.spec_draft_p_min if mtp.enabled else None,
    )
