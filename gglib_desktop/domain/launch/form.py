"""A form for one layer of choices: each field, the value it inherits, and its problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities
from gglib_desktop.domain.errors import ConfigurationError, InvalidDraft
from gglib_desktop.domain.launch.engine_choice import EngineChoice
from gglib_desktop.domain.launch.options import (
    BUILT_IN,
    NO_EXTRA_ARGS,
    LaunchOptions,
    MeasuredDrafting,
    MtpDecision,
    MtpReason,
    Resolved,
    Source,
    choice_names,
    decide_mtp,
    for_engine,
    resolve,
    server_config,
)
from gglib_desktop.domain.models.draft_files import NO_CHOICES, DraftFile, DraftingChoices
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.options.arguments import shell_line
from gglib_desktop.domain.options.client_names import default_names
from gglib_desktop.domain.options.drafting import drafting_method, drafts_otherwise, takes_numbers
from gglib_desktop.domain.options.engine_options import DRAFT_NUMBERS, DRAFT_OPTIONS, NO_METHOD, name_of
from gglib_desktop.domain.servers.access import needs_key
from gglib_desktop.domain.servers.dialect import Dialect
from gglib_desktop.domain.servers.server import OWN_PLACE, OWN_PLACES, ServerConfig
from gglib_desktop.domain.values import OneOf

_EXTRA = "extra_args"


@dataclass(frozen=True)
class InvalidInput:
    """The text in a field that cannot be its value, and the reason."""

    text: str
    problem: str


@dataclass(frozen=True, kw_only=True)
class FormContext:
    """What the choices in a form are for. ``model`` None: for all models; ``engine`` None: none is known yet.

    ``layer`` is the one that the form edits, None for all layers together, as a server runs with them; the two sets of
    options are those of the other layers. ``names_taken`` are the names of running servers for clients. ``places`` are
    the names of the places besides this computer that can serve the model, by their ids; ``worker_places`` are
    those whose computers can take a part of it; ``ask_there`` tells the engine
    of one, as far as it is known, and ``problem_there`` why that of the chosen place cannot be used.
    ``draft_file`` tells what a file is that is to draft for the model, as far as it is known; ``draft_files`` are
    known to be able to. ``measured`` tells what was measured of a model, for a start with these options.
    ``in_force``: what the server runs with, None if the form is not a server's. ``engines`` are those to choose from,
    by their ids, the first one the place's own; none: there is no choice.
    """

    layer: Source | None
    model: Model | None
    engine: Engine | None
    dialect: Dialect
    base_port: int
    mtp_suppressed: bool = False
    model_options: LaunchOptions = field(default_factory=LaunchOptions)
    app_options: LaunchOptions = field(default_factory=LaunchOptions)
    names_taken: frozenset[str] = frozenset()
    places: Mapping[str, str] = field(default_factory=dict)
    worker_places: Mapping[str, str] = field(default_factory=dict)
    ask_there: Callable[[str, str | None], Engine | ConfigurationError | None] = lambda _place, _engine: None
    problem_there: str | None = None
    in_force: LaunchOptions | None = None
    measured: Callable[[Model, LaunchOptions], MeasuredDrafting | None] = lambda _model, _options: None
    draft_file: Callable[[Path], DraftFile | None] = lambda _path: None
    draft_files: tuple[DraftFile, ...] = ()
    engines: Mapping[str, EngineChoice] = field(default_factory=dict)

    def serving(self, options: LaunchOptions) -> FormContext:
        """The same for the engine that the options choose."""
        chosen = self.engines.get(options.engine or "")
        return self if chosen is None else replace(self, engine=chosen.engine, dialect=chosen.dialect)

    def resolve(self, draft: LaunchOptions) -> Resolved:
        """What is in force with the draft as the edited layer; stronger layers are empty."""
        if self.layer is None:
            return Resolved(draft, {})
        resolved = self._layers(draft)
        if (measured := self._measured(resolved.options)) is not None:
            resolved = self._layers(draft, measured)
        capabilities = self.engine.capabilities if self.engine is not None else EngineCapabilities()
        return for_engine(resolved, self.dialect.missing_options(capabilities)) if self.engines else resolved

    def _layers(self, draft: LaunchOptions, measured: MeasuredDrafting | None = None) -> Resolved:
        nothing = LaunchOptions()
        if self.layer is Source.LAUNCH:
            return resolve(draft, self.model_options, self.app_options, measured)
        if self.layer is Source.MODEL:
            return resolve(nothing, draft, self.app_options, measured)
        return resolve(nothing, nothing, draft)

    def _measured(self, options: LaunchOptions) -> MeasuredDrafting | None:
        return None if self.model is None else self.measured(self.model, options)

    def at(self, resolved: Resolved) -> FormContext:
        """The context at the place where the server is to start. This computer's engines say nothing about it."""
        here = self.model.place if self.model is not None else OWN_PLACE
        place = resolved.options.place or here
        if place in OWN_PLACES:
            return self
        found = self.ask_there(place, resolved.options.engine)
        return replace(
            self,
            engine=found if isinstance(found, Engine) else None,
            engines={each: EngineChoice(choice.dialect) for each, choice in self.engines.items()},
            problem_there=found.reason if isinstance(found, ConfigurationError) else None,
        )

    def drafting(self, options: LaunchOptions) -> DraftingChoices:
        """The methods of the engine and the files that can draft, with what is known of the chosen one."""
        methods = self.engine.capabilities.spec_types - {NO_METHOD} if self.engine is not None else ()
        chosen = options.spec_draft_model
        file = None if chosen is None else self.draft_file(chosen)
        return DraftingChoices(tuple(sorted(methods)), file, self.draft_files)

    def requires(self, name: str) -> bool:
        """Whether the form must set this: no other layer is left, and the engine always gets a value."""
        return self.layer is None and BUILT_IN.get(name) is not None

    def decide_mtp(self, choices: LaunchOptions) -> MtpDecision:
        return decide_mtp(
            choices.mtp,
            model=self.model,
            engine=self.engine,
            suppressed=self.mtp_suppressed,
            otherwise=drafts_otherwise(choices),
            measured=self._measured(choices),
        )


@dataclass(frozen=True)
class FieldState:
    """One field. ``value`` None: this layer does not set it, and ``inherited`` from ``source`` is in force.

    ``typed`` is a text that cannot be the value. ``problem`` is shown beside the field, and so is a
    ``warning``, which does not prevent a start; ``disabled`` says why the field would have no effect. A ``required``
    one cannot be left empty. ``is_changed``: a server runs with another value, which ``was`` before.
    ``measured_at``: when what it inherits was measured, as a unix time.
    """

    value: Any = None
    inherited: Any = None
    source: Source = Source.ENGINE
    typed: str | None = None
    problem: str | None = None
    disabled: MtpReason | str | None = None
    warning: str | None = None
    required: bool = False
    is_changed: bool = False
    was: Any = None
    measured_at: float | None = None

    @property
    def is_set(self) -> bool:
        return self.value is not None or self.typed is not None


@dataclass(frozen=True)
class FormState:
    """Everything that a form shows.

    ``argv`` is the exact command line of a start; None if it is unknown: no engine, no particular model, or
    a problem. With ``port_is_automatic`` it contains the first port that would be tried. ``key_variable`` names the
    environment variable that passes the key, empty if no key is asked for. ``can_save``: nothing in this
    layer is unreadable or contradictory. ``can_start``: there is no objection to a start.
    """

    layer: Source | None
    fields: Mapping[str, FieldState]
    resolved: Resolved
    decision: MtpDecision
    config: ServerConfig | None
    argv: tuple[str, ...] | None
    port_is_automatic: bool
    key_variable: str
    can_save: bool
    can_start: bool
    engines: tuple[str, ...] = ()
    drafting: DraftingChoices = NO_CHOICES

    def is_marked(self, name: str) -> bool:
        """The field stands out: it says something else than what runs, or than the weaker layers."""
        field = self.fields[name]
        return field.is_changed if self.layer is None else field.is_set

    @property
    def is_doubtful(self) -> bool:
        """A start would probably fail, or not do all that is chosen."""
        return self.can_start and any(field.warning for field in self.fields.values())

    @property
    def command_line(self) -> str:
        """The command line for a shell, with keys hidden; empty if it is unknown."""
        return "" if self.argv is None else shell_line(self.argv)


def form_state(draft: LaunchOptions, unreadable: Mapping[str, InvalidInput], context: FormContext) -> FormState:
    """The state of a form that edits ``draft``; ``unreadable`` are texts that could not become part of it."""
    context = (serving := context.serving(context.resolve(draft).options)).at(serving.resolve(draft))
    resolved, below = context.resolve(draft), context.resolve(LaunchOptions())
    decision = context.decide_mtp(resolved.options)
    config = _config(context, resolved, decision)
    problems = _problems(config, context)
    drafting = context.drafting(resolved.options)
    disabled, doubts = _disabled(context, resolved, decision), _doubts(config, context, drafting.file)
    fields = {
        name: FieldState(
            _value(name, draft, below),
            _inherited(name, below, context.model),
            below.source(name),
            unreadable[name].text if name in unreadable else None,
            unreadable[name].problem if name in unreadable else problems.get(name),
            disabled.get(name),
            doubts.get(name),
            context.requires(name),
            *_change(name, draft, context.in_force),
            below.measured_at(name),
        )
        for name in choice_names()
    }
    can_start = not unreadable and not problems
    sayable = can_start and context.engine is not None and context.model is not None
    return FormState(
        layer=context.layer,
        fields=fields,
        resolved=resolved,
        decision=decision,
        config=config if context.model is not None else None,
        argv=_argv(config, context) if sayable else None,
        port_is_automatic=config.port is None,
        key_variable=context.dialect.key_variable if needs_key(resolved.options) else "",
        can_save=not unreadable and not (_EXTRA in problems and draft.extra_args),
        can_start=can_start,
        engines=tuple(context.engines),
        drafting=drafting,
    )


def _value(name: str, draft: LaunchOptions, below: Resolved) -> Any:
    value = draft.get(name)
    # No weaker layer sets any.
    return None if value == NO_EXTRA_ARGS and not below.options.extra_args else value


def _change(name: str, draft: LaunchOptions, in_force: LaunchOptions | None) -> tuple[bool, Any]:
    if in_force is None or draft.get(name) == in_force.get(name):
        return False, None
    return True, in_force.get(name)


def _inherited(name: str, below: Resolved, model: Model | None) -> Any:
    value = below.options.get(name)
    if name == "alias" and value is None and model is not None:
        return ",".join(default_names(model.name, model.path)) or None
    return value


def _doubts(config: ServerConfig, context: FormContext, draft_file: DraftFile | None) -> dict[str, str | None]:
    """Why the engine will probably not start, or not draft, by field."""
    capabilities = context.engine.capabilities if context.engine is not None else EngineCapabilities()
    unlisted = context.dialect.unlisted_flags(config.extra_args, capabilities)
    drafts = draft_file is not None and config.spec_draft_n_max
    return {
        _EXTRA: f"the engine's help does not list {', '.join(unlisted)}" if unlisted else None,
        "spec_draft_model": draft_file.doubt(drafting_method(config)) if draft_file and drafts else None,
    }


def _config(context: FormContext, resolved: Resolved, decision: MtpDecision) -> ServerConfig:
    model = context.model or Model(0, Path("/model.gguf"), None, None, 0.0, "model")
    return server_config(model, resolved.options, base_port=context.base_port, mtp=decision)


def _argv(config: ServerConfig, context: FormContext) -> tuple[str, ...]:
    assert context.engine is not None
    port = config.port or config.base_port
    named = config.named(context.names_taken)
    return context.dialect.command(named, context.engine, port, mtp_suppressed=context.mtp_suppressed)


def _problems(config: ServerConfig, context: FormContext) -> dict[str, str]:
    if config.engine is not None and context.engines and config.engine not in context.engines:
        return {"engine": f"must be {OneOf(tuple(context.engines))}"}
    if context.problem_there is not None:
        return {"place": context.problem_there}
    engine = context.engine
    chosen = context.engines.get(config.engine or "")
    if chosen is not None and chosen.problem is not None:
        return {"engine": chosen.problem}
    found: dict[str, list[str]] = {}
    capabilities = engine.capabilities if engine is not None else EngineCapabilities()
    for objection in context.dialect.objections(config, capabilities, mtp_suppressed=context.mtp_suppressed):
        # Unknown flags of an engine are not a problem yet.
        if engine is not None or objection.field == _EXTRA:
            found.setdefault(name_of(objection.field), []).append(objection.reason)
    return {name: "; ".join(dict.fromkeys(reasons)) for name, reasons in found.items()}


def _disabled(context: FormContext, resolved: Resolved, decision: MtpDecision) -> dict[str, MtpReason | str]:
    reasons: dict[str, MtpReason | str] = {}
    if not decision.enabled:
        # Choosing a draft model or a method is what switches drafting on where the model cannot draft by itself.
        is_refused = decision.reason in {MtpReason.SWITCHED_OFF, MtpReason.SUPPRESSED}
        reasons.update(dict.fromkeys(DRAFT_OPTIONS if is_refused else DRAFT_NUMBERS, decision.reason))
    elif not takes_numbers(drafting_method(resolved.options)):
        reasons.update(dict.fromkeys(DRAFT_NUMBERS, "this method has numbers of its own"))
    if (resolved.options.place or OWN_PLACE) not in OWN_PLACES:
        reasons["rpc_workers"] = "only servers of this computer have workers"
    if context.engine is not None:
        reasons.update(context.dialect.missing_options(context.engine.capabilities))
    return reasons


def changed(draft: LaunchOptions, choices: Mapping[str, Any]) -> tuple[LaunchOptions, dict[str, InvalidInput]]:
    """A draft with other choices, and the choices that are not possible values, which it leaves out."""
    unreadable: dict[str, InvalidInput] = {}
    for name, value in choices.items():
        try:
            draft = draft.with_values(**{name: value})
        except ConfigurationError as exc:
            draft = draft.with_values(**{name: None})
            unreadable[name] = InvalidInput(str(value), exc.reason)
    return draft, unreadable


def check(state: FormState, *, to_start: bool = False) -> None:
    """Raises InvalidDraft if the choices cannot be saved, or with ``to_start``, if no server can start with them."""
    if state.can_start if to_start else state.can_save:
        return
    raise InvalidDraft({name: field.problem for name, field in state.fields.items() if field.problem})
