"""Runs a program with one flag, and says why it gave no answer."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shlex
import signal
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeVar

from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.servers.failures import ServerExit

T = TypeVar("T")
# Libraries of gigabytes on a slow disk, or a container that starts first, take their time.
PATIENCE_S = 60.0
_FIRST_PAUSE_S, _MOST_PAUSE_S = 0.002, 0.05
_MOST_BYTES = 2**20
# A program that prints endlessly must not fill the disk.
_MOST_PRINTED_BYTES = 64 * 2**20
_ADVICE = {
    errno.ENOENT: "; the interpreter or loader that it names is missing",
    errno.ENOEXEC: "; it is no program, or one for another kind of computer",
}


@dataclass(frozen=True)
class Answer:
    """What a program printed, on either stream, and how it ended."""

    output: str
    end: ServerExit


@dataclass
class CallOff:
    """What the loop and the thread that asks tell each other."""

    wanted: threading.Event = field(default_factory=threading.Event)
    program_runs: bool = False


async def in_thread(work: Callable[[CallOff], T]) -> T:
    """Runs what asks programs, in a thread. When it is canceled, it ends after the program that is being asked."""
    call_off = CallOff()
    working = asyncio.get_running_loop().run_in_executor(None, work, call_off)
    try:
        return await asyncio.shield(working)
    finally:
        call_off.wanted.set()
        # A thread that waits for a dead disk is left behind.
        while call_off.program_runs and not working.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({working})
        working.cancel()


def ask(
    command: Sequence[str],
    flag: str,
    environment: Mapping[str, str],
    *,
    patience_s: float = PATIENCE_S,
    call_off: CallOff,
) -> Answer:
    """Runs ``command`` with ``flag`` to its end, and ends what it leaves behind. Blocks.

    Raises: ConfigurationError if it cannot be run, does not end in time or prints endlessly, or is called off.
    """
    # Said before the look at ``wanted``: a call-off either prevents the program or waits for its end.
    call_off.program_runs = True
    try:
        if call_off.wanted.is_set():
            raise unusable(Path(command[0]), "this program was not asked")
        return _ask(command, flag, environment, patience_s, call_off.wanted)
    finally:
        call_off.program_runs = False


def last_words(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    use: Callable[[Callable[[], bool]], object],
    *,
    call_off: CallOff,
) -> Answer | None:
    """Runs a program that serves for as long as ``use`` takes; None if it then still lives. Blocks.

    ``use`` gets what tells whether it has ended. The program runs in ``folder``, and is ended with all it started.
    Raises: ConfigurationError if it cannot be run.
    """
    call_off.program_runs = True
    try:
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=folder,
                start_new_session=True,
            )
            try:
                use(lambda: call_off.wanted.is_set() or _has_ended(process))
                has_died = _has_ended(process)
            finally:
                status = _end_with_helpers(process)
            return Answer(_read(output), ServerExit(status)) if has_died else None
    except OSError as exc:
        raise unusable(Path(command[0]), f"this program cannot be run: {exc.strerror}") from exc
    finally:
        call_off.program_runs = False


def _ask(
    command: Sequence[str], flag: str, environment: Mapping[str, str], patience_s: float, called_off: threading.Event
) -> Answer:
    path = Path(command[0])
    # A file, as a pipe would stay open for as long as a helper of a wrapper keeps it.
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                (*command, flag),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        except OSError as exc:
            advice = _ADVICE.get(exc.errno or 0, "")
            raise unusable(path, f"this program cannot be run: {exc.strerror}{advice}") from exc
        try:
            ended = _ends_within(process, output, patience_s, called_off)
        finally:
            status = _end_with_helpers(process)
        if _prints_too_much(output):
            raise unusable(path, f"asked for {flag}, this program prints without end")
        if not ended:
            raise unusable(path, f"this program does not answer {flag} within {patience_s:g} s")
        return Answer(_read(output), ServerExit(status))


def _ends_within(
    process: subprocess.Popen[bytes], output: IO[bytes], patience_s: float, called_off: threading.Event
) -> bool:
    until, pause_s = time.monotonic() + patience_s, _FIRST_PAUSE_S
    while not _has_ended(process):
        if time.monotonic() > until or _prints_too_much(output) or called_off.wait(pause_s):
            return False
        pause_s = min(2 * pause_s, _MOST_PAUSE_S)
    return True


def _prints_too_much(output: IO[bytes]) -> bool:
    return os.fstat(output.fileno()).st_size > _MOST_PRINTED_BYTES


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    if not hasattr(os, "waitid"):
        return process.poll() is not None
    # Not reaped yet, so that no other process can have its group.
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end_with_helpers(process: subprocess.Popen[bytes]) -> int:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def _read(output: IO[bytes]) -> str:
    output.seek(0)
    return output.read(_MOST_BYTES).decode(errors="replace")


def program_key(path: Path, name: str) -> tuple[str, int, int]:
    """The identity of a program's present file. Raises: ConfigurationError if it is not a program, called ``name``."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise unusable(path, "there is no such file") from exc
    except OSError as exc:
        raise unusable(path, f"this file cannot be looked at: {exc.strerror}") from exc
    except ValueError as exc:  # a zero byte
        raise unusable(path, f"no file can have this name: {exc}") from exc
    if stat.S_ISDIR(status.st_mode):
        raise unusable(path, f"this is a folder, not the {name} program in it")
    if not stat.S_ISREG(status.st_mode):
        raise unusable(path, "this is a device or a pipe, not a program")
    check_executable(path, status)
    return str(path), status.st_size, status.st_mtime_ns


def check_executable(path: Path, status: os.stat_result) -> None:
    """Raises: ConfigurationError for a file that may not be run."""
    if not os.access(path, os.X_OK):
        no_programs = getattr(os, "ST_NOEXEC", 0)
        allows_programs = not (no_programs and os.statvfs(path).f_flag & no_programs)
        reason = why_not_executable(path, status.st_mode, allows_programs=allows_programs)
        raise unusable(path, f"this file is not executable; {reason}")


def why_not_executable(path: Path, mode: int, *, allows_programs: bool) -> str:
    """Why a file with this mode may not be run, on a file system that allows programs or none."""
    if not allows_programs:
        return "its file system runs no programs (noexec), so copy it to another folder"
    if mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH):
        return "you are not allowed to run it; its owner can change that"
    return f"if it is llama-server, run: chmod +x {shlex.quote(str(path))}"


def unusable(path: Path, reason: str) -> ConfigurationError:
    """The error for a program that is no engine, or one that cannot be used here."""
    return ConfigurationError("engine", str(path), reason)
