"""Facts about a model, each with its source."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gglib_desktop.domain.gguf.architectures import architecture_text
from gglib_desktop.domain.gguf.cache_layout import HeaderGap, cache_layout
from gglib_desktop.domain.gguf.capabilities import Capability
from gglib_desktop.domain.gguf.forecast import ByteRange, TokenCost, token_cost
from gglib_desktop.domain.gguf.header import GgufHeader, GgufValue, SkippedArray, SkippedString
from gglib_desktop.domain.gguf.sidecars import Sidecar
from gglib_desktop.domain.launch.serving import lacks_template
from gglib_desktop.domain.models.companions import Companion
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.options.cache_types import CACHE_TYPES
from gglib_desktop.domain.units import count_text, size_text

_CACHE_SOURCE = "worked out from the header"


class FactGroup(StrEnum):
    """The groups of facts, in the order in which they are shown."""

    MODEL = "model"
    CAPABILITIES = "capabilities"
    FILES = "files"
    CACHE = "cache"


class FactName(StrEnum):
    """The subject of a fact; views word it."""

    NAME = "name"
    ARCHITECTURE = "architecture"
    PARAMETERS = "parameters"
    QUANTISATION = "quantisation"
    CONTEXT = "context"
    LAYERS = "layers"
    MTP_LAYERS = "mtp layers"
    WIDTH = "width"
    HEADS = "heads"
    KEY_HEADS = "key heads"
    EXPERTS = "experts"
    EXPERTS_USED = "experts used"
    WINDOW = "window"
    TOKENIZER = "tokenizer"
    CHAT_TEMPLATE = "chat template"
    LICENCE = "licence"
    REPOSITORY = "repository"
    MTP = "mtp"
    MOE = "moe"
    VISION = "vision"
    EMBEDDING = "embedding"
    REASONING = "reasoning"
    TOOLS = "tools"
    SIZE = "size"
    PARTS = "parts"
    PROJECTORS = "projectors"
    DRAFT_HEADS = "draft heads"
    ADAPTERS = "adapters"
    CONTROL_VECTORS = "control vectors"
    ADDED = "added"
    LAST_USED = "last used"
    CACHE = "cache"
    SLOT_STATE = "slot state"


@dataclass(frozen=True)
class Fact:
    """A fact, and the header's key or another source. ``detail`` distinguishes facts with the same name."""

    group: FactGroup
    name: FactName
    value: str
    source: str
    detail: str = ""


_STATED_BY_ARCHITECTURE = {
    FactName.CONTEXT: "context_length",
    FactName.LAYERS: "block_count",
    FactName.MTP_LAYERS: "nextn_predict_layers",
    FactName.WIDTH: "embedding_length",
    FactName.HEADS: "attention.head_count",
    FactName.KEY_HEADS: "attention.head_count_kv",
    FactName.EXPERTS: "expert_count",
    FactName.EXPERTS_USED: "expert_used_count",
    FactName.WINDOW: "attention.sliding_window",
}
_COMPANIONS = {
    Sidecar.PROJECTOR: FactName.PROJECTORS,
    Sidecar.DRAFT_HEAD: FactName.DRAFT_HEADS,
    Sidecar.ADAPTER: FactName.ADAPTERS,
    Sidecar.CONTROL_VECTOR: FactName.CONTROL_VECTORS,
}
_REPOSITORY_KEYS = ("general.source.huggingface.repository", "general.source.repo_url", "general.repo_url")


Companions = Mapping[Companion, Sequence[str]]
"""The files that may be loaded together with a model, each with the arguments for it."""


def facts_of(model: Model, header: GgufHeader | None, companions: Companions) -> tuple[Fact, ...]:
    """Everything that is known. ``header`` None: it cannot be read now. ``companions`` may be loaded with the model."""
    return (
        *(_remembered(model) if header is None else _about_the_model(model, header.metadata)),
        *_capabilities(model),
        *_files(model, companions),
        *(() if header is None else _cache(header.metadata)),
    )


def _remembered(model: Model) -> Iterator[Fact]:
    facts = model.facts
    if facts is None:
        return
    known = {
        FactName.NAME: facts.name,
        FactName.ARCHITECTURE: _architecture_text(facts.architecture) if facts.architecture else None,
        FactName.PARAMETERS: count_text(facts.parameter_count) if facts.parameter_count else None,
        FactName.QUANTISATION: facts.quantisation,
        FactName.CONTEXT: facts.context_length,
        FactName.LAYERS: facts.block_count,
        FactName.LICENCE: facts.licence,
        FactName.REPOSITORY: model.source_repository,
    }
    for name, value in known.items():
        if value is not None:
            yield Fact(FactGroup.MODEL, name, str(value), "when the file was read last")


def _about_the_model(model: Model, metadata: Mapping[str, GgufValue]) -> Iterator[Fact]:
    group, facts = FactGroup.MODEL, model.facts
    architecture = value_text(metadata.get("general.architecture", ""))
    yield from _stated(metadata, {FactName.NAME: "general.name"})
    if architecture:
        yield Fact(group, FactName.ARCHITECTURE, _architecture_text(architecture), "general.architecture")
    if facts is not None and facts.parameter_count:
        source = "general.parameter_count" if "general.parameter_count" in metadata else "tensors"
        yield Fact(group, FactName.PARAMETERS, count_text(facts.parameter_count), source)
    if facts is not None and facts.quantisation:
        said = (model.label or model.path.name).lower()
        in_name = facts.quantisation.removeprefix("UD-").lower() in said
        yield Fact(group, FactName.QUANTISATION, facts.quantisation, "file name" if in_name else "general.file_type")
    yield from _stated(metadata, {name: f"{architecture}.{key}" for name, key in _STATED_BY_ARCHITECTURE.items()})
    keys = {FactName.TOKENIZER: "tokenizer.ggml.model", FactName.CHAT_TEMPLATE: "tokenizer.chat_template"}
    yield from _stated(metadata, {**keys, FactName.LICENCE: "general.license"})
    if lacks_template(model):
        said = "none: the engine uses ChatML, so answers in chats may be poor"
        yield Fact(group, FactName.CHAT_TEMPLATE, said, "the header has no tokenizer.chat_template")
    if model.source_repository:
        stated = facts is not None and facts.source_repository is not None
        source = next((key for key in _REPOSITORY_KEYS if key in metadata), "") if stated else "names of the folders"
        yield Fact(group, FactName.REPOSITORY, model.source_repository, source)


def _architecture_text(architecture: str) -> str:
    name = architecture_text(architecture)
    return name if name.lower() == architecture else f"{name} ({architecture})"


def _stated(metadata: Mapping[str, GgufValue], keys: Mapping[FactName, str]) -> Iterator[Fact]:
    for name, key in keys.items():
        if key in metadata:
            yield Fact(FactGroup.MODEL, name, _short(value_text(metadata[key])), key)


def _capabilities(model: Model) -> Iterator[Fact]:
    for capability in Capability:
        evidence = model.capabilities.get(capability)
        if evidence is not None:
            yield Fact(FactGroup.CAPABILITIES, FactName(capability), "yes", evidence)


def _files(model: Model, companions: Companions) -> Iterator[Fact]:
    group = FactGroup.FILES
    if model.facts is not None:
        yield Fact(group, FactName.SIZE, size_text(model.facts.file_size_bytes), "file")
    if model.parts:
        yield Fact(group, FactName.PARTS, "\n".join(part.name for part in model.parts), "file names")
    for kind, name in _COMPANIONS.items():
        those = {each: arguments for each, arguments in companions.items() if each.kind is kind}
        if those:
            names = "\n".join(companion.path.name for companion in those)
            yield Fact(group, name, names, _how_to_load(those))
    yield Fact(group, FactName.ADDED, _date_text(model.added_at), "library")
    if model.last_used is not None:
        yield Fact(group, FactName.LAST_USED, _date_text(model.last_used), "library")


def _how_to_load(companions: Companions) -> str:
    if any(each.kind is Sidecar.PROJECTOR for each in companions):
        return "same folder"
    return "\n".join(f"extra arguments: {shlex.join(arguments)}" for arguments in companions.values())


def _cache(metadata: Mapping[str, GgufValue]) -> Iterator[Fact]:
    try:
        layout = cache_layout(metadata)
    except HeaderGap as gap:
        yield Fact(FactGroup.CACHE, FactName.CACHE, "unknown", f"the header does not tell {gap.key}")
        return
    for cache_type in CACHE_TYPES:
        cost = token_cost(layout, cache_type)
        yield Fact(FactGroup.CACHE, FactName.CACHE, _cost_text(cost), _CACHE_SOURCE, cache_type)
    if layout.state_floats:
        state = size_text(token_cost(layout, "f16").slot_bytes)
        yield Fact(FactGroup.CACHE, FactName.SLOT_STATE, state, _CACHE_SOURCE)


def _cost_text(cost: TokenCost) -> str:
    whole = _range_text(cost.whole)
    if cost.window is None:
        return whole
    return f"{whole}, and {_range_text(cost.recent)} for each of the last {cost.window:,} tokens"


def _range_text(size: ByteRange) -> str:
    low, high = size_text(size.low), size_text(size.high)
    return low if low == high else f"{low} to {high}"


def _date_text(when: float) -> str:
    return datetime.fromtimestamp(when).astimezone().strftime("%Y-%m-%d %H:%M")


def value_text(value: GgufValue) -> str:
    """A metadata value as text."""
    match value:
        case SkippedString(length):
            return f"({length:,} bytes of text, not kept)"
        case SkippedArray(kind, length):
            return f"({length:,} values of type {kind.name.lower()})"
        case tuple():
            return ", ".join(value_text(item) for item in value)
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.7g}"
        case _:
            return str(value)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:79]}…"
