"""What the user chose for starting a model, and the resulting server configuration."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.options.engine_options import (
    DRAFT_NUMBERS,
    DRAFT_OPTIONS,
    EngineOptions,
    engine_options,
)
from gglib_desktop.domain.servers.restart import RestartPolicy
from gglib_desktop.domain.servers.server import OWN_PLACE, PLACE, Places, ServerConfig
from gglib_desktop.domain.values import documented

DEFAULT_DRAFT_TOKENS = 2
DEFAULT_MIN_PROBABILITY = 0.75
# The engines' defaults.
ENGINE_MIN_PROBABILITY = 0.0
# With these words a layer says that there are none, whatever weaker layers say. In a shell they are ''.
NO_EXTRA_ARGS = ("",)


class MtpChoice(StrEnum):
    """Speculative decoding with the model's own MTP layers: if the model and the engine can, always, or never."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class MtpReason(StrEnum):
    """Why drafting is on or off."""

    CHOSEN = "chosen"
    MODEL_AND_ENGINE_CAN = "model and engine can"
    DEPENDS_ON_MODEL = "depends on the model"
    METHOD_CHOSEN = "a draft model or a method is chosen"
    SWITCHED_OFF = "switched off"
    NO_LAYERS = "no MTP layers in this model"
    UNREAD_MODEL = "the model file was not read"
    NO_ENGINE_SUPPORT = "no draft-mtp in this engine"
    SUPPRESSED = "suppressed by GGLIB_DISABLE_MTP"
    MEASURED_FASTER = "measured: drafting is faster"
    MEASURED_SLOWER = "measured: drafting is not faster"


@dataclass(frozen=True)
class MtpDecision:
    """Whether drafting will be on, and why."""

    enabled: bool
    reason: MtpReason


@dataclass(frozen=True)
class MeasuredDrafting:
    """What a measurement of a model advises. ``at`` is its unix time; ``n_max`` 0: no drafting."""

    at: float
    n_max: int
    p_min: float = 0.0

    @property
    def choices(self) -> LaunchOptions:
        """As a layer. Whether *Auto* drafts at all is said by ``decide_mtp``."""
        return LaunchOptions(spec_draft_n_max=self.n_max, spec_draft_p_min=self.p_min) if self.n_max else NOTHING


@dataclass(frozen=True, kw_only=True)
class LaunchOptions(EngineOptions):
    """One layer of choices: for one launch, for a model, or for all models. None leaves a choice to the next layer.

    A layer's choices about drafting count only if the layer also decides ``mtp``.
    """

    mtp: MtpChoice | None = documented(
        "Speculative decoding with the model's own MTP layers: auto is on where the model and the engine can.",
        default=None,
    )
    restart: RestartPolicy | None = documented("What happens when a server crashes.", default=None)
    place: str | None = documented(
        "The id of the place where servers start, if the model can be served at several.",
        default=None,
        example=OWN_PLACE,
        limits=PLACE,
    )
    rpc_workers: tuple[str, ...] | None = documented(
        "The ids of places whose computers each take a part of a model, for servers of this computer.",
        default=None,
        example=["gpu-box"],
        limits=Places(),
    )

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> LaunchOptions:
        """Accepts what earlier versions stored, too."""
        return super().from_mapping(mapping).alias_moved()

    def alias_moved(self) -> LaunchOptions:
        """If the extra arguments were only an alias, the layer still overrides those of weaker layers."""
        moved = super().alias_moved()
        return moved.replace(extra_args=NO_EXTRA_ARGS) if self.extra_args and not moved.extra_args else moved

    @property
    def names(self) -> frozenset[str]:
        """The choices that this layer makes."""
        return frozenset(name for name in choice_names() if self.get(name) is not None)

    def get(self, name: str) -> Any:
        return getattr(self, name) if name in _OWN_CHOICES else super().get(name)

    def with_values(self, **values: Any) -> LaunchOptions:
        own = {name: values.pop(name) for name in _OWN_CHOICES & values.keys()}
        return super().with_values(**values).replace(**own)

    def over(self, other: LaunchOptions) -> LaunchOptions:
        """The choices of ``other``, except where this layer makes its own."""
        return other.with_values(**{name: self.get(name) for name in self.names})

    def differing(self, other: LaunchOptions) -> frozenset[str]:
        """The choices that the two make differently."""
        return frozenset(name for name in choice_names() if self.get(name) != other.get(name))

    def same_server(self, other: LaunchOptions) -> bool:
        """Whether both lead to the same server: any difference does not concern the engine."""
        return self.replace(restart=other.restart) == other


NOTHING = LaunchOptions()
_OWN_CHOICES = frozenset({"mtp", "restart", "place", "rpc_workers"})
# If no layer sets it, the engine gets a value all the same.
_DECIDED_HERE = frozenset({"host", "require_api_key", "alias"})
BUILT_IN = LaunchOptions(
    mtp=MtpChoice.AUTO,
    spec_draft_n_max=DEFAULT_DRAFT_TOKENS,
    spec_draft_p_min=DEFAULT_MIN_PROBABILITY,
    restart=RestartPolicy.NEVER,
)


class Source(StrEnum):
    """Which layer decided a value, the strongest first."""

    LAUNCH = "this launch"
    MODEL = "this model"
    APP = "all models"
    MEASURED = "measured"
    BUILT_IN = "built in"
    ENGINE = "the engine"


@dataclass(frozen=True)
class Resolved:
    """What is in force and why: ``options`` are the choices of all layers together, ``sources`` their layers.

    ``measured`` is what the layer MEASURED was made of.
    """

    options: LaunchOptions
    sources: Mapping[str, Source]
    measured: MeasuredDrafting | None = None

    def source(self, name: str) -> Source:
        return self.sources.get(name, Source.BUILT_IN if name in _DECIDED_HERE else Source.ENGINE)

    def measured_at(self, name: str) -> float | None:
        """The unix time of the measurement that decided a value; None if none did."""
        return self.measured.at if self.measured is not None and self.source(name) is Source.MEASURED else None


def choice_names() -> tuple[str, ...]:
    """Everything that a layer can set, by name."""
    return (*(each.name for each in engine_options()), *sorted(_OWN_CHOICES))


def resolve(
    launch: LaunchOptions, model: LaunchOptions, app: LaunchOptions, measured: MeasuredDrafting | None = None
) -> Resolved:
    """For each choice the first layer that makes it: this launch, the model's, all models', what was measured, then
    the program's own.
    """
    launch, model, app = (layer.alias_moved() for layer in (launch, model, app))
    advised = measured.choices if measured is not None else NOTHING
    options = launch.over(model.over(app.over(advised.over(BUILT_IN))))
    sources: dict[str, Source] = {}
    layers = (
        (BUILT_IN, Source.BUILT_IN),
        (advised, Source.MEASURED),
        (app, Source.APP),
        (model, Source.MODEL),
        (launch, Source.LAUNCH),
    )
    for layer, source in layers:
        sources.update(dict.fromkeys(layer.names, source))
    if options.extra_args == NO_EXTRA_ARGS:
        options = options.replace(extra_args=())
    return Resolved(options, sources, measured)


def for_engine(resolved: Resolved, missing: Collection[str]) -> Resolved:
    """Without what weaker layers than the one that chose the engine set for others: the options that it does not have.

    Those of the same layer and of stronger ones stay, to be refused where they can be changed.
    """
    order = tuple(Source)
    chosen_in = resolved.sources.get("engine")
    if chosen_in is None:
        return resolved
    weaker = order[order.index(chosen_in) + 1 :]
    dropped = {name for name in missing if name not in DRAFT_NUMBERS and resolved.sources.get(name) in weaker}
    kept = {name: source for name, source in resolved.sources.items() if name not in dropped}
    return Resolved(resolved.options.with_values(**dict.fromkeys(dropped)), kept, resolved.measured)


def decide_mtp(
    choice: MtpChoice | None,
    *,
    model: Model | None,
    engine: Engine | None,
    suppressed: bool,
    otherwise: bool = False,
    measured: MeasuredDrafting | None = None,
) -> MtpDecision:
    """Whether a model is served with drafting. Auto never decides by a file's name.

    ``model`` None: for no particular model. ``engine`` None: not known yet. ``otherwise``: a draft model or another
    method than MTP is chosen; then all who do not switch it off want it. ``measured``: what *Auto* goes by.
    """
    if suppressed:
        return MtpDecision(False, MtpReason.SUPPRESSED)
    if choice is MtpChoice.OFF:
        return MtpDecision(False, MtpReason.SWITCHED_OFF)
    if otherwise:
        if measured is not None and choice is not MtpChoice.ON:
            return _measured(measured)
        return MtpDecision(True, MtpReason.METHOD_CHOSEN)
    if engine is not None and not engine.capabilities.has_mtp:
        return MtpDecision(False, MtpReason.NO_ENGINE_SUPPORT)
    if choice is MtpChoice.ON:
        return MtpDecision(True, MtpReason.CHOSEN)
    if model is None:
        return MtpDecision(True, MtpReason.DEPENDS_ON_MODEL)
    if model.mtp_layers > 0 and measured is not None:
        return _measured(measured)
    if model.mtp_layers > 0:
        return MtpDecision(True, MtpReason.MODEL_AND_ENGINE_CAN)
    return MtpDecision(False, MtpReason.NO_LAYERS if model.facts else MtpReason.UNREAD_MODEL)


def _measured(measured: MeasuredDrafting) -> MtpDecision:
    faster = measured.n_max > 0
    return MtpDecision(faster, MtpReason.MEASURED_FASTER if faster else MtpReason.MEASURED_SLOWER)


def server_config(model: Model, options: LaunchOptions, *, base_port: int, mtp: MtpDecision) -> ServerConfig:
    """The configuration for every way to start ``model``. ``options`` are resolved."""
    chosen = {field.name: getattr(options, field.name) for field in fields(EngineOptions)}
    if not mtp.enabled:
        chosen |= dict.fromkeys(DRAFT_OPTIONS)
    place = options.place or model.place
    # A head elsewhere would need ways of its own to its workers.
    workers = (options.rpc_workers or ()) if place == OWN_PLACE else ()
    return ServerConfig(model.id, model.name, model.path, base_port, place=place, rpc_workers=workers, **chosen)


def options_of(config: ServerConfig) -> LaunchOptions:
    """The choices that lead to a configuration whatever the weaker layers say, as far as it shows them."""
    mtp = MtpChoice.ON if config.spec_draft_n_max else MtpChoice.OFF
    moved = config.alias_moved()
    place = None if config.place == OWN_PLACE else config.place
    return LaunchOptions(
        mtp=mtp,
        place=place,
        rpc_workers=config.rpc_workers or None,
        **{field.name: getattr(moved, field.name) for field in fields(EngineOptions)},
    )


def own_choices(config: ServerConfig, as_saved: ServerConfig) -> frozenset[str]:
    """What a server was started with, by name, that the choices saved at that time do not explain."""
    differing = options_of(config).differing(options_of(as_saved))
    return differing if config.spec_draft_n_max else differing - DRAFT_OPTIONS
