"""The requests' part of `make bench`: a table of 100,000, and a server that is asked without end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from PySide6.QtWidgets import QApplication, QTableView, QWidget

from gglib_desktop import bootstrap
from gglib_desktop.adapters.files.text_files import DiskTextFiles
from gglib_desktop.adapters.gguf.demo_model import write_demo_model
from gglib_desktop.adapters.requests.sqlite_requests import SqliteRequestStore
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.servers.states import Healthy
from gglib_desktop.domain.traffic.request_columns import RequestColumn
from gglib_desktop.domain.traffic.requests import RequestEnd, RequestRow, RunFacts
from gglib_desktop.garbage import look_after_memory
from gglib_desktop.ports.servers.request_store import ReadSoFar, RequestScope, RequestStore, RunNews
from gglib_desktop.program_paths import Places
from gglib_desktop.qt_loop import QtEventLoop
from gglib_desktop.services.servers.snapshot import ServerSnapshot
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.startup import Options
from gglib_desktop.tasks import LogReporter, TaskScope
from gglib_desktop.viewmodels.servers.requests import RequestsViewModel
from gglib_desktop.views.servers.requests.page import RequestsPage
from tests.bench_figures import Figures, Stopwatch
from tests.bench_library import Stalls
from tests.fakes.waiting import poll

ROWS = 100_000
OPEN_MS, SORT_MS = 200, 100
ROUNDS = 3
REQUESTS, A_SECOND = 12_000, 200
STUB = Path(__file__).parent / "fakes" / "stub_engine.py"
RUN = RunFacts("bench", 1, "Bench")


def some_rows(count: int) -> list[RequestRow]:
    chance = random.Random(11)  # not a secret
    return [
        RequestRow(
            started=1_700_000_000.0 + number,
            end=chance.choice((RequestEnd.OK, RequestEnd.OK, RequestEnd.CANCELLED)),
            task=number,
            slot=number % 4,
            ttft_ms=900 * chance.random(),
            prompt_n=chance.randrange(1, 5000),
            cached_n=chance.randrange(100),
            prompt_ms=10 + 900 * chance.random(),
            gen_n=chance.randrange(2, 900),
            gen_ms=100 + 9000 * chance.random(),
            timed_n=chance.randrange(1, 899),
        )
        for number in range(count)
    ]


async def table(figures: Figures, folder: Path) -> None:
    """From the wish to the painted rows, and from the click on a title to the painted order."""
    store = SqliteRequestStore(folder / "requests.sqlite")
    await store.keep([RunNews(RUN, ReadSoFar(), some_rows(ROWS))])
    async with TaskScope(LogReporter()) as scope:
        requests = RequestsViewModel(store, DiskTextFiles(), scope, model_id=RUN.model_id, run=RUN.run)
        window = QWidget()
        page = RequestsPage(requests, window)
        page.resize(1000, 600)
        window.resize(1000, 600)
        view = page.findChild(QTableView)
        assert view is not None
        opens: list[float] = []
        for _round in range(ROUNDS):
            watch = Stopwatch()
            window.show()
            await poll(lambda: requests.state.shown > 0)
            view.viewport().repaint()
            opens.append(watch.seconds())
            await poll(lambda: requests.state.shown == ROWS and requests.state.totals is not None)
            window.hide()
        window.show()
        await poll(lambda: requests.state.shown == ROWS and requests.state.totals is not None)
        sorts: list[float] = []
        for column in (RequestColumn.SPEED, RequestColumn.FIRST_TOKEN, RequestColumn.GENERATED, RequestColumn.TIME):
            await asyncio.sleep(0.1)  # until what came before has been painted
            watch = Stopwatch()
            await requests.table.order_by(column, descending=True)
            view.viewport().repaint()
            sorts.append(watch.seconds())
        window.close()
    await store.aclose()
    open_ms, sort_ms = 1000 * max(opens), 1000 * max(sorts)
    figures.at_most(OPEN_MS, open_ms, "ms", f"requests: a table of {ROWS} opens in {open_ms:.0f} ms")
    figures.at_most(SORT_MS, sort_ms, "ms", f"requests: a table of {ROWS} sorts in {sort_ms:.0f} ms")


async def asked_without_end(figures: Figures, app: QApplication, folder: Path) -> None:
    """In the real program with its window and a server's open panel, as many requests as 20 a second for ten minutes.

    They come ten times as fast, so that this takes a minute.
    """
    places = Places(folder / "data", folder / "settings.toml", folder / "app.log")
    reporter = LogReporter()
    async with contextlib.AsyncExitStack() as stack:
        services = await bootstrap._build_services(Options(), places, reporter, stack)
        window = bootstrap._build_window(app, services, places)
        recorder, store = bootstrap._record_requests(services, places, reporter, stack)
        look_after_memory(services.library, services.scope)
        services.follow_work(recorder, store)
        services.view_model.open(())
        await poll(lambda: services.view_model.is_ready)
        server = services.supervisor.start(ServerConfig(1, "Bench", write_demo_model(folder / "model.gguf"), 19200))
        await poll(lambda: isinstance(_server(services.supervisor, server).state, Healthy))
        run = _server(services.supervisor, server).log_name
        stalls = Stalls(figures, "requests")
        watching = asyncio.create_task(stalls.watch())
        writer = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench_requests", str(places.data_dir / "logs" / f"{run}.log")
        )
        await writer.wait()
        stalls.report(f"with {REQUESTS} requests at {A_SECOND} a second")
        watching.cancel()
        await services.supervisor.stop(server)

        while not await _read_to_the_end(store, run):  # noqa: ASYNC110  # it is told to no one
            await asyncio.sleep(0.05)
        kept = len((await store.history(RequestScope(run=run))).requests)
        lost = abs(REQUESTS - kept)
        figures.at_most(0, lost, "rows", f"requests: {kept} of {REQUESTS} are recorded, {lost} lost")
        services.view_model.close()
    window.close_for_good()


def write_requests(log: Path) -> None:
    """Writes the lines of requests into the log of a server that works, four at a time."""
    began = time.monotonic()
    with log.open("ab", buffering=0) as file:
        for task in range(REQUESTS):
            time.sleep(max(0.0, began + task / A_SECOND - time.monotonic()))
            file.write(_lines_of(task, time.monotonic() - began))


def _lines_of(task: int, at_s: float) -> bytes:
    def line(after_ms: int, text: str) -> str:
        seconds, micro = divmod(round((at_s + 1) * 1e6) + 1000 * after_ms, 1_000_000)
        return f"{seconds // 60}.{seconds % 60:02}.{micro // 1000:03}.{micro % 1000:03} I slot {text}\n"

    name = f"id  {task % 4} | task {task} |"
    return "".join(
        (
            line(0, f"launch_slot_: {name} processing task, is_child = 0"),
            line(40, f"print_timing: {name} prompt eval time =      10.00 ms /     9 tokens (    1.11 ms per token,)"),
            line(40, f"print_timing: {name}        eval time =      30.00 ms /    60 tokens (    0.50 ms per token,)"),
            line(40, f"print_timing: {name}       total time =      40.00 ms /    69 tokens"),
            line(41, f"     release: {name} stop processing: n_tokens = 68, truncated = 0"),
        )
    ).encode()


async def _read_to_the_end(store: RequestStore, run: str) -> bool:
    read = await store.read_so_far(run)
    return read is not None and read.over


def _server(supervisor: Supervisor, server_id: int) -> ServerSnapshot:
    return next(server for server in supervisor.servers if server.id == server_id)


def request_figures() -> list[str]:
    """Prints them all. The lines of those that miss their limit."""
    figures = Figures()
    app = QApplication(["bench"])
    app.setQuitOnLastWindowClosed(False)
    with (
        tempfile.TemporaryDirectory(prefix="gglib-bench-") as folder,
        asyncio.Runner(loop_factory=lambda: QtEventLoop(app)) as runner,
    ):
        os.environ["HOME"] = folder
        # As in the program, where garbage.py collects.
        gc.disable()
        engine = Path(shutil.copy(STUB, Path(folder, "llama-server")))
        engine.chmod(0o755)
        os.environ["GGLIB_LLAMA_SERVER_PATH"] = os.fspath(engine)
        runner.run(table(figures, Path(folder)))
        runner.run(asked_without_end(figures, app, Path(folder)))
    return figures.missed


if __name__ == "__main__":
    write_requests(Path(sys.argv[1]))
