"""Reads Ollama's store: manifests that name the blobs which models are made of."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

_log = logging.getLogger(__name__)

MODEL_LAYER = "application/vnd.ollama.image.model"
_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")
_MAX_MANIFEST_BYTES = 2**20
_DEFAULT_HOST = "registry.ollama.ai"
_DEFAULT_OWNER = "library"


def models_of_store(root: Path) -> Iterator[tuple[str, Path]]:
    """The name and the blob of each model whose manifest lies below ``root``; a blob may be named more than once."""
    manifests = root / "manifests"
    for folder, _folders, names in os.walk(manifests):
        for name in sorted(names):
            manifest = Path(folder, name)
            digest = _model_digest(manifest)
            if digest is not None:
                yield _label(manifest.relative_to(manifests).parts), root / "blobs" / f"sha256-{digest}"


def store_of_manifest(path: Path) -> Path | None:
    """The store in which a file is a manifest, None for every other file."""
    for folder in path.parents:
        if folder.name == "manifests" and (folder.parent / "blobs").is_dir():
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


def _model_digest(manifest: Path) -> str | None:
    try:
        if manifest.stat().st_size > _MAX_MANIFEST_BYTES:
            return None
        content = json.loads(manifest.read_bytes())
        layers = [layer for layer in content["layers"] if layer["mediaType"] == MODEL_LAYER]
        match = _DIGEST.fullmatch(layers[0]["digest"]) if layers else None
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as exc:
        _log.info("passed over %s: %s", manifest, exc)
        return None
    return match[1] if match else None
