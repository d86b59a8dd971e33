"""Reports a bug to the user, once, with a text to copy."""

from __future__ import annotations

import asyncio
import logging
import sys
import traceback
from types import TracebackType
from typing import Any

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QMessageBox, QWidget

_log = logging.getLogger(__name__)


class BugReporter:
    """Logs unexpected exceptions, and shows one dialog at a time for them."""

    def __init__(self) -> None:
        self.window: QWidget | None = None
        self._shown: QMessageBox | None = None

    def report(self, error: BaseException, context: str) -> None:
        _log.error("unexpected error in %s", context, exc_info=error)
        if self.window is None or self._shown is not None:
            return
        tr = QCoreApplication.translate
        box = QMessageBox(self.window)
        box.setObjectName("bugDialog")
        box.setIcon(QMessageBox.Icon.Critical)
        box.setWindowTitle(tr("BugReporter", "Unexpected error"))
        box.setText(tr("BugReporter", "Something went wrong that should not. Running servers are not affected."))
        box.setInformativeText(f"{type(error).__name__}: {error}")
        box.setDetailedText(f"{context}\n\n" + "".join(traceback.format_exception(error)))
        box.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.finished.connect(self._on_closed)
        self._shown = box
        box.open()

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Also reports exceptions in Qt's slots, and in tasks and callbacks without a caller."""

        def hook(_kind: type[BaseException], error: BaseException, _traceback: TracebackType | None) -> None:
            if self.window is None:
                # A dialog would be invisible before the window is there, or after it.
                traceback.print_exception(error)
            self.report(error, "a slot")

        sys.excepthook = hook
        loop.set_exception_handler(self._on_loop_error)

    def _on_loop_error(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception") or RuntimeError(context.get("message"))
        self.report(error, "the event loop")

    def _on_closed(self, _result: int) -> None:
        self._shown = None
