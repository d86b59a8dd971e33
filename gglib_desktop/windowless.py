"""The end of a program that has lost its window: servers are stopped as decided, although nothing can be shown.

Qt ends a program whose X server or Wayland compositor goes away, partly with ``_exit``. This is how many sessions end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QMessageLogContext, QtMsgType, qFormatLogMessage, qInstallMessageHandler

from gglib_desktop.adapters.documents.toml_settings import TomlSettingsStore
from gglib_desktop.adapters.machine.shutdown import ShutdownWatch, go_on_as
from gglib_desktop.domain.documents.settings import OnQuit
from gglib_desktop.domain.errors import GglibError, ProcessError
from gglib_desktop.ports.machine.key_store import KeyStore
from gglib_desktop.runners import runner_and_catalog
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper

_log = logging.getLogger(__name__)
EXIT_WITHOUT_WINDOW = 71
# In "The X11 connection broke (error 1). Did the X11 server die?" and two similar Wayland texts; Qt translates none.
_LOST = "connection broke"


class WindowLoss:
    """Follows the decision about servers if Qt ends the program."""

    def __init__(self, decision: Callable[[], OnQuit], to_stop: Sequence[str]) -> None:
        """``decision`` is asked when that happens. ``to_stop``: the arguments with which the program stops servers."""
        self._decision = decision
        self._to_stop = to_stop

    def watch(self, app: QCoreApplication) -> None:
        # With Wayland, and in some versions with X11, none of our code runs after this message.
        qInstallMessageHandler(self._on_message)
        app.aboutToQuit.connect(self._on_lost)
        self._app = app

    def close(self) -> None:
        """The program ends by its own decision, which ends Qt's loop too."""
        qInstallMessageHandler(None)
        self._app.aboutToQuit.disconnect(self._on_lost)

    def _on_message(self, kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        with contextlib.suppress(OSError, ValueError, AttributeError):  # the terminal may be gone, or there was none
            sys.stderr.write(f"{qFormatLogMessage(kind, context, message)}\n")
        if _LOST in message:
            self._on_lost()

    def _on_lost(self) -> None:
        decision = self._decision()
        _log.warning("the window is lost; servers: %s", decision)
        if decision is OnQuit.LEAVE_RUNNING:
            os._exit(EXIT_WITHOUT_WINDOW)
        program = (sys.executable,) if getattr(sys, "frozen", False) else (sys.executable, "-m", __package__)
        go_on_as((*program, *self._to_stop))


async def stop_servers(
    kind: str, data_dir: Path, settings_file: Path, keys: Callable[[], KeyStore], margin_s: float
) -> int:
    """Stops all servers of ``data_dir`` on this computer, and returns the exit status.

    Takes at most ``margin_s`` beyond the grace.
    """
    settings = SettingsKeeper(TomlSettingsStore(settings_file))
    limit = ShutdownWatch(lambda: None, lambda: settings.current.stop_grace_s + margin_s)
    limit.start()
    limit.begin()
    opened, _catalog = runner_and_catalog(kind, data_dir, settings, keys)
    try:
        async with opened as runner:
            running, current = await runner.list_running(), settings.current
            handles = [each for each in running if current.stops_servers_at(each.place, OnQuit.STOP_ALL)]
            _log.info("stopping without a window: %s", [(h.model_name, h.pid, h.port) for h in handles])
            results = await asyncio.gather(*map(runner.stop, handles), return_exceptions=True)
    except GglibError as exc:
        _log.warning("no servers were stopped: %s", exc)
        return 1
    for error in results:
        if isinstance(error, ProcessError):
            _log.warning("%s", error)
        elif isinstance(error, BaseException):
            raise error
    return int(any(results))
