"""The chat's part of `make bench`: an answer of 100 kB, as it comes and at once."""

from __future__ import annotations

import asyncio
import gc

from PySide6.QtWidgets import QApplication, QWidget

from gglib_desktop.domain.traffic.chat import AnswerEnd, AnswerText, ChatPiece
from gglib_desktop.qt_loop import QtEventLoop
from gglib_desktop.tasks import LogReporter, TaskScope
from tests.bench_figures import Figures
from tests.bench_library import Stalls
from tests.ui.servers.chat.bench import Bench

LINE = "the weather there is rather wet, so the others gather in the theatre.\n"
LINES = 100_000 // len(LINE)
PIECE_S = 0.002


async def answer(figures: Figures, how: str, pieces: list[ChatPiece | float]) -> None:
    async with TaskScope(LogReporter()) as scope:
        top = QWidget()
        bench = Bench(scope, top)
        await asyncio.sleep(0.5)
        stalls = Stalls(figures, "chat")
        watching = scope.start(stalls.watch(), name="watch")
        await bench.said(*pieces, AnswerEnd.COMPLETE)
        stalls.report(f"with an answer of 100 kB {how}")
        watching.cancel()
        top.hide()


async def measure(figures: Figures) -> None:
    piecemeal: list[ChatPiece | float] = [each for _ in range(LINES) for each in (AnswerText(LINE), PIECE_S)]
    await answer(figures, "that comes in pieces", piecemeal)
    await answer(figures, "that comes at once", [AnswerText(LINE * LINES)])


def chat_figures() -> list[str]:
    """Prints them all. The lines of those that miss their limit."""
    figures = Figures()
    app = QApplication(["bench"])
    app.setQuitOnLastWindowClosed(False)
    # As in the program, where garbage.py collects.
    gc.disable()
    with asyncio.Runner(loop_factory=lambda: QtEventLoop(app)) as runner:
        runner.run(measure(figures))
    return figures.missed
