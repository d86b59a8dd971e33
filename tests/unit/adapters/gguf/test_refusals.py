"""The GGUF reader meets files that are wrong, gone, no files at all, or made to do harm."""

import io
import os
import socket
import struct
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PosixPath

import pytest

from gglib_desktop.adapters.files.regular_file import open_regular
from gglib_desktop.adapters.gguf.header import _Window, check_tensor_data, read_header
from gglib_desktop.adapters.gguf.source import DiskFile
from gglib_desktop.domain.errors import InvalidModelFile
from gglib_desktop.domain.gguf.header import GgufValueType, SkippedString
from gglib_desktop.domain.units import size_text
from tests.fakes.counted import calls_of
from tests.unit.adapters.gguf.gguf_bytes import (
    gguf_entry,
    gguf_file,
    gguf_head,
    gguf_string,
    gguf_tensor,
    refusal,
    write_gguf,
)

T = GgufValueType

_ZERO = struct.pack("<B", 0)
_SMALL = gguf_entry("key", T.UINT8, _ZERO)
_BAD_CONTENT = {
    "empty": (b"", "the file is empty", 0),
    "other format": (b"PK\x03\x04 and so on", "not a GGUF file", 0),
    "shorter than the magic": (b"GG", "truncated: the file ends inside the magic number", 0),
    "ends in the counts": (gguf_head()[:20], "truncated: the file ends inside the header", 8),
    "version 0": (b"GGUF" + bytes(20), "GGUF version 0 is not supported", 4),
    "version 1": (gguf_head(version=1) + _SMALL, "GGUF version 1 is not supported", 4),
    "version 4": (gguf_head(version=4) + _SMALL, "GGUF version 4 is not supported", 4),
    "absurd entry count": (gguf_head(entries=2**60) + _SMALL, "metadata entries, more than any model has", 16),
    "absurd tensor count": (gguf_head(tensors=2**60) + _SMALL, "tensors, more than any model has", 8),
    "more entries than fit": (gguf_head(entries=9_999) + _SMALL, "more than the whole file has", 24),
    "more tensors than fit": (gguf_head(tensors=9) + _SMALL, "the list of tensors claims 216 bytes", 40),
    "ends in the metadata": (gguf_head(entries=2) + _SMALL, "truncated: the file ends inside the metadata", 24),
    "key longer than the file": (
        gguf_head() + struct.pack("<Q", 2**63) + bytes(9),
        "a metadata key claims 9223372036854775808 bytes",
        32,
    ),
    "string longer than the file": (
        gguf_head() + gguf_entry("key", T.STRING, struct.pack("<Q", 2**40)),
        "a string claims 1099511627776 bytes, more than the whole file has",
        47,
    ),
    "ends in a string": (
        gguf_head() + gguf_entry("key", T.STRING, gguf_string("x" * 30)[:-1]),
        "truncated: the file ends inside a string",
        47,
    ),
    "unknown type": (gguf_head() + gguf_entry("key", 13, bytes(8)), "unknown value type 13", 35),
    "unknown array type": (
        gguf_head() + gguf_entry("key", T.ARRAY, struct.pack("<IQ", 77, 1)),
        "unknown value type 77",
        47,
    ),
    "nested array": (
        gguf_head() + gguf_entry("key", T.ARRAY, struct.pack("<IQ", T.ARRAY, 1)),
        "an array of arrays",
        39,
    ),
    "array longer than the file": (
        gguf_head() + gguf_entry("key", T.ARRAY, struct.pack("<IQ", T.FLOAT64, 2**61)),
        "an array of 2305843009213693952 values claims 18446744073709551616 bytes",
        51,
    ),
    "array string longer than the file": (
        gguf_head()
        + gguf_entry("key", T.ARRAY, struct.pack("<IQ", T.STRING, 300) + struct.pack("<Q", 2**64 - 1) + bytes(2400)),
        "a string in an array claims 18446744073709551615 bytes",
        59,
    ),
    "duplicate key": (gguf_head(entries=2) + _SMALL * 2, "the metadata key 'key' stands there twice", 40),
    "alignment 0": (
        gguf_head() + gguf_entry("general.alignment", T.UINT32, bytes(4)),
        "general.alignment is not a power of two",
        None,
    ),
    "alignment 48": (
        gguf_head() + gguf_entry("general.alignment", T.UINT32, struct.pack("<I", 48)),
        "general.alignment is not a power of two",
        None,
    ),
    "alignment of another type": (
        gguf_head() + gguf_entry("general.alignment", T.BOOL, b"\1"),
        "general.alignment is not a power of two",
        None,
    ),
    "five dimensions": (
        gguf_head(tensors=1, entries=0) + gguf_tensor((1,) * 5, 0, 0),
        "a tensor of 5 dimensions",
        None,
    ),
    "tensor beyond all size": (
        gguf_head(tensors=1, entries=0) + gguf_tensor((2**62, 2), 0, 0),
        "a tensor too large for any computer",
        None,
    ),
    "tensor name longer than the file": (
        gguf_head(tensors=1, entries=0) + struct.pack("<Q", 2**50) + bytes(40),
        "a tensor's name claims",
        32,
    ),
}


class TestRefuses:
    @pytest.mark.parametrize(("data", "reason", "offset"), _BAD_CONTENT.values(), ids=_BAD_CONTENT)
    def test_bad_content_with_a_reason_of_its_own(self, tmp_path, data, reason, offset):
        error = refusal(gguf_file(tmp_path, data))
        assert reason in error.reason
        if offset is not None:
            assert error.offset == offset

    def test_a_folder(self, tmp_path):
        assert refusal(tmp_path).reason == "it is a folder, not a file"

    def test_a_pipe_at_once(self, tmp_path):
        os.mkfifo(tmp_path / "model.gguf")
        assert refusal(tmp_path / "model.gguf").reason == "it is a pipe, not a file"

    def test_a_socket(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)  # socket addresses are short
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("s.gguf")
            assert refusal(tmp_path / "s.gguf").reason == "it is a socket, not a file"

    def test_a_device(self):
        assert refusal(Path("/dev/zero")).reason == "it is a device, not a file"

    def test_a_file_that_is_gone(self, tmp_path):
        (tmp_path / "file").touch()
        (tmp_path / "link").symlink_to(tmp_path / "nowhere")
        for path in (tmp_path / "gone.gguf", tmp_path / "file" / "model.gguf", tmp_path / "link"):
            assert refusal(path).reason == "the file does not exist"

    def test_a_link_to_itself_and_an_impossible_name(self, tmp_path):
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
        assert refusal(tmp_path / "loop").reason.startswith("the file cannot be read: ")
        assert refusal(tmp_path / "a\0b").reason.startswith("not a possible file name: ")

    def test_a_file_without_permission(self, tmp_path):
        path = gguf_file(tmp_path, gguf_head() + _SMALL)
        path.chmod(0)
        with _as_ordinary_user():
            assert refusal(path).reason == "permission to read the file is denied"

    def test_a_pipe_that_took_the_place_of_a_file(self, tmp_path):
        # What the second look in open_regular is for; the first cannot be made to miss from outside.
        file, pipe = tmp_path / "file", tmp_path / "pipe"
        file.write_bytes(b"GGUF")
        os.mkfifo(pipe)

        class Swapped(PosixPath):
            def stat(self, *, follow_symlinks=True):
                return file.stat()

        with pytest.raises(InvalidModelFile, match="it is a pipe"):
            open_regular(Swapped(pipe))

    def test_a_file_that_shrinks_meanwhile(self, tmp_path):
        path = gguf_file(tmp_path, gguf_head() + _SMALL)
        with path.open("rb", buffering=0) as file:
            window = _Window(path, DiskFile(file))
            os.truncate(path, 3)
            with pytest.raises(InvalidModelFile, match="became shorter while it was read"):
                window.take(4, "the magic number")

    def test_a_file_that_stops_being_readable_meanwhile(self, tmp_path):
        path = gguf_file(tmp_path, gguf_head() + _SMALL)
        with path.open("r+b", buffering=0) as other, io.FileIO(path, "a") as unreadable:
            assert other.readable()
            with pytest.raises(InvalidModelFile, match="cannot be read"):
                _Window(path, DiskFile(unreadable)).take(4, "the magic number")

    def test_tensor_data_that_is_missing(self, tmp_path):
        path = write_gguf(tmp_path / "model.gguf", {}, tensors=[("a", (10_000,)), ("b", (50,))])
        header = read_header(path)
        size = header.required_size_bytes
        os.truncate(path, size)
        check_tensor_data(path, header)
        os.truncate(path, size - 1)
        with pytest.raises(InvalidModelFile, match=rf"truncated: only {size - 1} of {size} bytes"):
            check_tensor_data(path, header)
        os.truncate(path, size // 2)
        with pytest.raises(InvalidModelFile, match=rf"truncated: only {size_text(size // 2)} of {size_text(size)}"):
            check_tensor_data(path, header)
        path.unlink()
        with pytest.raises(InvalidModelFile, match="the file does not exist"):
            check_tensor_data(path, header)


@contextmanager
def _as_ordinary_user() -> Iterator[None]:
    """Root may read everything, so root becomes nobody for a moment."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


_HUGE = 2**36


def _zero_strings(count):
    return gguf_head() + gguf_entry("key", T.ARRAY, struct.pack("<IQ", T.STRING, count)), _HUGE


def _strings(count):
    return _zero_strings(count)[0] + bytes(8 * count)


def _entries(count, values=256):
    array = struct.pack(f"<IQ{values}s", 0, values, b"")
    return gguf_head(entries=count) + b"".join(gguf_entry(f"{n:0100}", T.ARRAY, array) for n in range(count))


def _templates(count):
    smile = gguf_string("\N{GRINNING FACE}" * 2**18)
    return gguf_head(entries=count) + b"".join(gguf_entry(f"key {n}", T.STRING, smile) for n in range(count))


def _tensors(count):
    return gguf_head(tensors=count, entries=0) + gguf_tensor((1, 1, 1, 1), 0, 0) * count


def _long_string():
    return gguf_head() + gguf_entry("key", T.STRING, struct.pack("<Q", _HUGE // 2)), _HUGE


def _many_keys():
    return gguf_head(entries=100) + b"".join(gguf_entry(f"{n}".zfill(2**16), T.UINT8, _ZERO) for n in range(100)), None


_HOSTILE = {
    "as many empty strings as allowed": (lambda: _zero_strings(2_000_000), None),
    "more strings than allowed": (lambda: _zero_strings(2_000_001), "strings, more than any model has"),
    "as many arrays as allowed": (lambda: (_entries(10_000), None), None),
    "large templates": (lambda: (_templates(20), None), None),
    "as many tensors as allowed": (lambda: (_tensors(100_000), None), None),
    "a string that fits a huge file": (_long_string, "reaches past 268435456 bytes"),
    "large keys": (_many_keys, "the metadata keys alone take more than 1048576 bytes"),
}


# How many of each a file may hold at the most, and the calls that one may cost.
_PIECES = {
    "empty strings": (_strings, 2_000_000, 1.01),
    "arrays that are kept": (_entries, 850, 2500),
    "arrays that are not": (lambda count: _entries(count, values=257), 10_000, 60),
    "templates": (_templates, 20, 60),
    "tensors": (_tensors, 100_000, 26),
}


class TestStaysSmallAndQuick:
    @pytest.mark.parametrize(("make", "reason"), _HOSTILE.values(), ids=_HOSTILE)
    def test_hostile_files_are_read_or_refused(self, tmp_path, make, reason):
        data, size = make()
        self._read(gguf_file(tmp_path, data, size=size), reason)

    @pytest.mark.parametrize(("make", "most", "calls"), _PIECES.values(), ids=_PIECES)
    def test_each_piece_costs_the_same_however_many_there_are(self, tmp_path, make, most, calls):
        few, many = most // 20, most // 10
        spent = {}
        for count in (few, many):
            path = gguf_file(tmp_path, make(count))
            read_header(path)  # what is done once for all files is done here
            spent[count] = calls_of(partial(read_header, path))
        assert spent[many] - spent[few] <= calls * (many - few)
        assert calls * most <= 3_000_000, "a second's work"

    # Tracing makes two million strings take seconds; 300 are walked by the same loop. Coverage counts the first test.
    @pytest.mark.no_cover
    @pytest.mark.parametrize(
        ("make", "reason"), [(lambda: _zero_strings(300), None), *list(_HOSTILE.values())[1:]], ids=_HOSTILE
    )
    def test_hostile_files_take_less_than_20_mebibytes(self, tmp_path, make, reason):
        data, size = make()
        path = gguf_file(tmp_path, data, size=size)
        tracemalloc.start()
        try:
            self._read(path, reason)
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak_bytes < 20 * 2**20

    @staticmethod
    def _read(path, reason):
        if reason is None:
            read_header(path)
        else:
            assert reason in refusal(path).reason

    def test_what_no_longer_fits_is_skipped_not_lost(self, tmp_path):
        metadata = {f"key {number}": (T.STRING, "x" * 2**20) for number in range(4)}
        header = read_header(write_gguf(tmp_path / "model.gguf", {**metadata, "after": (T.UINT8, 1)}))
        assert list(header.metadata.values())[2:] == [SkippedString(2**20), SkippedString(2**20), 1]
