"""Reads GGUF headers from disk without trusting a single number in them."""

from __future__ import annotations

import math
import struct
from pathlib import Path

from gglib_desktop.adapters.files.regular_file import why_unreadable
from gglib_desktop.adapters.gguf.source import ByteSource, OpenSource, disk_source
from gglib_desktop.adapters.gguf.tensors import BLOCKS, REPACKED_BLOCKS, Tensors
from gglib_desktop.domain.errors import InvalidModelFile
from gglib_desktop.domain.gguf.header import (
    ByteOrder,
    GgufHeader,
    GgufScalar,
    GgufValue,
    GgufValueType,
    SkippedArray,
    SkippedString,
)
from gglib_desktop.domain.units import size_text

# Together these bound a hostile file to well under a second and 20 MiB. The largest real vocabularies have 262,144
# tokens and about twice as many merges, the largest real headers are some 30 MiB, chat templates some 100 KiB.
_MAX_HEADER_BYTES = 256 * 2**20
_MAX_ENTRIES = 10_000
_MAX_TENSORS = 100_000
_MAX_WALKED_STRINGS = 2_000_000
_MAX_KEYS_BYTES = 2**20
_MAX_STRING_BYTES = 2**20
_MAX_ARRAY_KEPT = 256
_MAX_KEPT_BYTES = 10 * 2**20
_CHUNK_BYTES = 2**18

# The magic number, the version and two counts.
_PREAMBLE_BYTES = 4 + 4 + 8 + 8
_MAX_DIMENSIONS = 4
_MAX_ELEMENTS = 2**63 - 1
_DEFAULT_ALIGNMENT = 32
_SMALLEST_ENTRY_BYTES = 8 + 4 + 1
_SMALLEST_TENSOR_BYTES = 8 + 4 + 4 + 8

# struct's letter for each value type of fixed size.
SCALAR_FORMATS = {
    GgufValueType.UINT8: "B",
    GgufValueType.INT8: "b",
    GgufValueType.UINT16: "H",
    GgufValueType.INT16: "h",
    GgufValueType.UINT32: "I",
    GgufValueType.INT32: "i",
    GgufValueType.FLOAT32: "f",
    GgufValueType.BOOL: "?",
    GgufValueType.UINT64: "Q",
    GgufValueType.INT64: "q",
    GgufValueType.FLOAT64: "d",
}
_MAX_TENSOR_NAME_BYTES = 64


def read_header(
    path: Path, arrays: dict[str, tuple[int, int]] | None = None, *, opened: OpenSource = disk_source
) -> GgufHeader:
    """Everything before the tensor data. Blocks: call it in a thread. ``arrays`` gets where each array's values lie.

    Raises: InvalidModelFile, also for a file that is not regular, gone or unreadable.
    """
    with opened(path) as file:
        window = _Window(path, file, arrays)
        if not window.size:
            raise window.bad("the file is empty")
        return _HeaderReader(window, *_preamble(window)).read()


def check_tensor_data(path: Path, header: GgufHeader, *, opened: OpenSource = disk_source) -> None:
    """Checks that the file is as long as its tensors need; interrupted downloads and copies are not.

    Raises: InvalidModelFile.
    """
    try:
        with opened(path) as file:
            size = file.size
    except OSError as exc:
        raise InvalidModelFile(path, why_unreadable(exc)) from exc
    if size < header.required_size_bytes:
        raise InvalidModelFile(path, f"truncated: only {_part(size, header.required_size_bytes)}", offset=size)


def _part(size_bytes: int, whole_bytes: int) -> str:
    """The file's size, precise enough to tell the two sizes apart."""
    part, whole = size_text(size_bytes), size_text(whole_bytes)
    return f"{part} of {whole}" if part != whole else f"{size_bytes} of {whole_bytes} bytes"


class _Window:
    """A piece of the file in memory that only moves forward, and only where the file's size allows."""

    def __init__(self, path: Path, file: ByteSource, arrays: dict[str, tuple[int, int]] | None = None) -> None:
        self._path = path
        self.arrays = arrays
        self._file = file
        self.size = file.size
        self._start = 0
        self._buffer = b""
        self._at = 0

    @property
    def position(self) -> int:
        return self._start + self._at

    def bad(self, reason: str, *, offset: int | None = None) -> InvalidModelFile:
        return InvalidModelFile(self._path, reason, offset=self.position if offset is None else offset)

    def require(self, count: int, what: str) -> None:
        # A shorter file is too short to claim anything.
        if count > self.size >= _PREAMBLE_BYTES:
            raise self.bad(f"{what} claims {count} bytes, more than the whole file has")
        end = self.position + count
        if end > self.size:
            raise self.bad(f"truncated: the file ends inside {what}")
        if end > _MAX_HEADER_BYTES:
            raise self.bad(f"{what} reaches past {_MAX_HEADER_BYTES} bytes, where no real header does")

    def take(self, count: int, what: str) -> bytes:
        self.require(count, what)
        self._load(count)
        at = self._at
        self._at += count
        return self._buffer[at : at + count]

    def unpack(self, layout: struct.Struct, what: str) -> tuple[int, ...]:
        self.require(layout.size, what)
        self._load(layout.size)
        values = layout.unpack_from(self._buffer, self._at)
        self._at += layout.size
        return values

    def start_of(self, count: int, most: int, what: str) -> bytes:
        """The first ``most`` of the next bytes; passes over all of them."""
        kept = min(most, count)
        if self._at + count > len(self._buffer):
            self.require(count, what)
            self._load(kept)
        at = self._at
        self._at += count
        return self._buffer[at : at + kept]

    def skip(self, count: int, what: str) -> None:
        self.require(count, what)
        self._at += count

    def skip_strings(self, count: int, length: struct.Struct, what: str) -> None:
        # The one hot loop: half a million strings in a large model. Lengths are unsigned, so only the last string of a
        # pass can reach past the buffer, and checking that one is enough.
        unpack_from = length.unpack_from
        width = length.size
        while count:
            self.require(width, what)
            self._load(width)
            buffer, at = self._buffer, self._at
            begin, last = at, len(buffer) - width
            while count and at <= last:
                begin = at
                at += width + unpack_from(buffer, at)[0]
                count -= 1
            self._at = begin + width
            self.skip(at - self._at, what)

    def _load(self, count: int) -> None:
        if self._at + count <= len(self._buffer):
            return
        self._start, self._at = self.position, 0
        self._buffer = b""
        try:
            wanted = min(max(count, _CHUNK_BYTES), self.size - self._start)
            self._buffer = self._file.read(self._start, wanted)
        except OSError as exc:
            raise self.bad(why_unreadable(exc)) from exc
        if len(self._buffer) < count:
            raise self.bad("truncated: the file became shorter while it was read")


def _preamble(window: _Window) -> tuple[int, ByteOrder]:
    if window.take(4, "the magic number") != b"GGUF":
        raise window.bad("not a GGUF file: it does not start with GGUF", offset=0)
    raw = window.take(4, "the version")
    # Versions are small, so the half that holds the digits tells the file's byte order.
    order: ByteOrder = "little" if any(raw[:2]) else "big"
    version = int.from_bytes(raw, order)
    if version not in (2, 3):
        raise window.bad(f"GGUF version {version} is not supported, only 2 and 3 are", offset=4)
    return version, order


class _HeaderReader:
    """One pass over one file, from behind the preamble."""

    def __init__(self, window: _Window, version: int, order: ByteOrder) -> None:
        self._window = window
        self._version = version
        self._order: ByteOrder = order
        sign = "<" if order == "little" else ">"
        self._u32 = struct.Struct(f"{sign}I")
        self._u64 = struct.Struct(f"{sign}Q")
        self._two_counts = struct.Struct(f"{sign}QQ")
        self._array_head = struct.Struct(f"{sign}IQ")
        self._scalars = {kind: struct.Struct(sign + code) for kind, code in SCALAR_FORMATS.items()}
        self._shapes = [struct.Struct(f"{sign}{dimensions}QIQ") for dimensions in range(_MAX_DIMENSIONS + 1)]
        self._kept_bytes = 0
        self._keys_bytes = 0
        self._walked_strings = 0

    def read(self) -> GgufHeader:
        window = self._window
        tensor_count, entry_count = window.unpack(self._two_counts, "the header")
        if tensor_count > _MAX_TENSORS:
            raise window.bad(f"claims {tensor_count} tensors, more than any model has", offset=8)
        if entry_count > _MAX_ENTRIES:
            raise window.bad(f"claims {entry_count} metadata entries, more than any model has", offset=16)
        window.require(entry_count * _SMALLEST_ENTRY_BYTES, "the metadata")
        metadata: dict[str, GgufValue] = {}
        for _ in range(entry_count):
            self._entry(metadata)
        alignment = self._alignment(metadata)
        tensors = self._tensors(tensor_count)
        end = window.position
        required = end + -end % alignment + tensors.data_bytes if tensors.data_bytes else end
        return GgufHeader(
            self._version,
            self._order,
            tensor_count,
            metadata,
            tensors.elements,
            required,
            tensors.first_block,
            tensors.repackable_bytes,
        )

    def _entry(self, metadata: dict[str, GgufValue]) -> None:
        begin = self._window.position
        key = self._key()
        if key in metadata:
            raise self._window.bad(f"the metadata key {key[:80]!r} stands there twice", offset=begin)
        kind = self._value_type(self._window.unpack(self._u32, "a metadata value")[0])
        is_array, begin = kind is GgufValueType.ARRAY, self._window.position
        metadata[key] = self._array() if is_array else self._value(kind)
        if is_array and self._window.arrays is not None:
            self._window.arrays[key] = (begin + self._array_head.size, self._window.position)

    def _key(self) -> str:
        (length,) = self._window.unpack(self._u64, "a metadata key")
        self._window.require(length, "a metadata key")
        self._keys_bytes += length
        if self._keys_bytes > _MAX_KEYS_BYTES:
            raise self._window.bad(f"the metadata keys alone take more than {_MAX_KEYS_BYTES} bytes")
        return self._window.take(length, "a metadata key").decode("utf-8", "replace")

    def _value_type(self, number: int) -> GgufValueType:
        try:
            return GgufValueType(number)
        except ValueError:
            raise self._window.bad(f"unknown value type {number}", offset=self._window.position - 4) from None

    def _value(self, kind: GgufValueType) -> GgufScalar | SkippedString:
        if kind is GgufValueType.STRING:
            return self._string()
        return self._window.unpack(self._scalars[kind], "a metadata value")[0]

    def _string(self) -> str | SkippedString:
        (length,) = self._window.unpack(self._u64, "a string")
        # Python takes four bytes per character as soon as one emoji is among them.
        if length > _MAX_STRING_BYTES or not self._may_keep(4 * length + 64):
            self._window.skip(length, "a string")
            return SkippedString(length)
        return self._window.take(length, "a string").decode("utf-8", "replace")

    def _array(self) -> SkippedArray | tuple[GgufScalar | SkippedString, ...]:
        begin = self._window.position
        number, length = self._window.unpack(self._array_head, "an array")
        kind = self._value_type(number)
        if kind is GgufValueType.ARRAY:
            raise self._window.bad("an array of arrays, which no engine reads", offset=begin)
        smallest = 8 if kind is GgufValueType.STRING else self._scalars[kind].size
        self._window.require(length * smallest, f"an array of {length} values")
        if length <= _MAX_ARRAY_KEPT and self._may_keep(48 * length + 64):
            return tuple(self._value(kind) for _ in range(length))
        if kind is GgufValueType.STRING:
            self._skip_strings(length)
        else:
            self._window.skip(length * smallest, "an array")
        return SkippedArray(kind, length)

    def _skip_strings(self, length: int) -> None:
        self._walked_strings += length
        if self._walked_strings > _MAX_WALKED_STRINGS:
            raise self._window.bad(f"claims {self._walked_strings} strings, more than any model has")
        self._window.skip_strings(length, self._u64, "a string in an array")

    def _may_keep(self, cost_bytes: int) -> bool:
        if self._kept_bytes + cost_bytes > _MAX_KEPT_BYTES:
            return False
        self._kept_bytes += cost_bytes
        return True

    def _alignment(self, metadata: dict[str, GgufValue]) -> int:
        alignment = metadata.get("general.alignment", _DEFAULT_ALIGNMENT)
        if type(alignment) is not int or alignment <= 0 or alignment & (alignment - 1):
            raise self._window.bad("general.alignment is not a power of two")
        return alignment

    def _tensors(self, count: int) -> Tensors:
        self._window.require(count * _SMALLEST_TENSOR_BYTES, "the list of tensors")
        tensors = Tensors()
        for _ in range(count):
            self._tensor(tensors)
        return tensors

    def _tensor(self, tensors: Tensors) -> None:
        window, what = self._window, "the list of tensors"
        (name_bytes,) = window.unpack(self._u64, what)
        name = window.start_of(name_bytes, _MAX_TENSOR_NAME_BYTES, "a tensor's name")
        (dimensions,) = window.unpack(self._u32, what)
        if dimensions > _MAX_DIMENSIONS:
            raise window.bad(f"a tensor of {dimensions} dimensions, more than {_MAX_DIMENSIONS}")
        *shape, kind, offset = window.unpack(self._shapes[dimensions], what)
        elements = math.prod(shape)
        if elements > _MAX_ELEMENTS:
            raise window.bad("a tensor too large for any computer")
        per_block, block_bytes = BLOCKS.get(kind, (1, 0))
        blocks = -(-elements // per_block)
        # A hostile file has a hundred thousand of these, so every call counts.
        end = offset + blocks * block_bytes
        tensors.elements += elements
        tensors.data_bytes = max(tensors.data_bytes, end)
        if name[:4] == b"blk.":
            tensors.note_block(name)
        if dimensions > 1 and kind in REPACKED_BLOCKS:
            tensors.note_repackable(name, blocks * REPACKED_BLOCKS[kind])
        if name == b"output.weight":
            tensors.has_output = True
