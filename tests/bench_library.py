"""Figures of the library on 10,000 files: ``python -m tests.bench_library``."""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import tempfile
import time
from pathlib import Path

from PySide6.QtWidgets import QApplication, QWidget

from gglib_desktop.adapters.gguf_writer import GgufWriter
from gglib_desktop.adapters.model_files import DiskModelFiles
from gglib_desktop.adapters.runners.mock import MockRunner
from gglib_desktop.adapters.sqlite_models import SqliteModelRepository
from gglib_desktop.bootstrap import KeptObjects
from gglib_desktop.domain.gguf import GgufValueType
from gglib_desktop.qt_loop import QtEventLoop
from gglib_desktop.services.library import Library
from gglib_desktop.services.supervisor import Supervisor
from gglib_desktop.tasks import LogReporter, TaskScope
from gglib_desktop.viewmodels.model_list import ModelListViewModel
from gglib_desktop.views.model_table import ModelTableView

FILES = 10_000
FOLDERS = 500
ROUNDS = 9
TICK_S = 0.002
SEARCHES = ("model 99", "q4_k", "folder 7", "nothing like this", "01234")


def make_tree(root: Path) -> None:
    """Small models in nested folders, each with a name of its own."""
    chance = random.Random(4)  # not a secret
    folders = [root]
    for number in range(FOLDERS):
        folders.append(chance.choice(folders[-50:]) / f"folder {number}")
        folders[-1].mkdir(parents=True, exist_ok=True)
    for number in range(FILES):
        writer = GgufWriter()
        writer.add("general.architecture", GgufValueType.STRING, "llama")
        writer.add("general.name", GgufValueType.STRING, f"Model {number}")
        writer.add("llama.block_count", GgufValueType.UINT32, 32)
        writer.add_tensor("t", (8,), [bytes(32)])
        with (chance.choice(folders) / f"model-{number:05}-Q4_K_M.gguf").open("wb") as file:
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
    """How long the event loop kept anybody waiting."""

    def __init__(self) -> None:
        self.worst_s = 0.0

    async def watch(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(TICK_S)
            self.worst_s = max(self.worst_s, time.perf_counter() - began - TICK_S)


def key_strokes(models: ModelListViewModel) -> list[float]:
    """How long it takes after each letter of some searches, typed and erased, until the list is painted."""
    window = QWidget()
    table = ModelTableView(models, window)
    table.resize(300, 700)
    window.resize(300, 700)
    window.show()
    table.viewport().repaint()
    strokes = []
    for text in SEARCHES:
        for end in (*range(1, len(text) + 1), *range(len(text) - 1, -1, -1)):
            began = time.perf_counter()
            models.search(text[:end])
            table.viewport().repaint()
            strokes.append(time.perf_counter() - began)
    window.close()
    return strokes


async def measure(folder: Path) -> None:
    models = folder / "models"
    make_tree(models)
    repository = SqliteModelRepository(folder / "library.sqlite")
    library = Library(repository, DiskModelFiles(folder / "demo"))
    async with MockRunner(folder / "data") as runner, TaskScope(LogReporter()) as scope:
        supervisor = Supervisor(runner, runner, LogReporter())
        shown = ModelListViewModel(library, supervisor, scope)
        library.subscribe(KeptObjects().note)
        updates: list[float] = []
        library.subscribe(lambda _models: updates.append(time.perf_counter()))
        stalls = Stalls()
        watching = asyncio.create_task(stalls.watch())
        began = time.perf_counter()
        await library.add([models])
        first_s = time.perf_counter() - began
        rate = max(sum(1 for other in updates if 0 <= other - update < 1) for update in updates)
        print(
            f"library first scan: {first_s:.2f} s, {len(library.models)} models, {rate} updates in the busiest second"
        )
        print(f"library worst stall in the first scan: {stalls.worst_s * 1000:.1f} ms")
        stalls.worst_s = 0.0
        ours, bare, plain = [], [], []
        for _round in range(ROUNDS):
            began = time.perf_counter()
            await asyncio.to_thread(plain_walk, os.fspath(models))
            plain.append(time.perf_counter() - began)
            began = time.perf_counter()
            await asyncio.to_thread(bare_walk, os.fspath(models))
            between = time.perf_counter()
            await library.scan()
            bare.append(between - began)
            ours.append(time.perf_counter() - between)
        ratio = statistics.median(ours) / statistics.median(bare)
        print(f"library second scan: {statistics.median(ours) * 1000:.1f} ms, {ratio:.2f} × a bare scandir walk")
        print(f"library second scan: {statistics.median(ours) / statistics.median(plain):.2f} × os.walk and os.stat")
        print(f"library worst stall in the second scan: {stalls.worst_s * 1000:.1f} ms")
        watching.cancel()
        await asyncio.wait({watching})
        strokes = key_strokes(shown)
        print(f"library key stroke: {statistics.median(strokes) * 1000:.1f} ms, worst {max(strokes) * 1000:.1f} ms")
        shown.close()
        await supervisor.aclose()
    await repository.aclose()


def main() -> None:
    app = QApplication(["bench"])
    app.setQuitOnLastWindowClosed(False)
    with (
        tempfile.TemporaryDirectory(prefix="gglib-bench-") as folder,
        asyncio.Runner(loop_factory=lambda: QtEventLoop(app)) as runner,
    ):
        runner.run(measure(Path(folder)))


if __name__ == "__main__":
    main()
