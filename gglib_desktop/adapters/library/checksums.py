"""SHA-256 sums of files, and the places where other programs note them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from gglib_desktop.adapters.files.regular_file import open_regular, why_unreadable
from gglib_desktop.domain.errors import InvalidModelFile
from gglib_desktop.domain.models.integrity import KnownHash, hash_in_download_record, hash_in_name

_CHUNK_BYTES = 4 * 2**20
_RECORDS = Path(".cache", "huggingface", "download")
_MOST_RECORD_BYTES = 4096


class DiskChecksums:
    """Reads in chunks, so that it can be ended soon."""

    def known(self, path: Path) -> KnownHash | None:
        return hash_in_name(Path(os.path.realpath(path))) or _recorded(path)

    def sha256(self, path: Path, told: Callable[[int], bool]) -> str | None:
        try:
            return _sha256(path, told)
        except OSError as exc:
            raise InvalidModelFile(path, why_unreadable(exc)) from exc


def _sha256(path: Path, told: Callable[[int], bool]) -> str | None:
    with open_regular(path) as file:
        before = os.fstat(file.fileno())
        digest = hashlib.sha256()
        chunk = bytearray(_CHUNK_BYTES)
        while count := file.readinto(chunk):
            digest.update(memoryview(chunk)[:count])
            if not told(count):
                return None
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise InvalidModelFile(path, "the file was changed while it was read")
    return digest.hexdigest()


def _recorded(path: Path) -> KnownHash | None:
    """``huggingface-cli download --local-dir`` keeps a record for each file below the chosen folder."""
    for folder in path.parents:
        record = folder / _RECORDS / f"{path.relative_to(folder)}.metadata"
        try:
            with record.open(encoding="utf-8", errors="replace") as file:
                return hash_in_download_record(file.read(_MOST_RECORD_BYTES))
        except OSError:
            continue
    return None
