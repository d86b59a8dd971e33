"""The settings that a server reports, and where they differ from the requested ones."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gglib_desktop.domain.options.arguments import flag_of
from gglib_desktop.domain.options.client_names import names_in, without_number
from gglib_desktop.domain.options.drafting import drafting_method
from gglib_desktop.domain.options.engine_options import engine_option
from gglib_desktop.domain.servers.server import ServerConfig


@dataclass(frozen=True)
class ServerFacts:
    """What a ready server reports about itself; None where it does not.

    ``context_size`` is in tokens, for each of ``slots``; ``context_shared`` slots share one pool of that size.
    ``drafts``: it decodes speculatively, by the methods ``draft_types`` once it has answered a request. ``gpu_layers``
    of ``layers`` are computed on a GPU. ``context_capped`` (to the model's own) or ``context_fitted`` (to the memory):
    the engine reported that it lowered the context. ``wants_key``: it refuses clients without a key; ``refused``:
    it refuses us too, so it reports nothing. ``alias``: its name for the model; one of several names. ``may_sleep``: it
    lets its model go while it is idle, and questions about its work would load it again. ``page``: the path of the
    page for browsers that it offers.
    """

    context_size: int | None = None
    slots: int | None = None
    model_path: str | None = None
    build: str | None = None
    chat_template: str | None = None
    context_shared: bool | None = None
    context_capped: bool = False
    context_fitted: bool = False
    drafts: bool | None = None
    draft_types: frozenset[str] = frozenset()
    gpu_layers: int | None = None
    layers: int | None = None
    wants_key: bool = False
    refused: bool = False
    alias: str | None = None
    may_sleep: bool = False
    takes_images: bool | None = None
    page: str | None = None


class Cause(StrEnum):
    """Why a server most likely runs with something else than requested."""

    MODEL_LIMIT = "the model allows no more"
    AUTO_FIT = "the engine made it fit the memory"
    NO_GPU = "the engine found no GPU"
    UNSUPPORTED = "the engine cannot do it"
    OVERRIDDEN = "the extra arguments changed it"
    NAME_TAKEN = "another server has the name"


@dataclass(frozen=True)
class Difference:
    """One option, by its name, whose effective value is not the requested one. None means no value."""

    option: str
    requested: int | str
    effective: int | str | None
    cause: Cause


def differences(config: ServerConfig, facts: ServerFacts, model_context: int | None = None) -> tuple[Difference, ...]:
    """The differences between the requested and the effective settings, as far as known.

    ``model_context`` is the model's own context, in tokens.
    """
    found = (
        _context(config, facts, model_context),
        _slots(config, facts),
        _gpu_layers(config, facts),
        _drafting(config, facts),
        _template(config, facts),
        _name(config, facts),
    )
    return tuple(each for each in found if each is not None)


def _context(config: ServerConfig, facts: ServerFacts, model_context: int | None) -> Difference | None:
    size, slots = facts.context_size, facts.slots or 1
    # Arguments beside the configuration are known for a server whose log we can read.
    unsaid = config.context_size is None
    if unsaid and (facts.context_shared is None or _says(config, "context_size")):
        return None
    asked = config.context_size or model_context
    # The engine rounds up. How the slots share is not known for every server; this is the least that each can get.
    if size is None or asked is None or size >= (asked if facts.context_shared else asked // slots):
        return None
    effective = size if facts.context_shared else size * slots
    return Difference("context_size", asked, effective, _context_cause(config, facts, model_context))


def _context_cause(config: ServerConfig, facts: ServerFacts, model_context: int | None) -> Cause:
    if facts.context_capped or facts.context_size == model_context:
        return Cause.MODEL_LIMIT
    if facts.context_fitted or not config.context_size or not config.extra_args:
        return Cause.AUTO_FIT
    return Cause.OVERRIDDEN


def _slots(config: ServerConfig, facts: ServerFacts) -> Difference | None:
    asked = config.parallel
    if asked is None or asked < 1 or facts.slots in {None, asked}:
        return None
    return Difference("parallel", asked, facts.slots, _refusal(config))


def _gpu_layers(config: ServerConfig, facts: ServerFacts) -> Difference | None:
    asked, effective = config.gpu_layers, facts.gpu_layers
    if asked is None or asked < 0 or effective is None:
        return None
    if effective == (asked if facts.layers is None else min(asked, facts.layers)):
        return None
    if effective > 0:
        return Difference("gpu_layers", asked, effective, Cause.AUTO_FIT)
    return Difference("gpu_layers", asked, effective, Cause.OVERRIDDEN if config.device == "none" else Cause.NO_GPU)


def _drafting(config: ServerConfig, facts: ServerFacts) -> Difference | None:
    if not config.spec_draft_n_max:
        return None
    asked = drafting_method(config)
    if facts.drafts is False:
        return Difference("spec_draft_n_max", asked, None, _refusal(config))
    if facts.draft_types and facts.draft_types.isdisjoint(asked.split(",")):
        return Difference("spec_draft_n_max", asked, ", ".join(sorted(facts.draft_types)), _refusal(config))
    return None


def _template(config: ServerConfig, facts: ServerFacts) -> Difference | None:
    if config.chat_template is None or facts.chat_template is None:
        return None
    asked, effective = config.chat_template.strip(), facts.chat_template.strip()
    # The engine takes an unknown name for a template whose whole text is that name.
    is_name = "{" not in asked
    if is_name != (asked == effective):
        return None
    return Difference("chat_template", asked, effective, Cause.UNSUPPORTED if is_name else _refusal(config))


def _name(config: ServerConfig, facts: ServerFacts) -> Difference | None:
    asked = names_in(config.alias)
    if not asked or facts.alias is None or facts.alias in asked:
        return None
    is_taken = without_number(facts.alias) in map(without_number, asked)
    return Difference("alias", ", ".join(asked), facts.alias, Cause.NAME_TAKEN if is_taken else _refusal(config))


def _refusal(config: ServerConfig) -> Cause:
    return Cause.OVERRIDDEN if config.extra_args else Cause.UNSUPPORTED


def _says(config: ServerConfig, option: str) -> bool:
    """The extra arguments set it."""
    return not set(engine_option(option).spec.flags).isdisjoint(map(flag_of, config.extra_args))
