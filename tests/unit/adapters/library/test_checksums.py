"""Sums of real files, and what other programs note of them."""

import hashlib
import os
from pathlib import Path

import pytest

from gglib_desktop.adapters.library.checksums import DiskChecksums
from gglib_desktop.domain.errors import InvalidModelFile
from gglib_desktop.domain.models.integrity import HashSource, KnownHash

CONTENT = bytes(range(256)) * 40_000  # more than two chunks
SUM = hashlib.sha256(CONTENT).hexdigest()


def go_on(_count: int) -> bool:
    return True


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "m.gguf"
    path.write_bytes(CONTENT)
    return path


def test_the_sum_is_what_it_should_be_and_all_bytes_are_told(file):
    told: list[int] = []

    def tell(count: int) -> bool:
        told.append(count)
        return True

    assert DiskChecksums().sha256(file, tell) == SUM
    assert sum(told) == len(CONTENT)
    assert len(told) > 2
    file.write_bytes(b"")
    assert DiskChecksums().sha256(file, go_on) == hashlib.sha256().hexdigest()


def test_it_ends_when_it_is_told_to(file):
    told: list[int] = []

    def tell(count: int) -> bool:
        told.append(count)
        return False

    assert DiskChecksums().sha256(file, tell) is None
    assert len(told) == 1


def test_a_file_that_changes_meanwhile_has_no_sum(file):
    def write(_count: int) -> bool:
        os.utime(file, (1, 1))
        return True

    with pytest.raises(InvalidModelFile, match="changed while it was read"):
        DiskChecksums().sha256(file, write)


def test_what_cannot_be_read_is_said(tmp_path):
    with pytest.raises(InvalidModelFile, match="does not exist"):
        DiskChecksums().sha256(tmp_path / "gone", go_on)
    with pytest.raises(InvalidModelFile, match="it is a folder"):
        DiskChecksums().sha256(tmp_path, go_on)
    fifo = tmp_path / "fifo.gguf"
    os.mkfifo(fifo)
    with pytest.raises(InvalidModelFile, match="it is a pipe"):
        DiskChecksums().sha256(fifo, go_on)


# -- what is known


def test_a_link_in_the_cache_of_hugging_face_leads_to_the_sum(tmp_path):
    blob = tmp_path / "models--a--b" / "blobs" / SUM
    link = tmp_path / "models--a--b" / "snapshots" / "c0ffee" / "deep" / "m.gguf"
    for folder in (blob.parent, link.parent):
        folder.mkdir(parents=True)
    blob.write_bytes(CONTENT)
    link.symlink_to(os.path.relpath(blob, link.parent))
    assert DiskChecksums().known(link) == KnownHash(SUM, HashSource.HUGGING_FACE)


def test_the_blob_of_ollama_is_its_own_witness(tmp_path):
    assert DiskChecksums().known(tmp_path / "blobs" / f"sha256-{SUM}") == KnownHash(SUM, HashSource.OLLAMA)


def test_a_download_into_a_folder_has_a_record(file, tmp_path):
    assert DiskChecksums().known(file) is None
    below = tmp_path / "sub" / "n.gguf"
    records = tmp_path / ".cache" / "huggingface" / "download"
    (records / "sub").mkdir(parents=True)
    (records / "m.gguf.metadata").write_text(f"commit\n{SUM}\n1700000000.0\n")
    (records / "sub" / "n.gguf.metadata").write_bytes(b"\xff\n" + b"0" * 64 + b"\n")
    assert DiskChecksums().known(file) == KnownHash(SUM, HashSource.DOWNLOAD)
    assert DiskChecksums().known(below) == KnownHash("0" * 64, HashSource.DOWNLOAD)
