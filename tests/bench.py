"""`make bench`: one line per figure, and exit status 1 when one misses its limit. `ARGS="idle window"` picks parts.

Ratios of medians, ours and the bare thing measured in turns in one run.
"""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
from PySide6 import QtWidgets
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow, QWidget
from typing_extensions import override

from tests.bench_figures import Figures, Stopwatch

START_ROUNDS = 9
HEALTHY_ROUNDS = 15
IDLE_S = 30.0
# Of one core, while the window is open and while it is hidden.
IDLE_PERCENT = {0: (0.5, 0.1), 5: (0.5, 0.1), 50: (2.5, 0.5)}
# Until then panels count seconds, and the start is not over.
IDLE_SETTLE_S = 65.0
KNOWN_MODELS, KNOWN_SERVERS = 200, 5
SETTLE_S = 3.0


class FirstPaint(QObject):
    """Prints the time of the first paint of a window, on the clock that all processes share."""

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and isinstance(watched, QWidget) and watched.isWindow():
            QApplication.instance().removeEventFilter(self)  # type: ignore[union-attr]
            print(time.monotonic(), flush=True)
        return False


class WatchedApplication(QApplication):
    """A QApplication that tells when its first window was painted."""

    def __init__(self, arguments: list[str]) -> None:
        super().__init__(arguments)
        self._first_paint = FirstPaint()
        self.installEventFilter(self._first_paint)


def bare() -> None:
    """The least that a Qt program can be."""
    app = WatchedApplication(["bare"])
    window = QMainWindow()
    window.setCentralWidget(QLabel("bare"))
    window.resize(1100, 720)
    window.show()
    app.exec()


def ours() -> None:
    run_with(WatchedApplication)


def run_with(application: type[QApplication]) -> None:
    """Runs the program, which loads Qt when it needs it."""
    from gglib_desktop import __main__ as program  # noqa: PLC0415

    vars(QtWidgets)["QApplication"] = application
    sys.argv = ["gglib-desktop"]
    program.main()


class HidingApplication(WatchedApplication):
    """Hides its window once the program has settled."""

    def __init__(self, arguments: list[str]) -> None:
        super().__init__(arguments)
        QTimer.singleShot(int(SETTLE_S * 1000), self, self._hide)

    def _hide(self) -> None:
        for window in self.topLevelWidgets():
            window.hide()


def hidden() -> None:
    run_with(HidingApplication)


class Child:
    """One of them as its own process."""

    def __init__(self, which: str, data_dir: Path) -> None:
        began = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", f"from tests.bench import {which}; {which}()"],
            stdout=subprocess.PIPE,
            text=True,
            # With compiled modules, as an installed program has them, also where the environment forbids to keep them.
            env={
                **os.environ,
                "GGLIB_DATA_DIR": str(data_dir),
                "PYTHONPATH": str(Path.cwd()),
                "PYTHONDONTWRITEBYTECODE": "",
            },
        )
        assert self._process.stdout is not None
        self.window_s = float(self._process.stdout.readline()) - began
        self.stats = psutil.Process(self._process.pid)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def bench_window(figures: Figures, folder: Path, _model: Path) -> None:
    times: dict[str, list[float]] = {"bare": [], "ours": []}
    memory: dict[str, list[float]] = {"bare": [], "ours": []}
    for number in range(START_ROUNDS + 1):
        for which in ("bare", "ours"):
            child = Child(which, folder / f"{which}{number}")
            time.sleep(SETTLE_S if number in {1, 2, 3} else 0.2)
            if number:  # the first pair warms the disk cache
                times[which].append(child.window_s)
            if number in {1, 2, 3}:
                memory[which].append(child.stats.memory_info().rss)
            child.end()
    told, ratio = compared(times["ours"], times["bare"], "s")
    figures.at_most(2, ratio, "x", f"window: exec to first paint: {told} a bare Qt window")
    told, ratio = compared(memory["ours"], memory["bare"], "B")
    figures.at_most(1.5, ratio, "x", f"memory: resident, no server: {told} a bare Qt window")


def compared(ours_values: list[float], bare_values: list[float], unit: str) -> tuple[str, float]:
    """Both medians in words, and their ratio."""
    ours_median, bare_median = statistics.median(ours_values), statistics.median(bare_values)
    shown = "{:.3f} s" if unit == "s" else "{:.1f} MiB"
    scale = 1 if unit == "s" else 2**20
    ratio = ours_median / bare_median
    ours_shown, bare_shown = shown.format(ours_median / scale), shown.format(bare_median / scale)
    return f"{ours_shown} against {bare_shown}, {ratio:.2f} x", ratio


def raw_start(engine: Path, model: Path) -> float:
    """The engine by itself: spawned, and asked in a loop until it is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    watch = Stopwatch()
    process = subprocess.Popen(
        [str(engine), "-m", str(model), "--host", "127.0.0.1", "--port", str(port), "--metrics"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
            break
        except (urllib.error.URLError, OSError):
            time.sleep(0.002)
    took = watch.seconds()
    process.kill()
    process.wait()
    return took


def bench_healthy(figures: Figures, folder: Path, model: Path) -> None:
    from gglib_desktop.qt_loop import QtEventLoop  # noqa: PLC0415

    app = QApplication(["bench"])
    with asyncio.Runner(loop_factory=lambda: QtEventLoop(app)) as runner:
        managed, raw = runner.run(starts(folder, model))
    figures.tell(f"start: asked to Healthy: {compared(managed, raw, 's')[0]} the engine polled in a loop")
    excess_ms = (statistics.median(managed) - 1.1 * statistics.median(raw)) * 1000
    figures.at_most(50, excess_ms, "ms", f"start: beyond 1.1 x the engine alone: {excess_ms:+.0f} ms")


async def starts(folder: Path, model: Path) -> tuple[list[float], list[float]]:
    """Seconds from asked to Healthy, and those of the engine alone."""
    from gglib_desktop.adapters.engines.llama_cpp.catalog import LlamaEngineCatalog  # noqa: PLC0415
    from gglib_desktop.api import create_runner  # noqa: PLC0415
    from gglib_desktop.domain.servers.server import ServerConfig  # noqa: PLC0415
    from gglib_desktop.domain.servers.states import Healthy  # noqa: PLC0415
    from gglib_desktop.services.servers.snapshot import ServerChanged, SupervisorEvent  # noqa: PLC0415
    from gglib_desktop.services.servers.supervisor import Supervisor  # noqa: PLC0415
    from gglib_desktop.tasks import LogReporter  # noqa: PLC0415

    engine = (await LlamaEngineCatalog(os.environ).find(None)).path
    managed, raw = [], []
    async with create_runner("local", data_dir=folder / "healthy", engine=engine) as runner:
        supervisor = Supervisor(runner, runner, LogReporter())
        for number in range(HEALTHY_ROUNDS + 1):
            ready = asyncio.Event()

            def on_event(event: SupervisorEvent, ready: asyncio.Event = ready) -> None:
                if isinstance(event, ServerChanged) and isinstance(event.snapshot.state, Healthy):
                    ready.set()

            unsubscribe = supervisor.subscribe(on_event)
            watch = Stopwatch()
            server = supervisor.start(ServerConfig(number, "Bench", model, 19000))
            await ready.wait()
            took = watch.seconds()
            unsubscribe()
            await supervisor.stop(server)
            supervisor.dismiss(server)
            alone = await asyncio.to_thread(raw_start, engine, model)
            if number:
                managed.append(took)
                raw.append(alone)
        await supervisor.aclose()
    return managed, raw


def bench_idle(figures: Figures, folder: Path, model: Path) -> None:
    for count, limits in IDLE_PERCENT.items():
        data_dir = folder / f"idle{count}"
        asyncio.run(leave_running(data_dir, model, count))
        for which, limit in zip(("ours", "hidden"), limits, strict=True):
            percent, memory = idle_use(which, data_dir)
            window = "open" if which == "ours" else "hidden"
            line = f"idle: {count} healthy servers, window {window}: {percent:.2f} % of one core, {memory:.1f} MiB"
            figures.at_most(limit, percent, "% of one core", line)
        asyncio.run(stop_all(data_dir))


def idle_use(which: str, data_dir: Path) -> tuple[float, float]:
    """Percent of one core, and MiB."""
    child = Child(which, data_dir)
    time.sleep(IDLE_SETTLE_S)
    before = child.stats.cpu_times()
    time.sleep(IDLE_S)
    after = child.stats.cpu_times()
    memory = child.stats.memory_info().rss
    child.end()
    used_s = after.user + after.system - before.user - before.system
    return used_s / IDLE_S * 100, memory / 2**20


def bench_known(figures: Figures, folder: Path, model: Path) -> None:
    """A start after the program was used for a while."""
    from tests.bench_library import make_tree  # noqa: PLC0415  # not for the bare window

    data_dir, models = folder / "known", folder / "known models"
    make_tree(models, KNOWN_MODELS, folders=10)
    data_dir.mkdir()
    asyncio.run(fill_library(data_dir, models))
    asyncio.run(leave_running(data_dir, model, KNOWN_SERVERS))
    times: dict[str, list[float]] = {"bare": [], "ours": []}
    for number in range(START_ROUNDS + 1):
        for which, taken in times.items():
            child = Child(which, data_dir)
            # What follows the first paint must not meet the next start.
            time.sleep(SETTLE_S)
            if number:
                taken.append(child.window_s)
            child.end()
    asyncio.run(stop_all(data_dir))
    told, _ratio = compared(times["ours"], times["bare"], "s")
    known = f"with {KNOWN_MODELS} models and {KNOWN_SERVERS} servers"
    figures.tell(f"window: exec to first paint {known}: {told} a bare Qt window (goal 1.7 x)")


async def fill_library(data_dir: Path, models: Path) -> None:
    from gglib_desktop.adapters.library.library_file import LibraryFile  # noqa: PLC0415
    from gglib_desktop.adapters.library.model_files import DiskModelFiles  # noqa: PLC0415
    from gglib_desktop.adapters.library.sqlite_models import SqliteModelRepository  # noqa: PLC0415
    from gglib_desktop.services.models.library import Library  # noqa: PLC0415

    repository = SqliteModelRepository(LibraryFile(data_dir / "library.sqlite"))
    library = Library(repository, DiskModelFiles(data_dir / "models", ()))
    await library.load()
    await library.add([models])
    await repository.file.aclose()


async def leave_running(data_dir: Path, model: Path, count: int) -> None:
    from gglib_desktop.api import create_runner  # noqa: PLC0415
    from gglib_desktop.domain.servers.server import ServerConfig  # noqa: PLC0415

    async with create_runner("local", data_dir=data_dir) as runner:
        for number in range(count):
            await runner.start(ServerConfig(number, f"Bench {number}", model, 19100))


async def stop_all(data_dir: Path) -> None:
    from gglib_desktop.api import create_runner  # noqa: PLC0415

    async with create_runner("local", data_dir=data_dir) as runner:
        await asyncio.gather(*(runner.stop(handle) for handle in await runner.list_running()))


def bench_api(figures: Figures, _folder: Path, _model: Path) -> None:
    """What scripts pay for their import, beside what the standard library's part of it costs alone."""
    found = "import sys, gglib_desktop.api; print(*sorted(sys.modules.keys() & sys.stdlib_module_names))"
    needed = subprocess.run((sys.executable, "-c", found), check=True, capture_output=True, text=True).stdout.split()
    ours: list[float] = []
    bare: list[float] = []
    for _round in range(START_ROUNDS):
        for modules, times in (("gglib_desktop.api", ours), (", ".join(needed), bare)):
            code = f"import time; began = time.perf_counter(); import {modules}; print(time.perf_counter() - began)"
            asked = subprocess.run((sys.executable, "-c", code), check=True, capture_output=True, text=True)
            times.append(float(asked.stdout))
    told, _ratio = compared(ours, bare, "s")
    figures.tell(f"api: import of gglib_desktop.api: {told} the standard library that it needs")


def bench_library(figures: Figures, _folder: Path, _model: Path) -> None:
    from tests.bench_library import library_figures  # noqa: PLC0415

    in_own_process(figures, library_figures)


def bench_requests(figures: Figures, _folder: Path, _model: Path) -> None:
    from tests.bench_requests import request_figures  # noqa: PLC0415

    in_own_process(figures, request_figures)


def bench_chat(figures: Figures, _folder: Path, _model: Path) -> None:
    from tests.bench_chat import chat_figures  # noqa: PLC0415

    in_own_process(figures, chat_figures)


def in_own_process(figures: Figures, part: Callable[[], list[str]]) -> None:
    """Because it has another QApplication."""
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415
    from multiprocessing import get_context  # noqa: PLC0415

    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        figures.missed += pool.submit(part).result()


def main(chosen: Sequence[str]) -> int:
    from gglib_desktop.adapters.gguf.demo_model import write_demo_model  # noqa: PLC0415

    parts = {
        "window": bench_window,
        "api": bench_api,
        "known": bench_known,
        "healthy": bench_healthy,
        "idle": bench_idle,
        "library": bench_library,
        "requests": bench_requests,
        "chat": bench_chat,
    }
    if unknown := set(chosen) - set(parts):
        sys.exit(f"no such part: {', '.join(sorted(unknown))}. The parts: {', '.join(parts)}")
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="gglib-bench-") as name:
        model = write_demo_model(Path(name, "model.gguf"))
        for part in chosen or parts:
            parts[part](figures, Path(name), model)
    return figures.verdict()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
