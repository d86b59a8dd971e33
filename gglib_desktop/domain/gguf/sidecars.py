"""GGUF files that are not models themselves: what they are by their headers."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Sidecar(StrEnum):
    """A file that cannot start a server alone."""

    PROJECTOR = "projector"
    DRAFT_HEAD = "draft head"
    ADAPTER = "adapter"
    CONTROL_VECTOR = "control vector"
    VOCODER = "vocoder"
    IMATRIX = "imatrix"
    VOCABULARY = "vocabulary"
    IMAGE_MODEL = "image model"


WHY_NOT_STARTED = {
    Sidecar.PROJECTOR: "this file belongs to another model and is loaded together with it",
    Sidecar.DRAFT_HEAD: "this is a draft head, not a model; it is loaded together with its model",
    Sidecar.ADAPTER: "this is a LoRA adapter, not a model; it is loaded together with its model",
    Sidecar.CONTROL_VECTOR: "this is a control vector, not a model; it is loaded together with its model",
    Sidecar.VOCODER: "this is a vocoder, which a speech model needs; it is not a model that answers",
    Sidecar.IMATRIX: "this is an importance matrix for quantizing a model; no server can load it",
    Sidecar.VOCABULARY: "tokenizer only, no weights",
    Sidecar.IMAGE_MODEL: "this model makes images or video, not text; no llama-server can load it",
}

_BY_TYPE = {
    "mmproj": Sidecar.PROJECTOR,
    "projector": Sidecar.PROJECTOR,
    "adapter": Sidecar.ADAPTER,
    "lora": Sidecar.ADAPTER,
    "controlvector": Sidecar.CONTROL_VECTOR,
    "imatrix": Sidecar.IMATRIX,
    "vocab": Sidecar.VOCABULARY,
}
_BY_ARCHITECTURE = {
    "clip": Sidecar.PROJECTOR,
    "controlvector": Sidecar.CONTROL_VECTOR,
    "imatrix": Sidecar.IMATRIX,
    "wavtokenizer-dec": Sidecar.VOCODER,
}
# What ComfyUI and stable-diffusion.cpp load.
_IMAGE_ARCHITECTURES = frozenset(
    {
        *("flux", "flux2", "sd1", "sdxl", "sd3", "aura", "chroma", "hidream", "lumina2", "qwen_image", "pig"),
        *("cosmos", "hyvid", "ltxv", "wan", "mochi", "z_image"),
    }
)
# Metadata that only such files have, for files without a type or an architecture.
_BY_KEY = {
    "adapter.": Sidecar.ADAPTER,
    "controlvector.": Sidecar.CONTROL_VECTOR,
    "imatrix.": Sidecar.IMATRIX,
}
# Heads whose architecture is the name of a method of drafting. The others are heads of one model family.
DRAFT_METHODS = ("eagle3", "dflash", "dspark")
_DRAFT_SUFFIX = "-assistant"


def sidecar_by_words(model_type: str | None, architecture: str | None) -> Sidecar | None:
    """What a file is by ``general.type``, else by its architecture. None: a model, or unknown."""
    said = (model_type or "").lower().replace("_", "").replace("-", "").replace(" ", "")
    name = (architecture or "").lower()
    if found := _BY_TYPE.get(said) or _BY_ARCHITECTURE.get(name):
        return found
    if name in _IMAGE_ARCHITECTURES:
        return Sidecar.IMAGE_MODEL
    return Sidecar.DRAFT_HEAD if name.endswith(_DRAFT_SUFFIX) or name in DRAFT_METHODS else None


def sidecar_by_keys(keys: Iterable[str]) -> Sidecar | None:
    """What a file is by the names of its metadata, whatever their values. None: a model, or unknown."""
    begins = {f"{key.partition('.')[0]}." for key in keys}
    return next((kind for begin, kind in _BY_KEY.items() if begin in begins), None)


def is_projector(model_type: str | None, architecture: str | None, file_name: str) -> bool:
    """Whether a file is a projector. The header counts more than the name."""
    if model_type is None and sidecar_by_words(None, architecture) is None:
        return file_name.lower().startswith("mmproj")
    return sidecar_by_words(model_type, architecture) is Sidecar.PROJECTOR


def is_head_for(head: str | None, model: str | None) -> bool:
    """Whether a draft head of one architecture may fit a model of the other."""
    name = (head or "").lower()
    return name in DRAFT_METHODS or (bool(name) and name.removesuffix(_DRAFT_SUFFIX) == (model or "").lower())
