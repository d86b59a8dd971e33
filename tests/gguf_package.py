"""Our header reader beside the ``gguf`` package of llama.cpp: each in a process of its own, time and memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from gglib_desktop.adapters.gguf.writer import GgufWriter
from gglib_desktop.domain.gguf.header import GgufValueType

TOKENS = 150_000

_MEASURE = """
import resource, sys, time
from pathlib import Path
{load}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
times = []
for _round in range({rounds}):
    began = time.process_time()
    {read}
    times.append(time.process_time() - began)
print(min(times), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def long_vocabulary(path: Path) -> Path:
    """A header as large models have it: tokens, their scores and types, and merges."""
    writer = GgufWriter()
    writer.add("general.architecture", GgufValueType.STRING, "llama")
    writer.add_array("tokenizer.ggml.tokens", GgufValueType.STRING, [f"token-{number}" for number in range(TOKENS)])
    writer.add_array("tokenizer.ggml.scores", GgufValueType.FLOAT32, [float(number) for number in range(TOKENS)])
    writer.add_array("tokenizer.ggml.token_type", GgufValueType.INT32, [1] * TOKENS)
    writer.add_array("tokenizer.ggml.merges", GgufValueType.STRING, [f"tok en{number}" for number in range(TOKENS)])
    writer.add("llama.block_count", GgufValueType.UINT32, 32)
    with path.open("wb") as file:
        writer.write(file)
    return path


def peak_of_ours(path: Path) -> tuple[float, int]:
    """Seconds of processor time, and bytes beyond what the process had before."""
    load = "from gglib_desktop.adapters.gguf.header import read_header"
    return _measured(path, load, "read_header(Path(sys.argv[1]))", 5)


def peak_of_the_package(path: Path) -> tuple[float, int]:
    """The same of the package. Raises: CalledProcessError when it is not installed."""
    return _measured(path, "from gguf import GGUFReader", "GGUFReader(sys.argv[1])", 1)


def _measured(path: Path, load: str, read: str, rounds: int) -> tuple[float, int]:
    code = _MEASURE.format(load=load, read=read, rounds=rounds)
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    seconds, size = done.stdout.split()
    return float(seconds), int(size)
