"""Orders from the system to end, and the end itself when the event loop cannot bring it about."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable

EXIT_HUNG = 70
_ORDERS = (signal.SIGINT, signal.SIGTERM)
# What ``begin`` writes where the interpreter writes the numbers of signals.
_BEGUN = 0


class ShutdownWatch:
    """Hears the system's orders to end, and ends the program by force when that takes longer than ``limit_s``.

    It is a thread: a task would hang with the loop, and so would a signal's Python handler, which waits until the
    main thread is back in the interpreter. Only code that never lets the interpreter go can hold this up.
    """

    def __init__(self, on_order: Callable[[], object], limit_s: Callable[[], float]) -> None:
        """``on_order`` and ``limit_s``, asked once the end begins, are called in the thread."""
        self._on_order = on_order
        self._limit_s = limit_s
        self._heard, self._said = socket.socketpair()
        self._said.setblocking(False)

    def start(self) -> None:
        """From now on orders are heard. In the main thread, once, and until the program has ended."""
        for number in _ORDERS:
            # Without a handler in Python the interpreter would not write the number down.
            signal.signal(number, lambda _number, _frame: None)
            if sys.platform != "win32":
                signal.siginterrupt(number, False)
        signal.set_wakeup_fd(self._said.fileno(), warn_on_full_buffer=False)
        threading.Thread(target=self._watch, name="shutdown", daemon=True).start()

    def begin(self) -> None:
        """The program ends now, by its own decision."""
        self._said.send(bytes((_BEGUN,)))

    def _watch(self) -> None:
        while (word := self._heard.recv(1)[0]) not in (_BEGUN, *_ORDERS):
            pass
        if word != _BEGUN:
            self._on_order()
        time.sleep(self._limit_s())
        # Not through logging, whose locks the hanging thread may hold. What runs is known by its records.
        os._exit(EXIT_HUNG)
