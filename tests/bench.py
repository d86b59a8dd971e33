"""`make bench`: one line per figure. Ratios of medians, ours and the bare thing measured in turns in one run."""

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
from pathlib import Path

import psutil
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow, QWidget
from typing_extensions import override

START_ROUNDS = 9
HEALTHY_ROUNDS = 15
IDLE_S = 20.0
SERVERS = 5
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
    from gglib_desktop import __main__ as program  # noqa: PLC0415

    vars(program)["QApplication"] = WatchedApplication
    sys.argv = ["gglib-desktop"]
    program.main()


class Child:
    """One of the two as its own process."""

    def __init__(self, which: str, data_dir: Path) -> None:
        began = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", f"from tests.bench import {which}; {which}()"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "GGLIB_DATA_DIR": str(data_dir), "PYTHONPATH": str(Path.cwd())},
        )
        assert self._process.stdout is not None
        self.window_s = float(self._process.stdout.readline()) - began
        self.stats = psutil.Process(self._process.pid)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def bench_window(folder: Path) -> None:
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
    report("window: exec to first paint", times["ours"], times["bare"], "s", "bare Qt window")
    report("memory: resident, no server", memory["ours"], memory["bare"], "B", "bare Qt window")


def report(name: str, ours_values: list[float], bare_values: list[float], unit: str, against: str) -> None:
    ours_median, bare_median = statistics.median(ours_values), statistics.median(bare_values)
    shown = "{:.3f} s" if unit == "s" else "{:.1f} MiB"
    scale = 1 if unit == "s" else 2**20
    print(
        f"{name}: {ours_median / bare_median:.2f} x {against}"
        f" ({shown.format(ours_median / scale)} against {shown.format(bare_median / scale)})"
    )


def raw_start(engine: Path, model: Path) -> float:
    """The engine by itself: spawned, and asked in a loop until it is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    began = time.perf_counter()
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
    took = time.perf_counter() - began
    process.kill()
    process.wait()
    return took


async def bench_healthy(folder: Path, model: Path) -> None:
    from gglib_desktop.adapters.engines.catalog import LlamaEngineCatalog  # noqa: PLC0415
    from gglib_desktop.bootstrap import create_runner  # noqa: PLC0415
    from gglib_desktop.domain.server import ServerConfig  # noqa: PLC0415
    from gglib_desktop.domain.states import Healthy  # noqa: PLC0415
    from gglib_desktop.services.supervisor import ServerChanged, Supervisor, SupervisorEvent  # noqa: PLC0415
    from gglib_desktop.tasks import LogReporter  # noqa: PLC0415

    engine = (await LlamaEngineCatalog(os.environ).find(None)).path
    raw, managed = [], []
    async with create_runner("local", data_dir=folder / "healthy", engine=engine) as runner:
        supervisor = Supervisor(runner, runner, LogReporter())
        for number in range(HEALTHY_ROUNDS + 1):
            ready = asyncio.Event()

            def on_event(event: SupervisorEvent, ready: asyncio.Event = ready) -> None:
                if isinstance(event, ServerChanged) and isinstance(event.snapshot.state, Healthy):
                    ready.set()

            unsubscribe = supervisor.subscribe(on_event)
            began = time.perf_counter()
            server = supervisor.start(ServerConfig(number, "Bench", model, 19000))
            await ready.wait()
            took = time.perf_counter() - began
            unsubscribe()
            await supervisor.stop(server)
            supervisor.dismiss(server)
            alone = await asyncio.to_thread(raw_start, engine, model)
            if number:
                managed.append(took)
                raw.append(alone)
        await supervisor.aclose()
    report("start: asked to Healthy", managed, raw, "s", "the engine polled in a loop")
    excess = statistics.median(managed) - 1.1 * statistics.median(raw)
    print(f"start: beyond 1.1 x the engine alone: {excess * 1000:+.0f} ms (limit +50 ms)")


def bench_idle(folder: Path, model: Path) -> None:
    for count in (0, SERVERS):
        data_dir = folder / f"idle{count}"
        asyncio.run(leave_running(data_dir, model, count))
        child = Child("ours", data_dir)
        time.sleep(SETTLE_S + 2)
        before = child.stats.cpu_times()
        time.sleep(IDLE_S)
        after = child.stats.cpu_times()
        memory = child.stats.memory_info().rss
        child.end()
        asyncio.run(stop_all(data_dir))
        share = (after.user + after.system - before.user - before.system) / IDLE_S
        print(f"idle: {count} healthy servers: {share * 100:.2f} % of one core, {memory / 2**20:.1f} MiB")


async def leave_running(data_dir: Path, model: Path, count: int) -> None:
    from gglib_desktop.bootstrap import create_runner  # noqa: PLC0415
    from gglib_desktop.domain.server import ServerConfig  # noqa: PLC0415

    async with create_runner("local", data_dir=data_dir) as runner:
        for number in range(count):
            await runner.start(ServerConfig(number, f"Bench {number}", model, 19100))


async def stop_all(data_dir: Path) -> None:
    from gglib_desktop.bootstrap import create_runner  # noqa: PLC0415

    async with create_runner("local", data_dir=data_dir) as runner:
        await asyncio.gather(*(runner.stop(handle) for handle in await runner.list_running()))


def main() -> None:
    from gglib_desktop.adapters.demo_model import write_demo_model  # noqa: PLC0415
    from gglib_desktop.qt_loop import QtEventLoop  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="gglib-bench-") as name:
        folder = Path(name)
        model = write_demo_model(folder / "model.gguf")
        bench_window(folder)
        app = QApplication(["bench"])
        with asyncio.Runner(loop_factory=lambda: QtEventLoop(app)) as runner:
            runner.run(bench_healthy(folder, model))
        bench_idle(folder, model)
    # In a process of its own: it has another QApplication.
    subprocess.run([sys.executable, "-m", "tests.bench_library"], check=True)


if __name__ == "__main__":
    main()
