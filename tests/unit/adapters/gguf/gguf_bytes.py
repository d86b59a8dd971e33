"""GGUF files byte by byte, for tests that need wrong ones."""

import math
import os
import struct

import pytest

from gglib_desktop.adapters.gguf.header import read_header
from gglib_desktop.adapters.gguf.writer import GgufWriter
from gglib_desktop.domain.errors import InvalidModelFile


def gguf_string(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(data)) + data


def gguf_head(*, version=3, tensors=0, entries=1):
    return b"GGUF" + struct.pack("<IQQ", version, tensors, entries)


def gguf_entry(key, kind, payload):
    return gguf_string(key) + struct.pack("<I", kind) + payload


def gguf_tensor(shape, kind, offset, name="t"):
    return gguf_string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


def gguf_file(folder, data, *, size=None):
    path = folder / "model.gguf"
    path.write_bytes(data)
    if size is not None:
        os.truncate(path, size)
    return path


def refusal(path):
    with pytest.raises(InvalidModelFile) as caught:
        read_header(path)
    assert caught.value.path == path
    return caught.value


def write_gguf(path, metadata, *, order="little", version=3, tensors=()):
    writer = GgufWriter(byte_order=order, version=version)
    for key, (kind, value) in metadata.items():
        if isinstance(value, list):
            writer.add_array(key, kind, value)
        else:
            writer.add(key, kind, value)
    for name, shape in tensors:
        writer.add_tensor(name, shape, [bytes(4 * math.prod(shape))])
    with path.open("wb") as file:
        writer.write(file)
    return path
