"""All options for serving a model, each defined once."""

from __future__ import annotations

import dataclasses
import functools
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

from gglib_desktop.domain.options.cache_types import CACHE_TYPES
from gglib_desktop.domain.options.client_names import alias_taken_out, names_in
from gglib_desktop.domain.options.definition import OptionGroup, OptionSpec, option
from gglib_desktop.domain.options.host import HostRule
from gglib_desktop.domain.options.sampling import InferenceConfig
from gglib_desktop.domain.values import PORT, Limits, Matching, OneOf, Rule, Value, without_none

MAX_DRAFT_TOKENS = 16
ALL_GPU_LAYERS = 999
SPEC_TYPE, DRAFT_MTP, NO_METHOD = "--spec-type", "draft-mtp", "none"
"""The flag that names a method of drafting, the one of models that draft for themselves, and the word for none."""
_MOST = 2**31 - 1
ENGINE = Matching(r"[a-z0-9.-]{1,40}", "the id of an engine: up to 40 of a to z, 0 to 9, . and -")
DRAFT_METHODS = Matching(r"[a-z][a-z0-9-]*(,[a-z][a-z0-9-]*)*", "the engine's names for methods, commas between them")
DRAFT_NUMBERS = frozenset({"spec_draft_n_max", "spec_draft_p_min"})
DRAFT_OPTIONS = DRAFT_NUMBERS | {"spec_draft_model", "spec_type"}
"""The options that count only if the server drafts, and among them how far it drafts."""
_basic = partial(option, group=OptionGroup.BASIC)
_drafting = partial(option, group=OptionGroup.DRAFTING)
_memory = partial(option, group=OptionGroup.MEMORY)
_compute = partial(option, group=OptionGroup.COMPUTE)
_template = partial(option, group=OptionGroup.TEMPLATE)
_access = partial(option, group=OptionGroup.ACCESS)


@dataclass(frozen=True, kw_only=True)
class EngineOptions(Value):
    """The options themselves. None, or no extra arguments, always means: let the engine decide.

    To add an option, add a field here (or in InferenceConfig) with its definition.
    """

    engine: str | None = _basic(
        limits=ENGINE,
        label="Engine",
        help="The program that serves the model, where there are several.",
        default="the place's own",
    )
    port: int | None = _basic(
        "--port",
        limits=PORT,
        label="Server port",
        help="The port that the server listens on. Auto takes a free one.",
        default="Auto",
        environment="LLAMA_ARG_PORT",
    )
    context_size: int | None = _basic(
        "-c",
        "--ctx-size",
        limits=Limits(0),
        label="Context size",
        help="How much text a conversation may have. 0 is the model's own size; left open, less where memory is short.",
        unit="tokens",
        default="the model's own",
        step=1024,
        environment="LLAMA_ARG_CTX_SIZE",
    )
    gpu_layers: int | None = _basic(
        "-ngl",
        "--gpu-layers",
        "--n-gpu-layers",
        limits=Limits(-1),
        label="GPU layers",
        help="How many layers are computed on the GPU: a number, auto or all.",
        default="auto",
        words={"auto": -1, "all": ALL_GPU_LAYERS},
        environment="LLAMA_ARG_N_GPU_LAYERS",
    )
    reasoning_format: str | None = _template(
        "--reasoning-format",
        limits=OneOf(("none", "deepseek", "deepseek-legacy", "auto")),
        label="Reasoning format",
        help="Whether thoughts stay in the answer (none) or come in a field of their own (deepseek).",
        default="auto",
        environment="LLAMA_ARG_THINK",
    )
    jinja: bool | None = _template(
        "--jinja",
        off_flags=("--no-jinja",),
        label="Jinja templates",
        help="Uses the model's own chat template, which tool calls need.",
        default="on",
        environment="LLAMA_ARG_JINJA",
    )
    spec_draft_n_max: int | None = _drafting(
        "--spec-draft-n-max",
        "--draft-max",
        "--draft-n",
        "--draft",
        limits=Limits(0, MAX_DRAFT_TOKENS),
        label="Draft tokens",
        help="How many tokens are drafted at most before the model checks them.",
        lowest=1,
        environment="LLAMA_ARG_SPEC_DRAFT_N_MAX",
    )
    spec_draft_p_min: float | None = _drafting(
        "--spec-draft-p-min",
        "--draft-p-min",
        limits=Limits(0, 1),
        label="Minimum probability",
        help="Drafting stops at a token that is less probable than this.",
        step=0.05,
        environment="LLAMA_ARG_SPEC_DRAFT_P_MIN",
    )
    inference_config: InferenceConfig | None = None
    parallel: int | None = _basic(
        "-np",
        "--parallel",
        limits=Limits(-1),
        label="Parallel slots",
        help="How many requests are answered at the same time.",
        default="auto",
        words={"auto": -1},
        highest=256,
        environment="LLAMA_ARG_N_PARALLEL",
    )
    device: str | None = _memory(
        "-dev",
        "--device",
        label="Devices",
        help="Where the model is computed: names from the engine's list, separated by commas; none is the CPU alone.",
        default="all",
        environment="LLAMA_ARG_DEVICE",
    )
    cache_type_k: str | None = _memory(
        "-ctk",
        "--cache-type-k",
        limits=OneOf(tuple(CACHE_TYPES)),
        label="Key cache type",
        help="Smaller types save memory and cost a little quality.",
        default="f16",
        environment="LLAMA_ARG_CACHE_TYPE_K",
    )
    cache_type_v: str | None = _memory(
        "-ctv",
        "--cache-type-v",
        limits=OneOf(tuple(CACHE_TYPES)),
        label="Value cache type",
        help="Smaller types save memory; those below f16 need flash attention.",
        default="f16",
        environment="LLAMA_ARG_CACHE_TYPE_V",
    )
    flash_attn: str | None = _memory(
        "-fa",
        "--flash-attn",
        limits=OneOf(("on", "off", "auto")),
        label="Flash attention",
        help="Computes attention in less memory, where the device can.",
        default="auto",
        environment="LLAMA_ARG_FLASH_ATTN",
    )
    mlock: bool | None = _memory(
        "--mlock",
        label="Lock in memory",
        help="Keeps the whole model in memory, so that the system never swaps it out.",
        default="off",
        environment="LLAMA_ARG_MLOCK",
    )
    mmap: bool | None = _memory(
        "--mmap",
        off_flags=("--no-mmap",),
        label="Map the file",
        help="Reads the model's file as it is needed, instead of copying it into memory first.",
        default="on",
        environment="LLAMA_ARG_MMAP",
    )
    batch_size: int | None = _compute(
        "-b",
        "--batch-size",
        limits=Limits(1),
        label="Batch size",
        help="How many tokens of a prompt are handed over at once.",
        unit="tokens",
        default="2048",
        step=256,
        environment="LLAMA_ARG_BATCH",
    )
    ubatch_size: int | None = _compute(
        "-ub",
        "--ubatch-size",
        limits=Limits(1),
        label="Computed batch size",
        help="How many tokens of a prompt are computed at once; larger needs more memory.",
        unit="tokens",
        default="512",
        step=128,
        environment="LLAMA_ARG_UBATCH",
    )
    threads: int | None = _compute(
        "-t",
        "--threads",
        limits=Limits(-1),
        label="Threads",
        help="CPU threads for writing answers.",
        default="auto",
        words={"auto": -1},
        highest=1024,
        environment="LLAMA_ARG_THREADS",
    )
    threads_batch: int | None = _compute(
        "-tb",
        "--threads-batch",
        limits=Limits(-1),
        label="Threads for prompts",
        help="CPU threads for reading prompts.",
        default="as Threads",
        words={"auto": -1},
        highest=1024,
        environment="LLAMA_ARG_THREADS_BATCH",
    )
    chat_template: str | None = _template(
        "--chat-template",
        label="Chat template",
        help="A template, or the name of one that the engine knows, in place of the model's own.",
        default="the model's own",
        environment="LLAMA_ARG_CHAT_TEMPLATE",
    )
    chat_template_file: Path | None = option(
        "--chat-template-file",
        label="Chat template file",
        help="A file with a template in place of the model's own.",
        group=OptionGroup.TEMPLATE,
        default="the model's own",
        environment="LLAMA_ARG_CHAT_TEMPLATE_FILE",
    )
    embeddings: bool | None = _template(
        "--embeddings",
        "--embedding",
        label="Embeddings only",
        help="Serves embeddings and nothing else; for models made for that.",
        default="off",
        environment="LLAMA_ARG_EMBEDDINGS",
    )
    host: str | None = _access(
        "--host",
        limits=HostRule(),
        label="Host",
        help="The address that the server listens on; 0.0.0.0 is all of this computer's, so that others reach it.",
        default="127.0.0.1, this computer only",
        environment="LLAMA_ARG_HOST",
    )
    require_api_key: bool | None = _access(
        label="API key",
        help="Whether clients must show the key. They always must where other computers can reach the server.",
        default="if exposed",
    )
    extra_args: tuple[str, ...] = option(
        default_value=(),
        group=OptionGroup.OTHER,
        label="Extra arguments",
        help="More arguments for the engine, as in a shell; they come last.",
    )
    alias: str | None = _access(
        "--alias",
        "-a",
        label="Name for clients",
        help="What clients call the model; several names are separated by commas. A taken one gets a number.",
        default="the model's name",
        environment="LLAMA_ARG_ALIAS",
    )
    spec_draft_model: Path | None = option(
        "--spec-draft-model",
        "--model-draft",
        "-md",
        group=OptionGroup.DRAFTING,
        label="Draft model",
        help="A small model with the same vocabulary, or a head in a file of its own, that drafts for this model.",
        default="none",
        environment="LLAMA_ARG_SPEC_DRAFT_MODEL",
    )
    spec_type: str | None = _drafting(
        SPEC_TYPE,
        limits=DRAFT_METHODS,
        label="Drafting method",
        help="How tokens are drafted. Left open: draft-simple with a draft model, else draft-mtp.",
        default="the usual",
        environment="LLAMA_ARG_SPEC_TYPE",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "alias", ",".join(names_in(self.alias)) or None)

    def alias_moved(self) -> Self:
        """The same; a name for clients among the extra arguments, where it once had to be, moves to its field.

        If the field is set too, both stay where they are.
        """
        alias, others = alias_taken_out(self.extra_args)
        return self if alias is None or self.alias is not None else self.replace(alias=alias, extra_args=others)

    def get(self, name: str) -> Any:
        """The value of an option by its name alone, wherever it is kept. No extra arguments are None."""
        if engine_option(name).in_sampling:
            return None if self.inference_config is None else getattr(self.inference_config, name)
        return getattr(self, name) or None if name == "extra_args" else getattr(self, name)

    def with_values(self, **values: Any) -> Self:
        """A copy with other values for the named options, wherever they are kept. Raises: ConfigurationError."""
        sampling = {name: value for name, value in values.items() if engine_option(name).in_sampling}
        plain = {name: value for name, value in values.items() if name not in sampling}
        if "extra_args" in plain:
            plain["extra_args"] = plain["extra_args"] or ()
        if sampling:
            changed = (self.inference_config or InferenceConfig()).replace(**sampling)
            plain["inference_config"] = None if changed == InferenceConfig() else changed
        return self.replace(**plain)


@dataclass(frozen=True)
class EngineOption:
    """One option: its name, its type without None, whether InferenceConfig holds it, its limits and its definition."""

    name: str
    kind: type
    in_sampling: bool
    limits: Rule | None
    spec: OptionSpec

    @property
    def choices(self) -> tuple[str, ...]:
        """The words of a closed set, empty if the set is not closed."""
        return self.limits.choices if isinstance(self.limits, OneOf) else ()

    @property
    def has_off_flag(self) -> bool:
        """Whether False has a flag; if not, it means the same as no flag."""
        return bool(self.spec.off_flags)


@functools.cache
def engine_options() -> tuple[EngineOption, ...]:
    """All options, in the order of the command line."""
    found: list[EngineOption] = []
    for field in dataclasses.fields(EngineOptions):
        if field.name == "inference_config":
            found += _options_of(InferenceConfig, dataclasses.fields(InferenceConfig))
        else:
            found += _options_of(EngineOptions, (field,))
    return tuple(found)


def engine_option(name: str) -> EngineOption:
    """The option of that name. Raises: KeyError."""
    return _by_name()[name]


def name_of(field: str) -> str:
    """The name of the option with this field in a configuration."""
    return field.rpartition(".")[2]


def shown_range(option: EngineOption) -> tuple[float, float]:
    """The range of numbers in forms."""
    spec, limits = option.spec, option.limits
    lowest, highest = (limits.minimum, limits.maximum) if isinstance(limits, Limits) else (None, None)
    lowest = spec.lowest if spec.lowest is not None else lowest
    highest = spec.highest if spec.highest is not None else highest
    return (0 if lowest is None else lowest, _MOST if highest is None else highest)


@functools.cache
def _by_name() -> dict[str, EngineOption]:
    return {each.name: each for each in engine_options()}


def _options_of(cls: type, fields: Iterable[dataclasses.Field[Any]]) -> list[EngineOption]:
    hints = typing.get_type_hints(cls)
    return [
        EngineOption(
            field.name,
            _kind(hints[field.name]),
            cls is InferenceConfig,
            field.metadata.get("limits"),
            field.metadata["option"],
        )
        for field in fields
    ]


def _kind(hint: Any) -> Any:
    kind = without_none(hint)
    return typing.get_origin(kind) or kind
