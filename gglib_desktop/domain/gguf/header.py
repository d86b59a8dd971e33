"""What a GGUF header says, as plain values, and the facts the library shows about a model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal, TypeAlias

from gglib_desktop.domain.gguf.capabilities import EMBEDDING_ARCHITECTURES, capabilities_of_template
from gglib_desktop.domain.gguf.sidecars import Sidecar, sidecar_by_keys, sidecar_by_words

ByteOrder: TypeAlias = Literal["little", "big"]


class GgufValueType(IntEnum):
    """The number a file stores before each metadata value."""

    UINT8 = 0
    INT8 = 1
    UINT16 = 2
    INT16 = 3
    UINT32 = 4
    INT32 = 5
    FLOAT32 = 6
    BOOL = 7
    STRING = 8
    ARRAY = 9
    UINT64 = 10
    INT64 = 11
    FLOAT64 = 12


@dataclass(frozen=True, slots=True)
class SkippedString:
    """A string too long to keep; it was measured and passed over."""

    length_bytes: int


@dataclass(frozen=True, slots=True)
class SkippedArray:
    """An array too long to keep, a vocabulary for instance; it was measured and passed over."""

    element_type: GgufValueType
    length: int


GgufScalar: TypeAlias = int | float | bool | str
GgufValue: TypeAlias = GgufScalar | SkippedString | SkippedArray | tuple[GgufScalar | SkippedString, ...]


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """Everything before the tensor data; metadata keeps the order of the file.

    ``element_count`` is the sum over the tensors of this one file. ``required_size_bytes`` is the smallest file that
    can hold them; tensors of unknown types count as empty. ``first_block`` is the lowest number of a block with
    tensors here, None without any. ``repackable_bytes`` belong to tensors that engines may keep a second time,
    reordered for the CPU.
    """

    version: int
    byte_order: ByteOrder
    tensor_count: int
    metadata: Mapping[str, GgufValue] = field(default_factory=dict)
    element_count: int = 0
    required_size_bytes: int = 0
    first_block: int | None = None
    repackable_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the library lists about one model file; None where the file does not say."""

    name: str | None
    architecture: str | None
    size_label: str | None
    parameter_count: int | None
    quantisation: str | None
    context_length: int | None
    mtp_layers: int
    block_count: int | None
    expert_count: int | None
    has_chat_template: bool
    file_size_bytes: int
    # Since the second version of the library. Defaults make values of older versions readable.
    expert_used_count: int | None = None
    embedding_length: int | None = None
    head_count: int | None = None
    head_count_kv: int | None = None
    licence: str | None = None
    source_repository: str | None = None
    tokenizer: str | None = None
    model_type: str | None = None
    capabilities: tuple[tuple[str, str], ...] = ()
    """What the model can do, each with the evidence for it."""
    sidecar: Sidecar | None = None
    """What the file is, if it cannot start a server alone."""
    repackable_bytes: int = 0

    def __post_init__(self) -> None:
        # JSON only has lists.
        object.__setattr__(self, "capabilities", tuple((str(name), str(why)) for name, why in self.capabilities))
        object.__setattr__(self, "sidecar", None if self.sidecar is None else Sidecar(self.sidecar))


# The largest number in SQLite and in Qt's 64-bit integers.
_MAX_INTEGER = 2**63 - 1
_MAX_LINE_CHARACTERS = 200

# Numbers of llama.cpp's enum llama_ftype, gaps and retired formats included.
_FILE_TYPES = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    4: "Q4_1",
    5: "Q4_2",
    6: "Q4_3",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    19: "IQ2_XXS",
    20: "IQ2_XS",
    21: "Q2_K_S",
    22: "IQ3_XS",
    23: "IQ3_XXS",
    24: "IQ1_S",
    25: "IQ4_NL",
    26: "IQ3_S",
    27: "IQ3_M",
    28: "IQ2_S",
    29: "IQ2_M",
    30: "IQ4_XS",
    31: "IQ1_M",
    32: "BF16",
    33: "Q4_0_4_4",
    34: "Q4_0_4_8",
    35: "Q4_0_8_8",
    36: "TQ1_0",
    37: "TQ2_0",
    38: "MXFP4",
    39: "NVFP4",
    40: "Q1_0",
}
# Added to the number if llama.cpp derived the type from the tensors.
_FILE_TYPE_GUESSED = 1024

_LABELS_ONLY_IN_NAMES = (
    *("Q2_K_L", "Q3_K_XL", "Q3_K", "Q4_K_L", "Q4_K_XL", "Q4_K", "Q5_K_L", "Q5_K_XL", "Q5_K", "Q6_K_L", "Q6_K_XL"),
    *("Q2_K_XL", "Q8_K_XL", "Q2", "Q3", "Q4", "Q5", "Q6", "Q8", "MXFP4_MOE", "Q2_0", "Q8_K"),
    # Those of ik_llama.cpp
    *("IQ2_K", "IQ3_K", "IQ4_K", "IQ5_K", "IQ6_K", "IQ2_KS", "IQ3_KS", "IQ4_KS", "IQ5_KS", "IQ4_KSS", "IQ2_KL"),
    *("IQ1_KT", "IQ2_KT", "IQ3_KT", "IQ4_KT", "IQ3_KL", "IQ2_BN", "IQ1_BN", "Q6_0", "Q8_KV"),
)
# Rows interleaved for a faster CPU: what ik_llama.cpp adds to a label.
_INTERLEAVED = "(?:_R[48](?:_8)?)?"
_ALIASES = {"FP32": "F32", "FP16": "F16"}
# Not a number format, but all that the name of such a file says. Only if nothing else matches: names of ordinary
# models quantized with an "imatrix" contain the word too.
_LAST_RESORT = "IMATRIX"


def _name_pattern() -> re.Pattern[str]:
    labels = {*_FILE_TYPES.values(), *_LABELS_ONLY_IN_NAMES, *_ALIASES, _LAST_RESORT}
    # The first alternative that fits wins, so the longest must come first.
    alternatives = "|".join(sorted(labels, key=len, reverse=True))
    return re.compile(rf"(?<![^\W_])(UD[\W_])?((?:{alternatives}){_INTERLEAVED})(?![^\W_])", re.IGNORECASE | re.ASCII)


_NAME_PATTERN = _name_pattern()


def quantisation_from_name(file_name: str) -> str | None:
    """The longest label that stands alone in the name, the last one of equals; ``UD-`` marks Unsloth's own mixes."""
    best = max(
        _NAME_PATTERN.finditer(file_name),
        key=lambda match: (match[2].upper() != _LAST_RESORT, len(match[2]), match.start()),
        default=None,
    )
    if best is None:
        return None
    label = best[2].upper()
    return ("UD-" if best[1] else "") + _ALIASES.get(label, label)


def facts_from_header(
    header: GgufHeader, *, file_name: str, file_size_bytes: int, element_count: int | None = None
) -> ModelFacts:
    """The facts of one model. Values of a wrong type or an absurd size count as absent.

    ``element_count`` is the sum over all parts of a model in several files, None if unknown or if there is one file.
    """
    metadata = header.metadata
    prefix = _raw_text(metadata, "general.architecture")
    return ModelFacts(
        name=_line(metadata, "general.name"),
        architecture=_line(metadata, "general.architecture"),
        size_label=_line(metadata, "general.size_label"),
        parameter_count=_parameter_count(header, element_count),
        quantisation=quantisation_from_name(file_name) or _quantisation_from_file_type(metadata),
        context_length=_positive(metadata, f"{prefix}.context_length"),
        mtp_layers=_positive(metadata, f"{prefix}.nextn_predict_layers") or 0,
        block_count=_positive(metadata, f"{prefix}.block_count"),
        expert_count=_positive(metadata, f"{prefix}.expert_count"),
        has_chat_template=_has_chat_template(metadata),
        file_size_bytes=file_size_bytes,
        expert_used_count=_positive(metadata, f"{prefix}.expert_used_count"),
        embedding_length=_positive(metadata, f"{prefix}.embedding_length"),
        head_count=_positive(metadata, f"{prefix}.attention.head_count"),
        head_count_kv=_positive(metadata, f"{prefix}.attention.head_count_kv"),
        licence=_line(metadata, "general.license"),
        source_repository=_source_repository(metadata),
        tokenizer=_line(metadata, "tokenizer.ggml.model"),
        model_type=_line(metadata, "general.type"),
        capabilities=_capabilities(metadata, prefix),
        sidecar=_sidecar(header, prefix),
        repackable_bytes=header.repackable_bytes,
    )


def _sidecar(header: GgufHeader, prefix: str) -> Sidecar | None:
    """What kind of file without its own model this is. For one part of several, only the words count."""
    metadata = header.metadata
    said = sidecar_by_words(_line(metadata, "general.type"), prefix) or sidecar_by_keys(metadata)
    if said is not None or (header.first_block is None and (_positive(metadata, "split.count") or 1) > 1):
        return said
    if header.tensor_count == 0 and any(key.startswith("tokenizer.") for key in metadata):
        return Sidecar.VOCABULARY
    layers = _positive(metadata, f"{prefix}.nextn_predict_layers")
    blocks = _positive(metadata, f"{prefix}.block_count")
    if layers is None or blocks is None or header.first_block is None or header.first_block == 0:
        return None
    # Only the draft layers are there, with or without the embeddings that they share with their model.
    return Sidecar.DRAFT_HEAD if header.first_block >= blocks - layers else None


_HUB = re.compile(r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/([\w.-]+/[\w.-]+?)/?", re.ASCII)


def _source_repository(metadata: Mapping[str, GgufValue]) -> str | None:
    for key in ("general.source.huggingface.repository", "general.source.repo_url", "general.repo_url"):
        stated = _line(metadata, key)
        if stated is not None:
            match = _HUB.fullmatch(stated)
            return match[1] if match else stated
    return None


def _capabilities(metadata: Mapping[str, GgufValue], prefix: str) -> tuple[tuple[str, str], ...]:
    template = _raw_text(metadata, "tokenizer.chat_template")
    experts = _positive(metadata, f"{prefix}.expert_count")
    layers = _positive(metadata, f"{prefix}.nextn_predict_layers")
    found = dict(capabilities_of_template(template))
    if _positive(metadata, f"{prefix}.pooling_type") is not None:
        found["embedding"] = f"{prefix}.pooling_type is set"
    elif prefix in EMBEDDING_ARCHITECTURES:
        found["embedding"] = f"architecture {prefix}"
    if experts is not None and experts > 1:
        found["moe"] = f"{prefix}.expert_count = {experts}"
    if layers is not None:
        found["mtp"] = f"{prefix}.nextn_predict_layers = {layers}"
    return tuple(found.items())


def _raw_text(metadata: Mapping[str, GgufValue], key: str) -> str:
    value = metadata.get(key)
    return value if isinstance(value, str) else ""


def _line(metadata: Mapping[str, GgufValue], key: str) -> str | None:
    # These strings are shown in one row of a list, which line breaks, controls and text-direction marks would break.
    printable = "".join(char if char.isprintable() else " " for char in _raw_text(metadata, key))
    return " ".join(printable.split())[:_MAX_LINE_CHARACTERS] or None


def _positive(metadata: Mapping[str, GgufValue], key: str) -> int | None:
    value = metadata.get(key)
    # bool is an int to Python, not to a file.
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MAX_INTEGER:
        return value
    return None


def _parameter_count(header: GgufHeader, element_count: int | None) -> int | None:
    stated = _positive(header.metadata, "general.parameter_count")
    if stated is not None:
        return stated
    if element_count is None:
        # One shard's tensors are not the model's.
        if (_positive(header.metadata, "split.count") or 1) > 1:
            return None
        element_count = header.element_count
    return element_count if 0 < element_count <= _MAX_INTEGER else None


def _quantisation_from_file_type(metadata: Mapping[str, GgufValue]) -> str | None:
    value = metadata.get("general.file_type")
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return _FILE_TYPES.get(value & ~_FILE_TYPE_GUESSED)


def _has_chat_template(metadata: Mapping[str, GgufValue]) -> bool:
    template = metadata.get("tokenizer.chat_template")
    return isinstance(template, SkippedString) or (isinstance(template, str) and bool(template.strip()))
