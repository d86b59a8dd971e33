"""A model in the library."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from gglib_desktop.domain.gguf.capabilities import Capability
from gglib_desktop.domain.gguf.header import ModelFacts
from gglib_desktop.domain.gguf.sidecars import Sidecar, is_projector
from gglib_desktop.domain.models.companions import download_place
from gglib_desktop.domain.models.scan import Stamp

NO_SUCH_FILE = "the file does not exist"


@dataclass(frozen=True)
class ModelFile:
    """What is known about a model's file, or its files (``parts``, in order; empty: ``path`` alone).

    ``size_bytes`` and ``mtime_ns`` are None until the file was read. ``header_hash`` and the size together identify a
    file wherever it lies. ``label`` is what a store calls a file whose own name says nothing.
    """

    path: Path
    facts: ModelFacts | None = None
    problem: str | None = None
    size_bytes: int | None = None
    mtime_ns: int | None = None
    header_hash: str | None = None
    missing: bool = False
    parts: tuple[Path, ...] = ()
    label: str | None = None

    @property
    def is_companion(self) -> bool:
        """Whether it is a projector, which belongs to the models beside it and is not listed."""
        facts = self.facts
        type_and_architecture = (facts.model_type, facts.architecture) if facts else (None, None)
        return is_projector(*type_and_architecture, self.label or self.path.name)


@dataclass(frozen=True)
class PassedOver:
    """A file that is not listed: a companion of models beside it, or (``removed``) one that the user removed."""

    path: Path
    removed: bool
    size_bytes: int | None = None
    mtime_ns: int | None = None
    label: str | None = None


@dataclass(frozen=True)
class Model:
    """A model in the library: ModelFile, and what the library adds.

    ``facts`` None: never read. ``problem``: why it cannot be used now. ``missing``: the file is gone, for now.
    ``last_used``: when its server was last started. ``tags`` and ``notes`` are the user's own words. ``place`` is the
    id of the place whose file it is.
    """

    id: int
    path: Path
    facts: ModelFacts | None
    problem: str | None
    added_at: float
    name: str = ""
    size_bytes: int | None = None
    mtime_ns: int | None = None
    header_hash: str | None = None
    missing: bool = False
    parts: tuple[Path, ...] = ()
    label: str | None = None
    last_used: float | None = None
    tags: tuple[str, ...] = ()
    notes: str = ""
    place: str = "local"

    @cached_property
    def own_name(self) -> str:
        """``general.name``, else what its store calls it, else the file's stem.

        Cached, because each change of the list needs it for all models.
        """
        stated = self.facts.name if self.facts else None
        return stated if stated and says_something(stated) else self.label or self.path.stem

    @property
    def is_here(self) -> bool:
        """Its file is on this computer."""
        return self.place == "local"

    @property
    def sidecar(self) -> Sidecar | None:
        """What the file is, if it cannot start a server alone."""
        return self.facts.sidecar if self.facts else None

    @property
    def mtp_layers(self) -> int:
        return self.facts.mtp_layers if self.facts else 0

    @property
    def capabilities(self) -> dict[Capability, str]:
        """What the model can do, each with the evidence."""
        if self.sidecar is not None:
            return {}  # it can do nothing alone
        found = dict(self.facts.capabilities) if self.facts else {}
        if self.mtp_layers:
            # Facts stored by an older version contain no capabilities.
            found.setdefault(Capability.MTP, "nextn_predict_layers")
        return {capability: found[capability] for capability in Capability if capability in found}

    @property
    def source_repository(self) -> str | None:
        """The origin ``publisher/name``, from the header, else from the folders of a download."""
        return (self.facts.source_repository if self.facts else None) or repository_of(self.path)

    @property
    def stamp(self) -> Stamp | None:
        """What the file looked like when it was last read."""
        return None if self.size_bytes is None or self.mtime_ns is None else (self.size_bytes, self.mtime_ns)


_SAYS_NOTHING = frozenset(
    {
        *("model", "models", "my", "test", "default", "main", "master", "unknown", "untitled", "none", "null"),
        *("nan", "na", "tmp", "temp", "output", "outputs", "out", "export", "exported", "converted", "final"),
        *("merged", "merge", "quantized", "checkpoint", "checkpoints", "snapshot", "snapshots", "lora", "adapter"),
        *("gguf", "ggml", "hf", "pytorch", "safetensors", "unsloth", "general", "name", "weights", "file"),
        *("finetune", "finetuned", "saved", "results", "ckpt", "epoch", "step", "pt"),
        *("16bit", "8bit", "4bit", "undefined", "consolidated", "00", "training", "trained", "sft", "dpo"),
    }
)
# Former converters wrote some of them into every file, whatever the model.
_WHOLE = frozenset({"llama v2", "n/a", "no name"})
# The precision, or the number of a part or checkpoint.
_AT_THE_END = re.compile(
    r"(?:^|[\W_])(?:i?q\d\w*|b?fp?\d+)$|-\d{5}-of-\d{5}$|(?<=^checkpoint)-\d+$|(?<=^step)_\d+$|(?<=^epoch)-\d+$"
)
_IS_A_PATH = re.compile(r"[A-Za-z]:(?:[\\/].*)?|\\\\.*|[/~].*|\.{1,2}(?:[\\/].*)?|.*\\.*|[^/]*(?:/[^/]*){2,}")
_IS_A_HASH = re.compile(
    r"(?:sha256[:-])?[0-9a-fA-F]{32,}|(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,31}"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|tmp[a-z0-9_]{8}"
)


def says_something(name: str) -> bool:
    """Whether a ``general.name`` names a model. Converters also write their input folder, a hash or a mere word."""
    said = name.lower()
    words = re.findall(r"[^\W_]+", _AT_THE_END.sub("", said))
    if said in _WHOLE or _SAYS_NOTHING.issuperset(words):
        return False
    return _IS_A_PATH.fullmatch(name) is None and _IS_A_HASH.fullmatch(name.strip(" .-_")) is None


def repository_of(path: Path) -> str | None:
    """The repository in the folder names of Hugging Face's cache and LM Studio."""
    place = download_place(path)
    return place[0] if place else None


def with_unique_names(models: Iterable[Model]) -> tuple[Model, ...]:
    """The models with unique names in ``name``: made unique by quantization, then file name, then number.

    A model that already has its name is returned as the same object.
    """
    listed = list(models)
    names = [model.own_name for model in listed]
    for suffix in (_quantisation, _file_name):
        _tell_apart(names, listed, suffix)
    # More than once only if a model's own name ends in another model's number.
    while len(set(names)) < len(names):
        _tell_apart(names, listed, _number)
    return tuple(
        model if model.name == name else replace(model, name=name) for model, name in zip(listed, names, strict=True)
    )


def _quantisation(model: Model) -> str:
    return (model.facts.quantisation if model.facts else None) or ""


def _file_name(model: Model) -> str:
    said = model.label or model.path.name
    return "" if said == model.own_name else said


def _number(model: Model) -> str:
    return str(model.id)


def _tell_apart(names: list[str], models: Sequence[Model], suffix: Callable[[Model], str]) -> None:
    count = Counter(names)
    if len(count) == len(names):
        return
    for index, model in enumerate(models):
        if count[names[index]] > 1 and (added := suffix(model)):
            names[index] = f"{names[index]} {added}"
