"""Our reader and the ``gguf`` package of llama.cpp agree on files that the package wrote.

Not among our requirements, as it brings numpy: ``pip install gguf`` before, else this is skipped.
"""

import math
import random
from pathlib import Path

import pytest

from gglib_desktop.adapters.gguf.header import read_header
from gglib_desktop.domain.gguf.header import SkippedArray, SkippedString
from tests.gguf_package import long_vocabulary, peak_of_ours, peak_of_the_package

gguf = pytest.importorskip("gguf", reason="the gguf package is not installed")
ORDERS = ["LITTLE", "BIG"]
INTEGERS = {"uint8": (0, 8), "int8": (1, 8), "uint16": (0, 16), "int16": (1, 16), "uint32": (0, 32), "int32": (1, 32)}
INTEGERS |= {"uint64": (0, 64), "int64": (1, 64)}


def written(path: Path, order: str, version: int, architecture: str, entries) -> Path:
    writer = gguf.GGUFWriter(path, architecture, endianess=gguf.GGUFEndian[order])
    for key, kind, value in entries:
        if isinstance(value, list):
            writer.add_array(key, value)
        else:
            getattr(writer, f"add_{kind}")(key, value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    data = bytearray(path.read_bytes())
    data[4:8] = version.to_bytes(4, "little" if order == "LITTLE" else "big")
    path.write_bytes(data)
    return path


def assert_agreement(path: Path) -> int:
    """Compares every key; returns how many."""
    theirs = gguf.GGUFReader(path)
    ours = read_header(path)
    fields = {name: part for name, part in theirs.fields.items() if not name.startswith("GGUF.")}
    assert list(ours.metadata) == list(fields)
    for name, part in fields.items():
        assert_equal(ours.metadata[name], part.contents(), part)
    assert ours.version == theirs.fields["GGUF.version"].contents()
    assert ours.tensor_count == len(theirs.tensors)
    return len(fields)


def assert_equal(mine, value, part) -> None:
    match mine:
        case SkippedArray(kind, length):
            assert (kind.value, length) == (part.types[1].value, len(value))
            assert length > 256
        case SkippedString(length):
            assert length == len(value.encode())
        case tuple():
            assert len(mine) == len(value)
            assert all(same(one, other) for one, other in zip(mine, value, strict=True))
        case _:
            assert same(mine, value)


def same(mine: object, value: object) -> bool:
    if isinstance(mine, float) and math.isnan(mine):
        return isinstance(value, float) and math.isnan(value)
    return type(mine) is type(value) and mine == value


def every_type(chance: random.Random):
    """Scalars of each type at their ends, and arrays of them, short and long."""
    for name, (signed, bits) in INTEGERS.items():
        ends = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        for number, value in enumerate((*ends, chance.randint(*ends))):
            yield f"{name}.{number}", name, value
    for number, value in enumerate((0.0, -1.5, 3.0e38, math.inf, math.nan)):
        yield f"float32.{number}", "float32", value
        yield f"float64.{number}", "float64", value
    yield from ((f"bool.{value}", "bool", value) for value in (True, False))
    for number, text in enumerate(("plain", "grüße 你好 🙂", "line\nline\0null", "x" * 70_000)):
        yield f"string.{number}", "string", text
    for length in (1, 3, 256, 257, 5000):
        yield f"ints.{length}", "array", [chance.randint(-(2**31), 2**31 - 1) for _ in range(length)]
        yield f"floats.{length}", "array", [chance.random() for _ in range(length)]
        yield f"bools.{length}", "array", [chance.random() < 0.5 for _ in range(length)]
        yield f"strings.{length}", "array", [f"text {number}" for number in range(length)]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("version", [2, 3])
def test_every_type_in_both_byte_orders_and_versions(tmp_path, order, version):
    entries = list(every_type(random.Random(version)))
    path = written(tmp_path / "types.gguf", order, version, "llama", entries)
    # And the architecture, which the package adds.
    assert assert_agreement(path) == len(entries) + 1


def keys_of(architecture: str, chance: random.Random):
    """All keys that the package knows for an architecture, with values of a likely type."""
    groups = [vars(group) for name, group in vars(gguf.Keys).items() if isinstance(group, type)]
    texts = {
        text.replace("{arch}", architecture) for group in groups for text in group.values() if isinstance(text, str)
    }
    for name in sorted(text for text in texts if "." in text and "{" not in text and text != "general.architecture"):
        if name == "general.alignment":
            yield name, "uint32", 32
            continue
        kind = chance.choice(("uint32", "uint32", "int32", "uint64", "float32", "bool", "string", "array"))
        values = {"float32": chance.random(), "bool": True, "string": name, "array": [1, 2, 3, 4]}
        yield name, kind, values.get(kind, chance.randrange(2**31))


@pytest.mark.parametrize("architecture", sorted(gguf.MODEL_ARCH_NAMES.values()))
def test_the_keys_of_every_architecture(tmp_path, architecture):
    chance = random.Random(architecture)
    path = written(
        tmp_path / "keys.gguf",
        chance.choice(ORDERS),
        chance.choice((2, 3)),
        architecture,
        keys_of(architecture, chance),
    )
    assert assert_agreement(path) > 100


def test_a_long_vocabulary_a_hundred_times_faster_in_little_memory(tmp_path):
    path = long_vocabulary(tmp_path / "large.gguf")
    assert_agreement(path)
    ours_s, ours_bytes = peak_of_ours(path)
    theirs_s, _theirs_bytes = peak_of_the_package(path)
    assert theirs_s >= 100 * ours_s
    assert ours_bytes <= 20 * 2**20
