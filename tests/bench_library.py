"""The library's part of `make bench`, on 10,000 files."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QTableView

from gglib_desktop import bootstrap
from gglib_desktop.__main__ import SWITCH_S
from gglib_desktop.adapters.gguf.writer import GgufWriter
from gglib_desktop.domain.gguf.header import GgufValueType
from gglib_desktop.garbage import look_after_memory
from gglib_desktop.program_paths import Places
from gglib_desktop.qt_loop import QtEventLoop
from gglib_desktop.services.models.library import Library
from gglib_desktop.startup import Options
from gglib_desktop.tasks import LogReporter
from gglib_desktop.viewmodels.models.model_list import ModelListViewModel
from gglib_desktop.views.models.row_painter import RowPainter
from gglib_desktop.views.window.main_window import MainWindow
from tests.bench_figures import Figures, Stopwatch
from tests.gguf_package import TOKENS, long_vocabulary, peak_of_ours, peak_of_the_package

FILES = 10_000
FOLDERS = 500
ROUNDS = 9
TICK_S = 0.002
STALL_MS = 33
KEY_STROKE_MS = 16
TYPINGS = 5
SEARCHES = ("model 99", "q4_k", "folder 7", "nothing like this", "01234")


def make_tree(root: Path, files: int = FILES, *, folders: int = FOLDERS) -> None:
    """Small models in nested folders, each with a name of its own."""
    chance = random.Random(4)  # not a secret
    places = [root]
    for number in range(folders):
        places.append(chance.choice(places[-50:]) / f"folder {number}")
        places[-1].mkdir(parents=True, exist_ok=True)
    for number in range(files):
        writer = GgufWriter()
        writer.add("general.architecture", GgufValueType.STRING, "llama")
        writer.add("general.name", GgufValueType.STRING, f"Model {number}")
        writer.add("llama.block_count", GgufValueType.UINT32, 32)
        writer.add_tensor("t", (8,), [bytes(32)])
        with (chance.choice(places) / f"model-{number:05}-Q4_K_M.gguf").open("wb") as file:
            writer.write(file)


def bare_walk(root: str) -> int:
    """What every scan must do at the least."""
    count = 0
    folders = [root]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    folders.append(entry.path)
                else:
                    entry.stat()
                    count += 1
    return count


def plain_walk(root: str) -> int:
    """The same as most would write it."""
    return sum(os.stat(os.path.join(folder, name)).st_size > 0 for folder, _, names in os.walk(root) for name in names)  # noqa: PTH116, PTH118


class Stalls:
    """The longest time for which the event loop did not turn.

    Without what other programs take from it: neither the time in which its thread waits for a processor counts, nor
    that in which no thread of ours runs, such as one that keeps Python's lock and waits for a processor.
    """

    def __init__(self, figures: Figures, part: str = "library") -> None:
        self._figures = figures
        self._part = part
        self._worst_s = self._worst_own_s = 0.0

    async def watch(self) -> None:
        watch = Stopwatch()
        while True:
            watch.restart()
            began_s, worked_s = time.perf_counter(), time.process_time()
            await asyncio.sleep(TICK_S)
            late_s, worked_s = watch.seconds() - TICK_S, time.process_time() - worked_s
            self._worst_s = max(self._worst_s, time.perf_counter() - began_s - TICK_S)
            self._worst_own_s = max(self._worst_own_s, min(late_s, worked_s))

    def report(self, when: str) -> None:
        line = f"{self._part}: worst stall of the event loop {when}"
        own_ms = self._worst_own_s * 1000
        told = f"{line}: {own_ms:.1f} ms without what other programs took ({self._worst_s * 1000:.1f} ms on the clock)"
        self._figures.at_most(STALL_MS, own_ms, "ms", told)
        self._worst_s = self._worst_own_s = 0.0


async def measure(figures: Figures, app: QApplication, folder: Path) -> None:
    """In the real program with its window, over an empty home."""
    models = folder / "models"
    make_tree(models)
    places = Places(folder / "data", folder / "settings.toml", folder / "app.log")
    reporter = LogReporter()
    async with contextlib.AsyncExitStack() as stack:
        services = await bootstrap._build_services(Options(runner="mock"), places, reporter, stack)
        window = bootstrap._build_window(app, services, places)
        look_after_memory(services.library, services.scope)
        services.view_model.open(())
        services.follow_files()
        # The first call from Python takes 30 ms, which the program never makes.
        table = window.findChild(QTableView)
        assert table is not None
        table.viewport()
        stalls = Stalls(figures)
        watching = asyncio.create_task(stalls.watch())
        await asyncio.sleep(1)
        stalls.report("in the first second")
        await first_scan(figures, services.library, models)
        stalls.report("in the first scan")
        await asyncio.sleep(1)
        await second_scans(figures, services.library, os.fspath(models))
        stalls.report("in further scans")
        await key_strokes(figures, window, services.view_model.library.models)
        stalls.report("while typing")
        watching.cancel()
        await asyncio.wait({watching})
        services.view_model.close()
    window.close_for_good()


async def first_scan(figures: Figures, library: Library, models: Path) -> None:
    updates: list[float] = []
    progress: list[object] = []
    library.subscribe(lambda _models: updates.append(time.perf_counter()))
    library.scans.subscribe(progress.append)
    began = time.perf_counter()
    await library.add([models])
    took_s = time.perf_counter() - began
    rate = max(sum(1 for other in updates if 0 <= other - update < 1) for update in updates)
    told = f"{len(progress)} times told of progress"
    figures.tell(f"library: first scan of {len(library.models)} models: {took_s:.2f} s, {told}")
    figures.tell(f"library: updates of the list in the busiest second: {rate}")


async def second_scans(figures: Figures, library: Library, models: str) -> None:
    """Judged by processor time, and by the quickest: all files are in memory, so nothing else is waited for."""
    ours: list[tuple[float, float]] = []
    bare: list[tuple[float, float]] = []
    plain: list[tuple[float, float]] = []
    for _round in range(ROUNDS):
        for times, look in (
            (plain, asyncio.to_thread(plain_walk, models)),
            (bare, asyncio.to_thread(bare_walk, models)),
            (ours, library.scan()),
        ):
            began_s, worked_s = time.perf_counter(), time.process_time()
            await look
            times.append((time.process_time() - worked_s, time.perf_counter() - began_s))
    (scan_s, _), (bare_s, _), (plain_s, _) = map(min, (ours, bare, plain))
    clock_s, bare_clock_s = (statistics.median(taken for _worked, taken in times) for times in (ours, bare))
    figures.tell(f"library: second scan: {clock_s * 1000:.1f} ms, {clock_s / bare_clock_s:.2f} x a bare scandir walk")
    ratio = scan_s / bare_s
    line = f"library: second scan: {ratio:.2f} x the processor time of a bare scandir walk"
    figures.at_most(1.5, ratio, "x", f"{line}, each the quickest of {ROUNDS}")
    figures.tell(f"library: second scan: {scan_s / plain_s:.2f} x the processor time of os.walk and os.stat")


async def key_strokes(figures: Figures, window: MainWindow, models: ModelListViewModel) -> None:
    """From the key to the painted list, with all that hangs on it.

    Each stroke counts as the quickest of some, because processors share what a thread needs with other programs.
    """
    search = window.findChild(QLineEdit, "searchModels")
    table = window.findChild(QTableView)
    assert search is not None
    assert table is not None
    keys = [key for text in SEARCHES for key in (*text, *[Qt.Key.Key_Backspace] * len(text))]
    strokes: list[list[float]] = [[] for _key in keys]
    worked: list[list[float]] = [[] for _key in keys]
    for _round in range(TYPINGS):
        # Another round must not find the texts of this one measured.
        table.setItemDelegate(RowPainter(models, table))
        for number, key in enumerate(keys):
            began_s, worked_s = time.perf_counter(), time.thread_time()
            QTest.keyClick(search, key)
            table.viewport().repaint()
            strokes[number].append(time.perf_counter() - began_s)
            worked[number].append(time.thread_time() - worked_s)
            await asyncio.sleep(0.02)
    every_ms = [each * 1000 for times in strokes for each in times]
    told = f"median {statistics.median(every_ms):.1f} ms, worst {max(every_ms):.1f} ms on the clock"
    figures.tell(f"library: key stroke in the search: {told}")
    work_ms = max(min(times) for times in worked) * 1000
    line = (
        f"library: key stroke in the search: worst {work_ms:.1f} ms of processor time, each the quickest of {TYPINGS}"
    )
    figures.at_most(KEY_STROKE_MS, work_ms, "ms", line)


def header(figures: Figures, folder: Path) -> None:
    path = long_vocabulary(folder / "large.gguf")
    ours_s, ours_bytes = peak_of_ours(path)
    ours_mib = ours_bytes / 2**20
    name = f"header of {TOKENS} tokens"
    figures.at_most(20, ours_mib, "MiB", f"{name}: {ours_s * 1000:.1f} ms, +{ours_mib:.1f} MiB")
    try:
        theirs_s, theirs_bytes = peak_of_the_package(path)
    except subprocess.CalledProcessError:
        figures.tell(f"{name}: no gguf package here to compare with")
    else:
        ratio, more = theirs_s / ours_s, theirs_bytes // 2**20
        line = f"{name}: {ratio:.0f} x faster than the gguf package with +{more:.0f} MiB"
        figures.at_least(100, ratio, "x", line)


def library_figures() -> list[str]:
    """Prints them all. The lines of those that miss their limit."""
    figures = Figures()
    app = QApplication(["bench"])
    with (
        tempfile.TemporaryDirectory(prefix="gglib-bench-") as folder,
        asyncio.Runner(loop_factory=lambda: QtEventLoop(app)) as runner,
    ):
        os.environ["HOME"] = folder
        # As in the program, see its __main__.
        gc.disable()
        sys.setswitchinterval(SWITCH_S)
        header(figures, Path(folder))
        runner.run(measure(figures, app, Path(folder)))
    return figures.missed


if __name__ == "__main__":
    sys.exit("\n".join(library_figures()))
