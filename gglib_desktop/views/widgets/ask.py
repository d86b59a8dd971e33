"""Waits for a dialog without a nested event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from PySide6.QtWidgets import QDialog, QWidget
from shiboken6 import isValid


async def ask(dialog: QDialog) -> int:
    """Opens a dialog and returns its result code. A cancelled task closes it; without its parent it is rejected.

    The dialog is deleted at the next turn of the event loop afterwards: read its content before the next ``await``.
    """
    if not isValid(dialog):
        return QDialog.DialogCode.Rejected.value
    answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def settle(result: int) -> None:
        if not answer.done():
            answer.set_result(result)

    def lose() -> None:
        settle(QDialog.DialogCode.Rejected.value)

    dialog.finished.connect(settle)
    # Its parent may go before the user answers.
    dialog.destroyed.connect(lose)
    dialog.open()
    try:
        return await answer
    finally:
        if isValid(dialog):
            if dialog.isVisible():
                dialog.reject()
            dialog.deleteLater()


async def if_there(widget: QWidget, work: Coroutine[Any, Any, None]) -> None:
    """Runs what a widget began, unless the widget is gone by the time of the first step."""
    if isValid(widget):
        await work
    else:
        work.close()
