"""Reads Ollama's store: manifests name the blobs that make up models."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gglib_desktop.domain.models.companions import StoredAdapters

_log = logging.getLogger(__name__)

MODEL_LAYER = "application/vnd.ollama.image.model"
PROJECTOR_LAYER = "application/vnd.ollama.image.projector"
ADAPTER_LAYER = "application/vnd.ollama.image.adapter"
_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")
_MAX_MANIFEST_BYTES = 2**20
_DEFAULT_HOST = "registry.ollama.ai"
_DEFAULT_OWNER = "library"


@dataclass(frozen=True)
class StoredModel:
    """A model in a manifest: its name, its blob, the projectors that let it see, and its adapters."""

    label: str
    blob: Path
    projectors: tuple[Path, ...]
    adapters: tuple[Path, ...] = ()


def models_of_store(root: Path) -> Iterator[StoredModel]:
    """The models with a manifest below ``root``; several may share a blob."""
    manifests = root / "manifests"
    for folder, _folders, names in os.walk(manifests):
        for name in sorted(names):
            manifest = Path(folder, name)
            layers = _layers(manifest)
            models, projectors, adapters = (
                tuple(root / "blobs" / f"sha256-{digest}" for kind, digest in layers if kind == wanted)
                for wanted in (MODEL_LAYER, PROJECTOR_LAYER, ADAPTER_LAYER)
            )
            if models:
                yield StoredModel(_label(manifest.relative_to(manifests).parts), models[0], projectors, adapters)


def adapters_by_blob(models: Iterable[StoredModel]) -> dict[Path, StoredAdapters]:
    """The adapters of each blob that has some; a blob may belong to several models."""
    by_blob: dict[Path, list[tuple[Path, ...]]] = {}
    for model in models:
        by_blob.setdefault(model.blob, []).append(model.adapters)
    found = {}
    for blob, sets in by_blob.items():
        some = tuple(dict.fromkeys(path for each in sets for path in each))
        found[blob] = StoredAdapters(some, sets[0] if len(set(sets)) == 1 else ())
    return {blob: adapters for blob, adapters in found.items() if adapters.some}


def adapters_of_blob(blob: Path) -> StoredAdapters:
    """The same for one file, which need not be in a store."""
    if blob.parent.name != "blobs" or not blob.name.startswith("sha256-"):
        return StoredAdapters()
    store = Path(os.path.realpath(blob.parent.parent))
    by_blob = adapters_by_blob(models_of_store(store))
    return by_blob.get(store / "blobs" / blob.name, StoredAdapters())


def store_of_manifest(path: Path) -> Path | None:
    """The store in which a file is a manifest, None for every other file."""
    for folder in path.parents:
        if folder.name == "manifests" and os.path.isdir(folder.parent / "blobs"):
            return folder.parent
    return None


def _label(parts: tuple[str, ...]) -> str:
    """``llama3.2:3b`` for ``registry.ollama.ai/library/llama3.2/3b``."""
    *names, tag = parts
    if names[:1] == [_DEFAULT_HOST]:
        del names[0]
    if names[:1] == [_DEFAULT_OWNER]:
        del names[0]
    return f"{'/'.join(names)}:{tag}" if names else tag


def _layers(manifest: Path) -> list[tuple[str, str]]:
    """The kind and the digest of each part."""
    try:
        if manifest.stat().st_size > _MAX_MANIFEST_BYTES:
            return []
        layers = [(layer["mediaType"], layer["digest"]) for layer in json.loads(manifest.read_bytes())["layers"]]
        return [(kind, match[1]) for kind, digest in layers if (match := _DIGEST.fullmatch(digest))]
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as exc:
        _log.info("passed over %s: %s", manifest, exc)
        return []
