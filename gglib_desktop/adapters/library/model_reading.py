"""What the library learns from one model's files."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gglib_desktop.adapters.files.regular_file import why_unreadable
from gglib_desktop.adapters.gguf.header import check_tensor_data, read_header
from gglib_desktop.adapters.gguf.source import OpenSource, disk_source
from gglib_desktop.domain.errors import InvalidModelFile
from gglib_desktop.domain.gguf.header import GgufHeader, ModelFacts, facts_from_header
from gglib_desktop.domain.gguf.sidecars import WHY_NOT_STARTED, Sidecar
from gglib_desktop.domain.models.model import ModelFile
from gglib_desktop.domain.models.scan import FoundModel
from gglib_desktop.domain.models.shards import split_problem

_log = logging.getLogger(__name__)
# A model's header distinguishes it from most others, its last tensors from models that were only trained further.
_HASHED_HEAD_BYTES = 2**18
_HASHED_TAIL_BYTES = 2**16


def read_model(found: FoundModel, opened: OpenSource = disk_source) -> ModelFile:
    """The model's facts and its identity, or the reason why it cannot be used."""
    size, mtime = found.stamp or (None, None)
    file = ModelFile(
        found.path,
        problem=found.problem,
        size_bytes=size,
        mtime_ns=mtime,
        missing=not found.parts,
        parts=found.parts if len(found.parts) > 1 else (),
        label=found.label,
    )
    if not found.parts:
        return file
    try:
        file = replace(file, header_hash=_header_hash(found.parts, opened))
        facts, problem = _facts(found, opened)
        return replace(file, facts=facts, problem=found.problem or problem)
    except OSError as exc:
        return replace(file, problem=why_unreadable(exc))
    except InvalidModelFile as exc:
        _log.info("%s", exc)
        return replace(file, problem=found.problem or _of_part(exc, found))


def _of_part(error: InvalidModelFile, found: FoundModel) -> str:
    """What is wrong, and with which of several files."""
    return f"{error.reason} ({error.path.name})" if len(found.parts) > 1 else error.reason


def _facts(found: FoundModel, opened: OpenSource) -> tuple[ModelFacts, str | None]:
    """The reason why a file cannot be used, including one that can be read."""
    headers = [_checked_header(part, opened) for part in found.parts]
    several = len(headers) > 1
    facts = facts_from_header(
        _of_the_set(headers),
        file_name=found.label or found.path.name,
        file_size_bytes=found.stamp[0] if found.stamp else 0,
        element_count=sum(header.element_count for header in headers) if several and not found.problem else None,
    )
    if facts.sidecar not in {None, Sidecar.PROJECTOR}:
        return facts, WHY_NOT_STARTED[facts.sidecar]
    return facts, next(filter(None, map(split_problem, found.parts, (header.metadata for header in headers))), None)


def _of_the_set(headers: Sequence[GgufHeader]) -> GgufHeader:
    """The first part's header, with the sums over all parts."""
    blocks = [header.first_block for header in headers if header.first_block is not None]
    return replace(
        headers[0],
        tensor_count=sum(header.tensor_count for header in headers),
        first_block=min(blocks, default=None),
        repackable_bytes=sum(header.repackable_bytes for header in headers),
    )


def _checked_header(path: Path, opened: OpenSource) -> GgufHeader:
    header = read_header(path, opened=opened)
    check_tensor_data(path, header, opened=opened)
    return header


def _header_hash(parts: Sequence[Path], opened: OpenSource) -> str:
    digest = hashlib.sha256()
    with opened(parts[0]) as file:
        digest.update(file.read(0, _HASHED_HEAD_BYTES))
    with opened(parts[-1]) as file:
        digest.update(file.read(max(0, file.size - _HASHED_TAIL_BYTES), _HASHED_TAIL_BYTES))
    return digest.hexdigest()
