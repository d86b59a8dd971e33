"""The program under test as the harness holds it: started, ordered, looked at, and killed."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.chaos.views import AppView

_ANSWER_S = 15.0
_START_S = 30.0
_QUIT_S = 20.0
# What an orderly program does not write to its standard error.
_TROUBLE = ("Traceback", "was destroyed but it is pending", "never awaited", "never retrieved", "ResourceWarning")


class NoAnswerError(Exception):
    """The program hangs or has died."""


class AppProcess:
    """One program after the other, over one data directory."""

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self._command = command
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=dict(self._environment)
            )
        self._rest = b""
        self._answer(_START_S)

    def ask(self, do: str, **words: object) -> Any:
        """Gives a command and returns the answer. Raises: NoAnswerError."""
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **words}).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as exc:
            raise NoAnswerError(f"it died before it could be told to {do}") from exc
        return self._answer(_ANSWER_S)

    def view(self) -> AppView:
        return AppView.from_mapping(self.ask("view"))

    def quit(self, *, stop: bool) -> int:
        """Ends it as its user would and returns the exit status. Raises: NoAnswerError when it does not end."""
        self.ask("quit", stop=stop)
        assert self._process is not None
        try:
            status = self._process.wait(_QUIT_S)
        except subprocess.TimeoutExpired as exc:
            raise NoAnswerError(f"it did not quit within {_QUIT_S:g} s") from exc
        self._forget()
        return status

    def kill(self) -> None:
        """SIGKILL, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_QUIT_S)
            self._forget()

    def abort(self) -> None:
        """Makes it write where it stands, for a hang, and ends it."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGABRT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
        self.kill()

    def troubles(self) -> list[str]:
        """Lines on its standard error that tell of bugs."""
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return [line for line in lines if any(word in line for word in _TROUBLE)]

    def _forget(self) -> None:
        assert self._process is not None
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # a command that it did not live to read
                    pipe.close()
        self._process = None

    def _answer(self, timeout_s: float) -> Any:
        assert self._process is not None
        assert self._process.stdout is not None
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._rest:
            readable, _, _ = select.select([self._process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(self._process.stdout.fileno(), 65536) if readable else b""
            if not data:
                what = "it died" if readable else f"no answer within {timeout_s:g} s"
                raise NoAnswerError(f"{what}; see {self._log}")
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        return json.loads(line)["answer"]
