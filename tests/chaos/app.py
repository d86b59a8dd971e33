"""The program under test: the real supervisor and runner on the real event loop, without a window.

Reads commands from standard input and answers them on standard output, one JSON object a line each. Ends when told,
or, stopping all servers, when its input ends.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Awaitable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication

from gglib_desktop.adapters.engines.llama_cpp.catalog import LlamaEngineCatalog
from gglib_desktop.adapters.engines.llama_cpp.simulated import MockTimings
from gglib_desktop.adapters.runner.kinds import local_runner
from gglib_desktop.adapters.runner.recorded_runner import RecordedRunner
from gglib_desktop.adapters.runner.simulated import MockRunner
from gglib_desktop.domain.errors import GglibError
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.servers.states import handle_of
from gglib_desktop.qt_loop import QtEventLoop
from gglib_desktop.services.servers.snapshot import ServerSnapshot
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.tasks import TaskScope
from tests.chaos.views import ShownServer, Usage

STOP_GRACE_S = 1.0
_TIMINGS = MockTimings(answer_s=0.01, load_s=0.05, stop_s=0.02)
_WORKERS = 4
_INPUT, _OUTPUT = 0, 1

AnyRunner = RecordedRunner


# Pools make their threads when they are first needed, up to this many; more than that is a leak.
_POOLS = {"runner": 3, "gglib": 4}


def _threads_beyond_pools() -> int:
    names = [thread.name for thread in threading.enumerate()]
    pooled = {prefix: sum(name.startswith(prefix) for name in names) for prefix in _POOLS}
    return len(names) - sum(min(pooled[prefix], most) for prefix, most in _POOLS.items())


class Bugs:
    """Keeps unexpected errors, for the next view."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def report(self, error: BaseException, context: str) -> None:
        logging.getLogger(__name__).error("bug in %s", context, exc_info=error)
        self.found.append(f"{context}: {error!r}")

    def on_loop(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.found.append(f"{context['message']}: {context.get('exception')!r}")


class App:
    """Does what the harness says."""

    def __init__(self, runner: AnyRunner, supervisor: Supervisor, scope: TaskScope, bugs: Bugs) -> None:
        self._runner = runner
        self._supervisor = supervisor
        self._scope = scope
        self._bugs = bugs
        self._rest = b""
        self.told_to_quit: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def listen(self) -> None:
        asyncio.get_running_loop().add_reader(_INPUT, self._on_input)

    def _on_input(self) -> None:
        data = os.read(_INPUT, 65536)
        if not data:
            self._quit(stop=True)
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            command = json.loads(line)
            say(getattr(self, f"do_{command.pop('do')}")(**command))

    def _quit(self, *, stop: bool) -> None:
        asyncio.get_running_loop().remove_reader(_INPUT)
        if not self.told_to_quit.done():
            self.told_to_quit.set_result(stop)

    # -- commands

    def do_start(self, config: dict[str, Any], another: bool = False, clicks: int = 1) -> list[int]:
        wanted = ServerConfig.from_mapping(config)
        ids = [self._supervisor.start(wanted, another=another)]
        return ids + [self._supervisor.start(wanted) for _ in range(clicks - 1)]

    def do_cancel(self, config: dict[str, Any], after_s: float) -> int:
        server_id = self._supervisor.start(ServerConfig.from_mapping(config), another=True)

        async def cancel() -> None:
            await asyncio.sleep(after_s)
            await self._supervisor.stop(server_id)

        self._run(cancel(), "cancel")
        return server_id

    def do_restart(self, server_id: int) -> None:
        if self._knows(server_id):
            self._supervisor.restart(server_id)

    def do_stop(self, server_id: int) -> None:
        if self._knows(server_id):
            self._run(self._supervisor.stop(server_id), "stop")

    def do_kill(self, server_id: int) -> None:
        if self._knows(server_id):
            self._run(self._supervisor.kill(server_id), "kill")

    def do_dismiss(self, server_id: int) -> None:
        if self._knows(server_id):
            self._supervisor.dismiss(server_id)

    def do_stop_all(self) -> None:
        self._run(self._supervisor.stop_all(), "stop all")

    def do_simulate(self, what: str, server_id: int) -> None:
        """Something that happens to a simulated server: crash, freeze or thaw."""
        handle = handle_of(self._supervisor.server(server_id).state) if self._knows(server_id) else None
        if handle is not None:
            with contextlib.suppress(GglibError):
                getattr(self._runner, what)(handle)

    def do_quit(self, stop: bool) -> None:
        self._quit(stop=stop)

    def do_view(self) -> dict[str, Any]:
        return {
            "servers": [asdict(shown(snapshot)) for snapshot in self._supervisor.servers],
            "usage": asdict(self._usage()),
            "bugs": self._bugs.found,
            "task_names": sorted(task.get_name() for task in asyncio.all_tasks()),
        }

    # -- small things

    def _knows(self, server_id: int) -> bool:
        return any(snapshot.id == server_id for snapshot in self._supervisor.servers)

    def _run(self, action: Awaitable[None], name: str) -> None:
        async def run() -> None:
            try:
                await action
            except GglibError as exc:
                # Nothing here survives SIGKILL, so not even StopFailed is expected.
                self._bugs.report(exc, name)

        self._scope.start(run(), name=name)

    def _usage(self) -> Usage:
        links = []
        for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  # pathlib would hold one more descriptor
            with contextlib.suppress(OSError):
                links.append(os.readlink(f"/proc/self/fd/{name}"))  # noqa: PTH115
        sockets = sum(link.startswith("socket:") for link in links)
        threads = _threads_beyond_pools()
        tasks = len(asyncio.all_tasks())
        return Usage(len(links) - sockets, sockets, threads, tasks, tuple(self._runner._ports.reserved))


def shown(snapshot: ServerSnapshot) -> ShownServer:
    handle = handle_of(snapshot.state)
    failure = getattr(snapshot.state, "failure", None)
    return ShownServer(
        snapshot.id,
        snapshot.config.model_id,
        snapshot.state.word,
        handle.pid if handle is not None else None,
        handle.port if handle is not None else None,
        snapshot.log_name,
        snapshot.adopted,
        str(failure.cause) if failure is not None else None,
    )


def say(answer: object) -> None:
    data = json.dumps({"answer": answer}).encode() + b"\n"
    while data:
        data = data[os.write(_OUTPUT, data) :]


def make_runner(arguments: argparse.Namespace) -> AnyRunner:
    if arguments.runner == "mock":
        return MockRunner(arguments.data_dir, timings=_TIMINGS)
    catalog = LlamaEngineCatalog(os.environ)
    return local_runner(
        arguments.data_dir,
        lambda: catalog.inspect(arguments.engine),
        environment=os.environ,
        stop_grace_s=lambda: STOP_GRACE_S,
    )


async def run(arguments: argparse.Namespace) -> int:
    bugs = Bugs()
    asyncio.get_running_loop().set_exception_handler(bugs.on_loop)
    # All workers from the beginning, so that a thread more is a thread too many.
    await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.02) for _ in range(_WORKERS)))
    async with contextlib.AsyncExitStack() as stack:
        runner = make_runner(arguments)
        await stack.enter_async_context(runner)
        scope = await stack.enter_async_context(TaskScope(bugs))
        supervisor = Supervisor(runner, runner, bugs, stop_grace_s=lambda: STOP_GRACE_S)
        stack.push_async_callback(supervisor.aclose)
        await supervisor.adopt()
        app = App(runner, supervisor, scope, bugs)
        app.listen()
        say("ready")
        if await app.told_to_quit:
            await supervisor.stop_all()
    return 1 if bugs.found else 0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runner", choices=["local", "mock"], required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--engine", type=Path)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    qt = QCoreApplication(["chaos"])
    with asyncio.Runner(loop_factory=lambda: QtEventLoop(qt)) as runner:
        return runner.run(run(arguments))


if __name__ == "__main__":
    sys.exit(main())
