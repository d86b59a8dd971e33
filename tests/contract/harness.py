"""What the contract of process runners needs to know of each runner, so that no test asks which one it has."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import uuid
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import psutil

from gglib_desktop.adapters.engines.dasllama.catalog import DASLLAMA_PROGRAM
from gglib_desktop.adapters.engines.dasllama.driver import DasllamaDriver
from gglib_desktop.adapters.engines.llama_cpp.catalog import LlamaEngineCatalog
from gglib_desktop.adapters.engines.llama_cpp.driver import LlamaCppDriver
from gglib_desktop.adapters.engines.llama_cpp.simulated import MockTimings
from gglib_desktop.adapters.engines.openai.catalog import ProgramCatalog
from gglib_desktop.adapters.keys.key_store import KEY_FILE, KeptKey
from gglib_desktop.adapters.machine.threads import Threads
from gglib_desktop.adapters.places.local.place import LocalPlace
from gglib_desktop.adapters.runner.announced_servers import Site
from gglib_desktop.adapters.runner.containers import container_runner
from gglib_desktop.adapters.runner.kinds import local_runner
from gglib_desktop.adapters.runner.machines import machine_runner
from gglib_desktop.adapters.runner.recorded_runner import RecordedRunner
from gglib_desktop.adapters.runner.simulated import MockRunner
from gglib_desktop.adapters.ssh.connector import Connector
from gglib_desktop.adapters.ssh.machine import Machine
from gglib_desktop.adapters.ssh.ssh_machine import SshMachine
from gglib_desktop.api import Runner
from gglib_desktop.domain.documents.ssh_address import SshAddress
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.environment import INSTANCE_VARIABLE
from gglib_desktop.domain.errors import NotRunning, RunnerUnavailable
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig
from gglib_desktop.ports.servers.engine_driver import EngineDriver
from tests.fakes.container_services import PodmanService
from tests.fakes.engine_image import IMAGE
from tests.fakes.engine_image import STUB as STUB_IN_IMAGE
from tests.fakes.namespace_place import NamespacePlace
from tests.fakes.parrot_driver import ParrotDriver
from tests.fakes.ports import some_base_port
from tests.fakes.processes import those
from tests.fakes.sshd import Sshd

_FAKES = Path(__file__).parent.parent / "fakes"
STUB = _FAKES / "stub_engine.py"
# For servers that end when they are asked: no busy machine makes them look as if they would not.
STOP_GRACE_S = 60.0
# For those that don't.
SHORT_GRACE_S = 0.1


def stub_engine(folder: Path) -> Path:
    """A program file that runs the stub engine with this Python, whatever PATH says."""
    return _program(folder / "stub-llama-server", STUB)


def _program(path: Path, script: Path) -> Path:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\nexec '{sys.executable}' -I -S '{script}' \"$@\"\n")
        path.chmod(0o755)
    return path


@dataclass(frozen=True)
class EngineWords:
    """What one kind of engine says, and how much it can do.

    ``listens``: how its command line says the port. ``options`` are some that it can take, and ``options_said`` how it
    says them. ``fatal``: what the line contains that explains the end of one that is started as ``failing_config``
    says. ``no_model``: its complaint about a file that is no model. ``failure_status``: its exit status after either.
    ``context_size`` and ``slots``: what it serves the test's model with unless told otherwise; ``two_slots``: the
    number to ask for where it can have several. ``stopped_status``: its exit status when it was told to end.
    ``tells_all``: the path of its model, how its slots share the context, whether it drafts, and its template.
    """

    listens: str
    options_said: str
    fatal: str
    no_model: str
    failure_status: int
    loading: str
    loaded: str
    context_size: int
    slots: int | None
    two_slots: int | None
    options: Mapping[str, object] = field(
        default_factory=lambda: {"spec_draft_n_max": 2, "spec_draft_p_min": 0.5, "jinja": False}
    )
    stopped_status: int = 0
    has_keys: bool = True
    tells_all: bool = True

    @property
    def port_flag(self) -> str:
        return self.listens.split()[0]

    @property
    def idle_slots(self) -> int | None:
        """How many slots work on a request when there is none."""
        return None if self.slots is None else 0


LLAMA_CPP = EngineWords(
    listens="--port {}",
    options_said="--spec-draft-n-max 2 --spec-draft-p-min 0.5",
    fatal="error: invalid argument: --nope",
    no_model="failed to load model",
    failure_status=1,
    loading="loading model",
    loaded="model loaded",
    context_size=8192,
    slots=4,
    two_slots=2,
)


PARROT = EngineWords(
    listens="--listen 127.0.0.1:{}",
    options_said="--guess 2 --sure 0.5",
    fatal="squawk: what is --nope?",
    no_model="no parrot food",
    failure_status=3,
    loading="an egg: ",
    loaded="hatched",
    context_size=4096,
    slots=None,
    two_slots=None,
)


DASLLAMA = EngineWords(
    listens="--port {}",
    options_said="--streams 2",
    fatal="EXCEPTION: gguf: bad magic (not a GGUF file)",
    no_model="gguf: bad magic",
    failure_status=1,
    loading="loading ./",
    loaded="loading ./",
    context_size=8192,
    slots=4,
    two_slots=2,
    options={"parallel": 2},
    stopped_status=-15,
    has_keys=False,
    tells_all=False,
)


class Harness(Protocol):
    """Makes one kind of runner over one data directory, and does to its servers what the port cannot."""

    model: Path
    data_dir: Path
    words: EngineWords

    def runner(self, data_dir: Path | None = None) -> AbstractAsyncContextManager[Runner]: ...

    def stubborn_runner(self) -> AbstractAsyncContextManager[Runner]:
        """One whose servers end late when asked: ``late_config`` says how."""
        ...

    def late_config(self) -> ServerConfig: ...

    def talkative_runner(self) -> AbstractAsyncContextManager[Runner]: ...

    def talkative_config(self, lines: int) -> ServerConfig: ...

    async def kill_behind_back(self, handle: ProcessHandle) -> None: ...

    def is_there(self, handle: ProcessHandle) -> bool:
        """Whether the process is in the system's list, zombies included."""
        ...

    def traces(self) -> list[str]:
        """What runs or is written down of servers, and their logs."""
        ...

    def config(self, **changes: object) -> ServerConfig: ...

    def failing_config(self, **changes: object) -> ServerConfig:
        """Its server ends before it answers."""
        ...

    def model_said(self) -> str:
        """How the command line names the test's model."""
        ...


class _Configs:
    model: Path
    words: EngineWords = LLAMA_CPP

    def config(self, **changes: object) -> ServerConfig:
        given = {"model_id": 7, "model_name": "Tiny", "model_path": self.model, "base_port": some_base_port()}
        # Several threads of an engine wait for each other busily, which is most of what a start of a tiny model costs.
        return ServerConfig.from_mapping(given | {"threads": 1} | changes)

    def failing_config(self, **changes: object) -> ServerConfig:
        return self.config(extra_args=["--nope"], **changes)

    def model_said(self) -> str:
        return str(self.model)


class LocalHarness(_Configs):
    """Real processes: the real engine, and the stub where an engine must misbehave."""

    def __init__(self, data_dir: Path, engine: Path, model: Path) -> None:
        self.data_dir = data_dir
        self.model = model
        # One for all tests of a run, which is asked only once what it can do.
        self.stub = stub_engine(data_dir.parent.parent / "stub")
        self.engine = engine
        self._tag = uuid.uuid4().hex
        self._others = set(psutil.process_iter())  # not their pids, which others get after them
        self.environment = {**os.environ, "GGLIB_TEST_HARNESS": self._tag}

    def runner(self, data_dir: Path | None = None) -> RecordedRunner:
        return self.runner_with(self.engine, data_dir)

    def runner_with(
        self, engine: Path, data_dir: Path | None = None, *, grace_s: float = STOP_GRACE_S
    ) -> RecordedRunner:
        async def find() -> Engine:
            return await CATALOG.inspect(engine)

        return local_runner(data_dir or self.data_dir, find, environment=self.environment, stop_grace_s=lambda: grace_s)

    def assembled(
        self, place_id: str, kind: type[LocalPlace], driver: EngineDriver, data_dir: Path | None, grace_s: float
    ) -> RecordedRunner:
        """A runner over another kind of place, or with another engine's driver."""
        folder, threads = data_dir or self.data_dir, Threads()
        place = kind(folder, environment=self.environment, in_thread=threads.run)
        return RecordedRunner(
            folder,
            {place_id: Site(place, {"llama.cpp": driver})},
            threads=threads,
            stop_grace_s=lambda: grace_s,
            keys=KeptKey(folder / KEY_FILE),
        )

    def stubborn_runner(self) -> RecordedRunner:
        return self.runner_with(self.stub, grace_s=SHORT_GRACE_S)

    def late_config(self) -> ServerConfig:
        return self.config(extra_args=["--stub-ignore-sigterm"])

    def talkative_runner(self) -> RecordedRunner:
        return self.runner_with(self.stub)

    def talkative_config(self, lines: int) -> ServerConfig:
        return self.config(extra_args=["--stub-lines", str(lines)])

    async def kill_behind_back(self, handle: ProcessHandle) -> None:
        assert handle.pid is not None
        os.kill(handle.pid, signal.SIGKILL)

    def is_there(self, handle: ProcessHandle) -> bool:
        assert handle.pid is not None
        return bool(psutil.pid_exists(handle.pid))

    def processes(self) -> list[psutil.Process]:
        """All that this harness started, directly or not, and that still runs."""
        found = []
        for pid in psutil.pids():
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(pid)
                if process not in self._others and process.environ().get("GGLIB_TEST_HARNESS") == self._tag:
                    found.append(process)
        return found

    def traces(self) -> list[str]:
        files = [str(path) for folder in ("servers", "logs", "runs") for path in (self.data_dir / folder).glob("*")]
        return files + [repr(process) for process in self.processes()]


class NamespaceHarness(LocalHarness):
    """The same processes, each in a network namespace of its own."""

    def runner_with(
        self, engine: Path, data_dir: Path | None = None, *, grace_s: float = STOP_GRACE_S
    ) -> RecordedRunner:
        driver = LlamaCppDriver(partial(CATALOG.inspect, engine))
        return self.assembled("netns", NamespacePlace, driver, data_dir, grace_s)


class ParrotHarness(LocalHarness):
    """Real processes of an engine that has nothing in common with llama.cpp."""

    words = PARROT

    def __init__(self, data_dir: Path, model: Path) -> None:
        super().__init__(
            data_dir, _program(data_dir.parent.parent / "parrot" / "parrot", _FAKES / "parrot_engine.py"), model
        )

    def runner_with(
        self, engine: Path, data_dir: Path | None = None, *, grace_s: float = STOP_GRACE_S
    ) -> RecordedRunner:
        return self.assembled("local", LocalPlace, ParrotDriver(engine), data_dir, grace_s)

    def stubborn_runner(self) -> RecordedRunner:
        return self.runner_with(self.engine, grace_s=SHORT_GRACE_S)

    def late_config(self) -> ServerConfig:
        return self.config(extra_args=["--deaf"])

    def talkative_runner(self) -> RecordedRunner:
        return self.runner()

    def talkative_config(self, lines: int) -> ServerConfig:
        return self.config(extra_args=["--chatter", str(lines)])


class DasllamaHarness(LocalHarness):
    """Real processes of dasllama-server, behind a script where one must misbehave."""

    words = DASLLAMA

    def __init__(self, data_dir: Path, engine: Path, model: Path) -> None:
        super().__init__(data_dir, engine, model)
        self._odd = data_dir.parent / "odd-dasllama"
        self._no_model = data_dir.parent / "no-model"

    def runner_with(
        self, engine: Path, data_dir: Path | None = None, *, grace_s: float = STOP_GRACE_S
    ) -> RecordedRunner:
        driver = DasllamaDriver(partial(DASLLAMAS.inspect, engine))
        return self.assembled("local", LocalPlace, driver, data_dir, grace_s)

    def failing_config(self, **changes: object) -> ServerConfig:
        self._no_model.write_text("Dear reader, I am no model. " * 100)
        return self.config(model_path=self._no_model, **changes)

    def model_said(self) -> str:
        return "-m ./Tiny"

    def stubborn_runner(self) -> RecordedRunner:
        return self.runner_with(self._behind("trap '' TERM"), grace_s=SHORT_GRACE_S)

    def late_config(self) -> ServerConfig:
        return self.config()

    def talkative_runner(self) -> RecordedRunner:
        return self.runner_with(self._behind('[ "$1" = --help ] || seq -f "line %.0f" 0 "$((LINES - 1))"'))

    def talkative_config(self, lines: int) -> ServerConfig:
        self.environment["LINES"] = str(lines)
        return self.config()

    def _behind(self, what_first: str) -> Path:
        self._odd.write_text(f"#!/bin/sh\n{what_first}\nexec '{self.engine}' \"$@\"\n")
        self._odd.chmod(0o755)
        return self._odd


class ContainerHarness(_Configs):
    """Servers in containers: the same engine and the same stub, from an image."""

    def __init__(self, data_dir: Path, model: Path, service: PodmanService) -> None:
        self.data_dir = data_dir
        self.model = model
        self._service = service

    def runner(self, data_dir: Path | None = None) -> RecordedRunner:
        return self._runner_with(None, data_dir or self.data_dir)

    def _runner_with(self, engine: str | None, data_dir: Path, grace_s: float = STOP_GRACE_S) -> RecordedRunner:
        return container_runner(
            f"{self._service.engine}:{IMAGE}",
            data_dir,
            Path(engine) if engine else None,
            environment=self._service.environment,
            stop_grace_s=lambda: grace_s,
        )

    def stubborn_runner(self) -> RecordedRunner:
        return self._runner_with(STUB_IN_IMAGE, self.data_dir, SHORT_GRACE_S)

    def late_config(self) -> ServerConfig:
        return self.config(extra_args=["--stub-ignore-sigterm"])

    def talkative_runner(self) -> RecordedRunner:
        return self._runner_with(STUB_IN_IMAGE, self.data_dir)

    def talkative_config(self, lines: int) -> ServerConfig:
        return self.config(extra_args=["--stub-lines", str(lines)])

    async def kill_behind_back(self, handle: ProcessHandle) -> None:
        self._service.ask("POST", f"/containers/gglib-{handle.run}/kill")

    def is_there(self, handle: ProcessHandle) -> bool:
        return bool(self._service.containers(f"org.gglib.desktop.run={handle.run}"))

    def traces(self) -> list[str]:
        files = [str(path) for folder in ("servers", "logs") for path in (self.data_dir / folder).glob("*")]
        left = self._service.containers(f"org.gglib.desktop.data={self.data_dir}")
        return files + [each["Names"][0] for each in left]


class SshHarness(LocalHarness):
    """Real processes of a computer that is reached over ssh: this one, with an sshd of the test's own."""

    def __init__(self, data_dir: Path, engine: Path, model: Path, folder: Path) -> None:
        """``folder``: for sshd and for what is written there. Its path is short, as that of a socket must be."""
        super().__init__(data_dir, engine, model)
        self.sshd = Sshd(folder)
        self.sshd.configure(f"SetEnv XDG_STATE_HOME={folder} GGLIB_TEST_HARNESS={self._tag}\nMaxStartups 100")
        self.runs = folder / "gglib-desktop/runs"

    def machine(self) -> Machine:
        return SshMachine(Connector(SshAddress("there"), config=self.sshd.config))

    def runner_with(
        self, engine: Path, data_dir: Path | None = None, *, grace_s: float = STOP_GRACE_S
    ) -> RecordedRunner:
        folder = data_dir or self.data_dir
        return machine_runner(
            "ssh://there", folder, engine, machine=self.machine(), environment=os.environ, stop_grace_s=lambda: grace_s
        )

    def processes(self) -> list[psutil.Process]:
        """Servers alone: scripts end with the link."""
        return those(super().processes(), lambda each: INSTANCE_VARIABLE in each.environ())

    def traces(self) -> list[str]:
        runs = (f"{run}.log" if (run / "exit").exists() else str(run) for run in self.runs.glob("[0-9]*"))
        return [*super().traces(), *runs]


class MockHarness(_Configs):
    """Simulated servers."""

    def __init__(self, data_dir: Path, model: Path) -> None:
        self.data_dir = data_dir
        self.model = model
        self._runners: list[MockRunner] = []

    def runner(self, data_dir: Path | None = None) -> MockRunner:
        self._runners.append(MockRunner(data_dir or self.data_dir, timings=MockTimings(0.01, 0.05, 0.01)))
        return self._runners[-1]

    def stubborn_runner(self) -> MockRunner:
        return self.runner()

    def late_config(self) -> ServerConfig:
        return self.config(extra_args=[f"--mock-stop-s={SHORT_GRACE_S}"])

    def talkative_runner(self) -> MockRunner:
        return self.runner()

    def talkative_config(self, lines: int) -> ServerConfig:
        return self.config(extra_args=[f"--mock-log-lines={lines}"])

    async def kill_behind_back(self, handle: ProcessHandle) -> None:
        for runner in reversed(self._runners):
            with contextlib.suppress(RunnerUnavailable, NotRunning):
                runner.crash(handle, -9)

    def is_there(self, handle: ProcessHandle) -> bool:
        return any(record["pid"] == handle.pid for record in self._saved())

    def traces(self) -> list[str]:
        return [str(path) for path in (self.data_dir / "logs").glob("*")] + [
            str(record["run"]) for record in self._saved()
        ]

    def _saved(self) -> list[dict[str, object]]:
        found = []
        for file in (self.data_dir / "servers").glob("*.json"):
            with contextlib.suppress(FileNotFoundError):  # it ended in this moment
                found.append(json.loads(file.read_text()))
        return found


CATALOG = LlamaEngineCatalog(os.environ)
# Without its control start, which would run for each script in front of it.
DASLLAMAS = ProgramCatalog(replace(DASLLAMA_PROGRAM, try_out=None), os.environ)


async def stop_all(harness: Harness) -> None:
    """Ends what a test left, whichever runner it was that started it."""
    async with harness.runner() as runner:
        await asyncio.gather(*(runner.kill(handle) for handle in await runner.list_running()))


async def busy_slots(runner: Runner, handle: ProcessHandle) -> int | None:
    """How many slots work on a request; None where the engine does not tell."""
    slots = await runner.slots(handle)
    return None if slots is None else sum(slot.is_busy for slot in slots)
