"""`make test`: all tests, in several processes side by side. `make test-places` likewise: those of other places.

Some of them mostly compute, the others mostly wait for servers, programs and windows to start and to end. No test looks
at the clock, so there may be more of them than processors.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from tests.places import GATHERED, gathered_table

ROOT = Path(__file__).parents[1]
# Its tests alone cover domain/, which is all that is counted: counting makes every line slower.
COUNTED = "domain"
# They wait for container engines, and for other computers.
PLACED = ("test_containers.py", "test_several_places.py", "test_machines.py")
NAMED = {
    COUNTED: ("tests/unit/domain",),
    "unit": ("tests/unit", "--ignore=tests/unit/domain"),
    "ui": ("tests/ui",),
    "runners": ("tests/contract/test_process_runner.py", "-k", "not podman and not docker and not ssh"),
    "contract": (
        "tests/contract",
        *(f"--ignore=tests/contract/{name}" for name in ("test_process_runner.py", *PLACED)),
        "-k",
        "not podman and not docker and not ssh",
    ),
    # The whole contract over containers takes minutes: `make test-places`.
    "containers": tuple(f"tests/contract/{name}" for name in PLACED),
    "endings": ("tests/integration/test_ending.py", "tests/integration/test_chaos.py"),
    "programs": ("tests/e2e",),
}
# What is added belongs to the last until it is named above.
OTHERS = tuple(f"--ignore={word}" for words in NAMED.values() for word in words if word.startswith("tests/"))
PARTS = {**NAMED, "servers": OTHERS}
# The whole contract over the places that are installed for it.
ELSEWHERE = {
    "containers": ("tests/contract", "-k", "podman or docker or test_containers"),
    "ssh": ("tests/contract", "-k", "ssh"),
}
# Programs are started by the hundred: without their compiled modules each compiles all that it imports.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class Part:
    """One pytest, and all that it says: its progress as it comes, its report in one piece."""

    _speaks = threading.Lock()

    def __init__(self, name: str, words: tuple[str, ...]) -> None:
        counting = ("--cov", "--cov-report=") if name == COUNTED else ()
        self._name = f"{name:10}".encode()
        self.failed: list[str] = []
        self._process = subprocess.Popen(
            (sys.executable, "-m", "pytest", "-q", *counting, *words),
            cwd=ROOT,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._listening = threading.Thread(target=self._pass_on)
        self._listening.start()

    def _pass_on(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._speaks:
                self._say(line)
                if line.startswith(b"==="):
                    for more in self._process.stdout:
                        self._say(more)

    def _say(self, line: bytes) -> None:
        if line.startswith((b"FAILED ", b"ERROR ")):
            self.failed.append(line.decode(errors="replace").strip())
        sys.stdout.buffer.write(self._name + line)
        sys.stdout.buffer.flush()

    def status(self) -> int:
        """Waits for its end. 0 when all went well."""
        self._listening.join()
        return abs(self._process.wait())


def main() -> int:
    # A terminal interrupts the parts too, which then tell what they have seen so far.
    signal.signal(signal.SIGINT, lambda *_: None)
    with tempfile.TemporaryDirectory() as folder:
        seen = Path(folder) / "places"
        ENVIRONMENT[GATHERED] = str(seen)
        chosen, more = (ELSEWHERE, sys.argv[2:]) if sys.argv[1:2] == ["places"] else (PARTS, [])
        parts = [Part(name, (*words, *more)) for name, words in chosen.items()]
        status = max([part.status() for part in parts])
        # Last, so that the end of a long output tells what to look for.
        failed = (line for part in parts for line in part.failed)
        sys.stdout.write("".join(f"{line}\n" for line in (*gathered_table(seen), *failed)))
    return status


if __name__ == "__main__":
    sys.exit(main())
