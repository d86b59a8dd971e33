"""The end of a process as an event of the loop, with no poll and no thread of ours for each.

Linux (pidfd) is run and tested. macOS (kqueue) and Windows (process handles) stand behind the same seam, not run.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import sys
from collections.abc import Callable

from gglib_desktop.domain.errors import NotRunning, RunnerUnavailable

if sys.platform == "win32":  # not run
    import ctypes
    from ctypes import wintypes

    _SYNCHRONIZE, _TERMINATE, _QUERY_LIMITED_INFORMATION = 0x100000, 0x0001, 0x1000
    _ERROR_INVALID_PARAMETER = 87  # OpenProcess's error for an unused pid
    _INFINITE, _WT_EXECUTEONLYONCE = 0xFFFFFFFF, 0x8
    _INVALID_HANDLE = wintypes.HANDLE(-1)
    _WaitCallback = ctypes.WINFUNCTYPE(None, wintypes.LPVOID, wintypes.BOOLEAN)
    _kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    _kernel32.OpenProcess.restype = wintypes.HANDLE
    _kernel32.OpenProcess.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
    _kernel32.CloseHandle.argtypes = (wintypes.HANDLE,)
    _kernel32.WaitForSingleObject.restype = wintypes.DWORD
    _kernel32.WaitForSingleObject.argtypes = (wintypes.HANDLE, wintypes.DWORD)
    _kernel32.GetExitCodeProcess.argtypes = (wintypes.HANDLE, wintypes.LPDWORD)
    _kernel32.TerminateProcess.argtypes = (wintypes.HANDLE, wintypes.UINT)
    _kernel32.RegisterWaitForSingleObject.argtypes = (
        wintypes.LPHANDLE,
        wintypes.HANDLE,
        _WaitCallback,
        wintypes.LPVOID,
        wintypes.ULONG,
        wintypes.ULONG,
    )
    _kernel32.UnregisterWaitEx.argtypes = (wintypes.HANDLE, wintypes.HANDLE)

    class ExitWatch:
        """Calls back on the running loop when a process has ended. The system's thread pool waits for many at once.

        Raises: NotRunning when it is gone, RunnerUnavailable when the system cannot watch it.
        """

        def __init__(self, pid: int, on_exit: Callable[[], None]) -> None:
            self._loop = asyncio.get_running_loop()
            self._on_exit = on_exit
            self._handle = _kernel32.OpenProcess(_SYNCHRONIZE | _TERMINATE | _QUERY_LIMITED_INFORMATION, False, pid)
            if not self._handle:
                error = ctypes.get_last_error()
                if error == _ERROR_INVALID_PARAMETER:
                    raise NotRunning(f"process {pid} is gone")
                raise RunnerUnavailable(f"cannot watch process {pid}: {ctypes.FormatError(error)}")
            self._wait = wintypes.HANDLE()
            # Kept, for the system calls it later.
            self._callback = _WaitCallback(self._on_signalled)
            if not _kernel32.RegisterWaitForSingleObject(
                ctypes.byref(self._wait), self._handle, self._callback, None, _INFINITE, _WT_EXECUTEONLYONCE
            ):
                error = ctypes.get_last_error()
                _kernel32.CloseHandle(self._handle)
                raise RunnerUnavailable(f"cannot watch process {pid}: {ctypes.FormatError(error)}")
            self._open = True

        def has_ended(self) -> bool:
            return self._open and _kernel32.WaitForSingleObject(self._handle, 0) == 0

        def exit_status(self) -> int | None:
            """Of any process that has ended; to be asked before ``close``."""
            code = wintypes.DWORD()
            told = self._open and _kernel32.GetExitCodeProcess(self._handle, ctypes.byref(code))
            return code.value if told else None

        def signal(self, _number: signal.Signals) -> None:
            """Ends the process, the only thing that Windows can do to one without a console of its own."""
            _kernel32.TerminateProcess(self._handle, 1)

        def close(self) -> None:
            if self._open:
                self._open = False
                # Waits until no callback runs any more; one only posts to the loop, so that is soon.
                _kernel32.UnregisterWaitEx(self._wait, _INVALID_HANDLE)
                _kernel32.CloseHandle(self._handle)

        def _on_signalled(self, _context: object, _timed_out: int) -> None:
            # On a thread of the system's. The loop may have ended by now.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._tell)

        def _tell(self) -> None:
            if self._open:
                self._on_exit()

else:

    class ExitWatch:
        """Calls back on the running loop when a process has ended with all its threads.

        Raises: NotRunning when it is gone, RunnerUnavailable when the system cannot watch it.
        """

        def __init__(self, pid: int, on_exit: Callable[[], None]) -> None:
            self._loop = asyncio.get_running_loop()
            self._pid = pid
            try:
                if sys.platform.startswith("linux"):
                    self._fd = os.pidfd_open(pid)
                    self._close_fd: Callable[[], None] = lambda: os.close(self._fd)
                elif hasattr(select, "kqueue"):  # not run
                    queue = select.kqueue()
                    event = select.kevent(pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD, select.KQ_NOTE_EXIT)
                    queue.control([event], 0)
                    self._fd, self._close_fd = queue.fileno(), queue.close
                else:
                    raise RunnerUnavailable("servers on this computer are supported on Linux and macOS so far")
            except ProcessLookupError as exc:
                raise NotRunning(f"process {pid} is gone") from exc
            except OSError as exc:
                raise RunnerUnavailable(f"cannot watch process {pid}: {exc.strerror}") from exc
            self._poll = select.poll()
            self._poll.register(self._fd, select.POLLIN)
            try:
                self._loop.add_reader(self._fd, on_exit)
            except OSError as exc:
                self._close_fd()
                raise RunnerUnavailable(f"cannot watch process {pid}: {exc.strerror}") from exc
            self._open = True

        def has_ended(self) -> bool:
            return self._open and bool(self._poll.poll(0))

        def signal(self, number: signal.Signals) -> None:
            """Signals the process that is watched: on Linux no other can be meant, even when the pid is used again."""
            if sys.platform.startswith("linux"):
                signal.pidfd_send_signal(self._fd, number)
            else:  # not run
                os.kill(self._pid, number)

        def close(self) -> None:
            if self._open:
                self._open = False
                self._loop.remove_reader(self._fd)
                self._close_fd()
