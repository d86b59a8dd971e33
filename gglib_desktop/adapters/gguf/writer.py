"""Writes GGUF files: metadata and tensors in the given order, laid out as engines expect them."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from gglib_desktop.adapters.gguf.header import SCALAR_FORMATS
from gglib_desktop.domain.gguf.header import ByteOrder, GgufScalar, GgufValueType

_ALIGNMENT = 32
_F32 = 0
_F32_BYTES = 4


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: str
    shape: tuple[int, ...]
    data: Iterable[bytes]

    @property
    def size_bytes(self) -> int:
        return math.prod(self.shape) * _F32_BYTES


class GgufWriter:
    """Collects metadata and 32-bit float tensors; adding is cheap, ``write`` does the work and can do it once."""

    def __init__(self, *, byte_order: ByteOrder = "little", version: int = 3) -> None:
        self._sign = "<" if byte_order == "little" else ">"
        self._version = version
        self._entries: list[bytes] = []
        self._tensors: list[_Tensor] = []

    def add(self, key: str, kind: GgufValueType, value: GgufScalar) -> None:
        self._entries.append(self._string(key) + self._pack("I", kind) + self._values(kind, [value]))

    def add_array(self, key: str, kind: GgufValueType, values: Sequence[GgufScalar]) -> None:
        head = self._string(key) + self._pack("IIQ", GgufValueType.ARRAY, kind, len(values))
        self._entries.append(head + self._values(kind, values))

    def add_tensor(self, name: str, shape: tuple[int, ...], data: Iterable[bytes]) -> None:
        """Adds a tensor: its shape innermost dimension first, its data in pieces, floats in the file's byte order."""
        self._tensors.append(_Tensor(name, shape, data))

    def write(self, file: BinaryIO) -> None:
        """Writes everything to the start of an empty file.

        Raises: ValueError when a tensor's pieces do not add up to its shape.
        """
        head = [b"GGUF", self._pack("IQQ", self._version, len(self._tensors), len(self._entries)), *self._entries]
        offset = 0
        for tensor in self._tensors:
            dimensions = len(tensor.shape)
            layout = f"I{dimensions}QIQ"
            head += [self._string(tensor.name), self._pack(layout, dimensions, *tensor.shape, _F32, offset)]
            offset += tensor.size_bytes + -tensor.size_bytes % _ALIGNMENT
        size = file.write(b"".join(head))
        file.write(bytes(-size % _ALIGNMENT))
        for tensor in self._tensors:
            self._write_data(file, tensor)

    def _write_data(self, file: BinaryIO, tensor: _Tensor) -> None:
        written = sum(file.write(piece) for piece in tensor.data)
        if written != tensor.size_bytes:
            raise ValueError(f"{tensor.name}: {written} bytes given, its shape needs {tensor.size_bytes}")
        file.write(bytes(-written % _ALIGNMENT))

    def _values(self, kind: GgufValueType, values: Sequence[GgufScalar]) -> bytes:
        if kind is GgufValueType.STRING:
            return b"".join(self._string(str(value)) for value in values)
        return self._pack(f"{len(values)}{SCALAR_FORMATS[kind]}", *values)

    def _string(self, text: str) -> bytes:
        encoded = text.encode()
        return self._pack("Q", len(encoded)) + encoded

    def _pack(self, layout: str, *values: GgufScalar) -> bytes:
        return struct.pack(self._sign + layout, *values)
