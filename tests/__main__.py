"""`make test`: all tests, in two processes side by side.

One half mostly computes, the other mostly waits for servers, programs and windows to start and to end.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMPUTING = ("tests/unit", "tests/ui", "tests/integration/test_chaos.py")
# Whatever is added belongs to the second until it is named above.
HALVES = {"computing": COMPUTING, "waiting": tuple(f"--ignore={place}" for place in COMPUTING)}


class Half:
    """One pytest, and all that it says: its progress as it comes, its report in one piece."""

    _speaks = threading.Lock()

    def __init__(self, name: str, words: tuple[str, ...]) -> None:
        self._name = f"{name:10}".encode()
        self._process = subprocess.Popen(
            (sys.executable, "-m", "pytest", "-q", "--cov", "--cov-report=", *words),
            cwd=ROOT,
            env={**os.environ, "COVERAGE_FILE": f".coverage.{name}"},
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
        sys.stdout.buffer.write(self._name + line)
        sys.stdout.buffer.flush()

    def status(self) -> int:
        """Waits for its end. 0 when all went well."""
        self._listening.join()
        return abs(self._process.wait())


def main() -> int:
    # A terminal interrupts the halves too, which then tell what they have seen so far.
    signal.signal(signal.SIGINT, lambda *_: None)
    halves = [Half(name, words) for name, words in HALVES.items()]
    return max([half.status() for half in halves])


if __name__ == "__main__":
    sys.exit(main())
