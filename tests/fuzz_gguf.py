"""A fuzz target for the header reader: ``python -m tests.fuzz_gguf --count 100000 --seed 1``.

Valid headers are damaged in all the ways that go wrong in files; whatever comes out must be a header or a typed error,
within a second of processor time and 20 MiB.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import struct
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gglib_desktop.adapters.gguf.header import SCALAR_FORMATS, check_tensor_data, read_header
from gglib_desktop.adapters.gguf.writer import GgufWriter
from gglib_desktop.domain.errors import InvalidModelFile
from gglib_desktop.domain.gguf.header import ByteOrder, GgufValueType, facts_from_header

MOST_S = 1.0
MOST_BYTES = 20 * 2**20
LARGEST_FILE_BYTES = 300 * 2**20
_LENGTHS = (0, 1, 2, 7, 255, 256, 257, 65_535, 2**20, 2**28, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**64 - 1)
_SLOWER = 1 if sys.gettrace() is None else 10


def valid_header(order: ByteOrder, version: int) -> bytes:
    """Every type of value, alone and in arrays, and the keys that facts are made of."""
    writer = GgufWriter(byte_order=order, version=version)
    texts = {"architecture": "llama", "name": "Fuzz", "type": "model", "license": "mit", "size_label": "7B"}
    for key, text in texts.items():
        writer.add(f"general.{key}", GgufValueType.STRING, text)
    writer.add("general.file_type", GgufValueType.UINT32, 15)
    for key in ("block_count", "context_length", "expert_count", "nextn_predict_layers", "embedding_length"):
        writer.add(f"llama.{key}", GgufValueType.UINT32, 4)
    writer.add_array("llama.attention.head_count", GgufValueType.INT32, [8, 8, 4, 4])
    for kind in SCALAR_FORMATS:
        writer.add(f"fuzz.{kind.name}", kind, 1)
        writer.add_array(f"fuzz.{kind.name}s", kind, [0, 1, 1])
    writer.add_array("tokenizer.ggml.tokens", GgufValueType.STRING, [f"token {number}" for number in range(300)])
    writer.add("tokenizer.chat_template", GgufValueType.STRING, "{% if tools %}<think>{% endif %}" * 4)
    writer.add_tensor("token_embd.weight", (4, 3), [bytes(48)])
    writer.add_tensor("blk.0.attn_q.weight", (8,), [bytes(32)])
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


@dataclass
class Fuzzer:
    """Damages one header after the other and keeps count."""

    chance: random.Random
    folder: Path
    # Of processor time for one header, which a busy machine may still make longer.
    most_s: float = MOST_S
    outcomes: Counter[str] = field(default_factory=Counter)
    worst_s: float = 0.0
    worst_bytes: int = 0
    failures: list[str] = field(default_factory=list)

    def run(self, count: int) -> None:
        orders: Sequence[ByteOrder] = ("little", "big")
        valid = [valid_header(order, version) for order in orders for version in (2, 3)]
        path = self.folder / "fuzz.gguf"
        tracemalloc.start()
        for number in range(count):
            data = bytearray(self.chance.choice(valid))
            for _damage in range(self.chance.choice((1, 1, 1, 2, 3, 8))):
                self.chance.choice(_DAMAGES)(self.chance, data)
            path.write_bytes(data)
            if self.chance.random() < 0.05:
                # Room for lengths that would be refused in a file of this size.
                os.truncate(path, self.chance.randrange(len(data), LARGEST_FILE_BYTES))
            self._read(path, f"mutation {number}")
        tracemalloc.stop()

    def _read(self, path: Path, what: str) -> None:
        tracemalloc.reset_peak()
        before, _peak = tracemalloc.get_traced_memory()
        began = time.thread_time()
        try:
            header = read_header(path)
            facts_from_header(header, file_name=path.name, file_size_bytes=path.stat().st_size)
            check_tensor_data(path, header)
            self.outcomes["read"] += 1
        except InvalidModelFile:
            self.outcomes["refused"] += 1
        except Exception as exc:  # noqa: BLE001  # any other is what is looked for
            self.failures.append(f"{what}: {exc!r}")
        took_s = time.thread_time() - began
        used_bytes = tracemalloc.get_traced_memory()[1] - before
        if took_s > self.most_s * _SLOWER or used_bytes > MOST_BYTES:
            self.failures.append(f"{what}: {took_s:.2f} s, {used_bytes / 2**20:.1f} MiB")
        self.worst_s, self.worst_bytes = max(self.worst_s, took_s), max(self.worst_bytes, used_bytes)


def _flip(chance: random.Random, data: bytearray) -> None:
    for _byte in range(chance.randint(1, 4)):
        data[chance.randrange(len(data))] = chance.randrange(256)


def _cut(chance: random.Random, data: bytearray) -> None:
    del data[max(8, chance.randrange(len(data))) :]


def _remove(chance: random.Random, data: bytearray) -> None:
    at = chance.randrange(len(data))
    del data[at : min(at + chance.randint(1, 64), max(at, len(data) - 8))]


def _repeat(chance: random.Random, data: bytearray) -> None:
    at = chance.randrange(len(data))
    data[at:at] = data[at : at + chance.randint(1, 400)] * chance.choice((1, 1, 2, 50))


def _noise(chance: random.Random, data: bytearray) -> None:
    at = chance.randrange(len(data))
    data[at : at + chance.randint(0, 32)] = chance.randbytes(chance.randint(1, 64))


def _length(chance: random.Random, data: bytearray) -> None:
    """A count or a length that is not to be believed."""
    at = chance.choice((8, 16, chance.randrange(len(data)), chance.randrange(len(data))))
    data[at : at + 8] = struct.pack(chance.choice("<>") + "Q", chance.choice(_LENGTHS))


def _type(chance: random.Random, data: bytearray) -> None:
    """Another type of value, arrays of arrays among them."""
    at = chance.randrange(len(data))
    data[at : at + 4] = struct.pack(chance.choice("<>") + "I", chance.choice((*range(14), 2**31)))


_DAMAGES: Sequence[Callable[[random.Random, bytearray], None]] = (
    *(_flip, _flip, _cut, _remove, _repeat, _noise),
    *(_length, _length, _length, _type),
)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gglib-fuzz-") as folder:
        fuzzer = Fuzzer(random.Random(arguments.seed), Path(folder))
        fuzzer.run(arguments.count)
    for failure in fuzzer.failures[:20]:
        print(failure)
    outcomes = " ".join(f"{name}={count}" for name, count in sorted(fuzzer.outcomes.items()))
    print(
        f"fuzz_gguf: seed={arguments.seed} {outcomes} failed={len(fuzzer.failures)}"
        f" worst={fuzzer.worst_s:.2f}s {fuzzer.worst_bytes / 2**20:.1f}MiB"
    )
    return 1 if fuzzer.failures else 0


if __name__ == "__main__":
    sys.exit(main())
