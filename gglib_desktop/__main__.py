"""Starts the program: arguments, QApplication, the event loop, then bootstrap."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    from gglib_desktop.bootstrap import Options


def main() -> int:
    """Runs the program until it quits. Returns its exit status."""
    # garbage.py collects, in this thread; and while modules are loaded it would cost a twentieth of the start.
    gc.disable()
    import asyncio

    from gglib_desktop import bootstrap
    from gglib_desktop.qt_loop import QtEventLoop

    options = _options(sys.argv[1:])
    bootstrap.start_logging(options)
    if options.stop_servers:
        return bootstrap.stop_servers(options)
    if bootstrap.handed_over(options):
        return 0
    # The program's name is what desktops match windows and menu entries by.
    app = QApplication(["gglib-desktop"])
    app.setQuitOnLastWindowClosed(False)
    with asyncio.Runner(loop_factory=lambda: QtEventLoop(app)) as runner:
        return runner.run(bootstrap.run(app, options))


def _options(words: list[str]) -> Options:
    from gglib_desktop.bootstrap import Options

    if not words:
        return Options()
    import argparse

    from gglib_desktop import __version__
    from gglib_desktop.windowless import STOP_SERVERS

    parser = argparse.ArgumentParser(
        prog="gglib-desktop", description="The desktop control room for local LLM servers."
    )
    parser.add_argument("models", nargs="*", type=Path, metavar="FILE", help="GGUF files or folders to add")
    parser.add_argument("--runner", choices=["local", "mock"], default="local", help="mock simulates servers")
    parser.add_argument("--debug", action="store_true", help="log everything, to the console too")
    # Only the program itself says this, when it has lost its window.
    parser.add_argument(STOP_SERVERS, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--version", action="version", version=f"GGLib Desktop {__version__}")
    arguments = parser.parse_args(words)
    return Options(
        models=tuple(arguments.models),
        runner=arguments.runner,
        debug=arguments.debug,
        stop_servers=arguments.stop_servers,
    )


if __name__ == "__main__":
    sys.exit(main())
