"""Which sum a file ought to have, and whether it has it."""

from pathlib import PurePosixPath

import pytest

from gglib_desktop.domain.models.integrity import FileSum, HashSource, KnownHash, hash_in_download_record, hash_in_name

SUM = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (f"/home/me/.ollama/models/blobs/sha256-{SUM}", HashSource.OLLAMA),
        (f"/cache/hub/models--a--b/blobs/{SUM}", HashSource.HUGGING_FACE),
        (f"/cache/hub/models--a--b/blobs/{SUM[:40]}", None),
        (f"/cache/hub/models--a--b/blobs/{SUM.upper()}", None),
        (f"/downloads/{SUM}", None),
        (f"/downloads/sha256-{SUM}", None),
        (f"/x/blobs/sha256-{SUM}.gguf", None),
        ("/x/blobs/sha256-", None),
    ],
)
def test_only_the_stores_name_files_by_their_sums(path, source):
    known = hash_in_name(PurePosixPath(path))
    assert known == (KnownHash(SUM, source) if source else None)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{SUM[:40]}\n{SUM}\n1700000000.5\n", True),
        (f'{SUM[:40]}\n"{SUM}"\n', True),
        (f"{SUM[:40]}\n{SUM[:40]}\n1700000000.5\n", False),
        (SUM, False),
        ("", False),
        ("\n\n\n", False),
    ],
)
def test_the_record_of_a_download_names_the_sum_of_large_files(text, found):
    assert hash_in_download_record(text) == (KnownHash(SUM, HashSource.DOWNLOAD) if found else None)


def test_a_sum_is_right_wrong_or_not_known():
    known = KnownHash(SUM, HashSource.OLLAMA)
    path = PurePosixPath("/m")
    assert FileSum(path, SUM, known).is_right is True
    assert FileSum(path, "f" * 64, known).is_right is False
    assert FileSum(path, SUM, None).is_right is None
