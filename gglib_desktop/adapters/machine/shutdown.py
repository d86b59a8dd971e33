"""The system's orders to end, and a forced end if the event loop hangs."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn

EXIT_HUNG = 70
_ORDERS = (signal.SIGINT, signal.SIGTERM)
# Sent by a terminal that closes, and by Ctrl+Backslash.
_TERMINAL_ORDERS = tuple(getattr(signal, name) for name in ("SIGHUP", "SIGQUIT") if hasattr(signal, name))
# Written by ``begin`` where the interpreter writes the numbers of signals.
_BEGUN = 0


class ShutdownWatch:
    """Hears the system's orders to end, and ends the program by force if that takes longer than ``limit_s``.

    It is a thread: a task would hang with the loop, and so would a signal's Python handler, which waits until the
    main thread is back in the interpreter. Only code that never releases the interpreter can delay it.
    """

    def __init__(self, on_order: Callable[[], object], limit_s: Callable[[], float]) -> None:
        """``on_order`` and ``limit_s``, asked once the end begins, are called in the thread."""
        self._on_order = on_order
        self._limit_s = limit_s
        self._orders: tuple[signal.Signals, ...] = ()
        self._heard, self._said = socket.socketpair()
        self._said.setblocking(False)

    def start(self) -> None:
        """Begins to hear orders. Call it in the main thread, once; it lasts until the program has ended."""
        # nohup makes programs ignore the end of their terminal; a program under it must not hear it again.
        outliving = tuple(each for each in _TERMINAL_ORDERS if signal.getsignal(each) is signal.SIG_IGN)
        self._orders = tuple(each for each in (*_ORDERS, *_TERMINAL_ORDERS) if each not in outliving)
        for number in self._orders:
            # Without a Python handler the interpreter would not write the number.
            signal.signal(number, lambda _number, _frame: None)
            if sys.platform != "win32":
                signal.siginterrupt(number, False)
        signal.set_wakeup_fd(self._said.fileno(), warn_on_full_buffer=False)
        threading.Thread(target=self._watch, name="shutdown", daemon=True).start()

    def begin(self) -> None:
        """The program ends now, by its own decision."""
        self._said.send(bytes((_BEGUN,)))

    def _watch(self) -> None:
        while (word := self._heard.recv(1)[0]) not in (_BEGUN, *self._orders):
            pass
        if word != _BEGUN:
            self._on_order()
        time.sleep(self._limit_s())
        # Not through logging, whose locks the hanging thread may hold. Records tell which servers run.
        os._exit(EXIT_HUNG)


def go_on_as(program: tuple[str, ...]) -> NoReturn:
    """Replaces this process by ``program``, which ignores all orders to end. If that is impossible, ends the process.

    The children stay children, and the lock on the data directory is free.
    """
    if sys.platform != "win32":
        # Blocked signals stay blocked in the new program. Ignored ones would too, but only the main thread can do that.
        signal.pthread_sigmask(signal.SIG_BLOCK, (*_ORDERS, *_TERMINAL_ORDERS))
    try:
        os.execv(program[0], program)  # noqa: S606  # ourselves, again
    except OSError:
        os._exit(EXIT_HUNG)
