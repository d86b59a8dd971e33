"""Starts the program: QApplication, the event loop, then bootstrap. What is said in a shell needs none of them."""

from __future__ import annotations

import gc
import sys

SUBCOMMANDS = frozenset({"advise", "list"})
"""Only as the first word: ``./list`` names a file."""
SWITCH_S = 0.001
"""For so long a thread that reads models keeps Python's lock. Each event of Qt asks for it several times, so Python's
own 5 ms add up to a stall that people notice.
"""


def main() -> int:
    """Runs the program until it quits, or what a subcommand says. Returns its exit status."""
    if not SUBCOMMANDS.isdisjoint(sys.argv[1:2]):
        from gglib_desktop import command_line

        return command_line.main(sys.argv[1:])
    # garbage.py collects, in this thread; and while modules are loaded it would cost a twentieth of the start.
    gc.disable()
    sys.setswitchinterval(SWITCH_S)
    import asyncio

    from gglib_desktop import startup

    options = startup.read_options(sys.argv[1:])
    startup.start_logging(options)
    if options.stop_servers:
        return startup.stop_servers(options)
    if startup.handed_over(options):
        return 0
    # Only now: it makes each later import slower.
    from PySide6.QtWidgets import QApplication

    from gglib_desktop import bootstrap
    from gglib_desktop.qt_loop import QtEventLoop

    # The program's name is what desktops match windows and menu entries by.
    app = QApplication(["gglib-desktop"])
    app.setQuitOnLastWindowClosed(False)
    with asyncio.Runner(loop_factory=lambda: QtEventLoop(app)) as runner:
        return runner.run(bootstrap.run(app, options))


if __name__ == "__main__":
    sys.exit(main())
