"""Which SHA-256 a model file ought to have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

_SHA256 = re.compile(r"[0-9a-f]{64}")
_OLLAMA_PREFIX = "sha256-"
_BLOBS = "blobs"


class HashSource(StrEnum):
    """The source of a sum."""

    OLLAMA = "the name of the blob in Ollama's store"
    HUGGING_FACE = "the name of the blob in the cache of Hugging Face"
    DOWNLOAD = "the record of the download from Hugging Face"


@dataclass(frozen=True)
class KnownHash:
    """The sum of a published file, in lower-case hexadecimal digits."""

    sha256: str
    source: HashSource


@dataclass(frozen=True)
class FileSum:
    """The sum of one file, and the sum that it should have; ``known`` None: no source has one."""

    path: PurePath
    sha256: str
    known: KnownHash | None

    @property
    def is_right(self) -> bool | None:
        """None: there is nothing to compare with."""
        return None if self.known is None else self.sha256 == self.known.sha256


def hash_in_name(path: PurePath) -> KnownHash | None:
    """The sum in a store's file name; ``path`` is the real path, without links."""
    if path.parent.name != _BLOBS:
        return None
    if path.name.startswith(_OLLAMA_PREFIX) and _SHA256.fullmatch(path.name.removeprefix(_OLLAMA_PREFIX)):
        return KnownHash(path.name.removeprefix(_OLLAMA_PREFIX), HashSource.OLLAMA)
    return KnownHash(path.name, HashSource.HUGGING_FACE) if _SHA256.fullmatch(path.name) else None


def hash_in_download_record(text: str) -> KnownHash | None:
    """What Hugging Face's programs note beside a file: commit, ETag, time. For large files the ETag is the sum."""
    lines = text.splitlines()
    etag = lines[1].strip().strip('"') if len(lines) > 1 else ""
    return KnownHash(etag, HashSource.DOWNLOAD) if _SHA256.fullmatch(etag) else None
