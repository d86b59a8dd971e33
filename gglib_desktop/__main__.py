"""Starts the program: arguments, QApplication, the event loop, then bootstrap."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication

from gglib_desktop import __version__, bootstrap
from gglib_desktop.qt_loop import QtEventLoop


def main() -> int:
    """Runs the program until it quits. Returns its exit status."""
    arguments = _parse(sys.argv[1:])
    options = bootstrap.Options(models=tuple(arguments.models), runner=arguments.runner, debug=arguments.debug)
    bootstrap.start_logging(options)
    if bootstrap.handed_over(options):
        return 0
    # The program's name is what desktops match windows and menu entries by.
    app = QApplication(["gglib-desktop"])
    app.setQuitOnLastWindowClosed(False)
    with asyncio.Runner(loop_factory=lambda: QtEventLoop(app)) as runner:
        return runner.run(bootstrap.run(app, options))


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="gglib-desktop", description="The desktop control room for local LLM servers."
    )
    parser.add_argument("models", nargs="*", type=Path, metavar="FILE", help="GGUF files or folders to add")
    parser.add_argument("--runner", choices=["local", "mock"], default="local", help="mock simulates servers")
    parser.add_argument("--debug", action="store_true", help="log everything, to the console too")
    parser.add_argument("--version", action="version", version=f"GGLib Desktop {__version__}")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
