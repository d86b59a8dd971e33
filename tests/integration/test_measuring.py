"""A real engine is measured: what comes out, and that nothing is left whatever ends it."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys

import psutil
import pytest

from gglib_desktop.adapters.engines.llama_cpp.catalog import LlamaEngineCatalog
from gglib_desktop.adapters.requests.sqlite_advice import SqliteAdviceStore
from gglib_desktop.adapters.runner.beside_window.measured import EXPERIMENTS, measured_runner
from gglib_desktop.domain.advisor.plan import Depth, make_plan
from gglib_desktop.domain.advisor.settings import OFF
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.services.advisor.advisor import Advisor
from gglib_desktop.services.advisor.kept import KeptAdvice
from gglib_desktop.services.advisor.subject import Subject
from tests.fakes.library import some_facts
from tests.fakes.waiting import DEADLINE_S, poll

pytestmark = pytest.mark.llama


def held(data_dir):
    """The servers of measurements below the folder."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("GGLIB_MEASURED_BELOW") == str(data_dir) and "--port" in process.cmdline():
                found.append(process)
    return found


@pytest.fixture
async def advised(data_dir, engine_path, tiny_model, scope):
    """An advisor over the real engine, and what it measures."""
    engine = await LlamaEngineCatalog(os.environ).inspect(engine_path)
    store = SqliteAdviceStore(data_dir / "advice.sqlite")

    async def nothing(_subject, _config):
        return 0

    environment = {**os.environ, "GGLIB_MEASURED_BELOW": str(data_dir)}
    advisor = Advisor(
        lambda engine: measured_runner(data_dir, engine, environment=environment),
        store,
        KeptAdvice(store),
        scope,
        short_of=nothing,
        now=lambda: 1e9,
    )
    model = Model(1, tiny_model, some_facts(mtp_layers=1), None, 0.0, "Tiny")
    yield advisor, Subject(model, ServerConfig(1, "Tiny", tiny_model, 9000, threads=1), engine), store
    await store.aclose()


async def test_canceled_it_leaves_nothing_and_keeps_what_it_measured(advised, data_dir):
    advisor, subject, store = advised
    measuring = advisor.begin(subject, await advisor.plan(subject, Depth.QUICK))
    asked = asyncio.Event()
    measuring.subscribe(lambda progress: asked.set() if any(arm.requests for arm in progress.arms) else None)
    async with asyncio.timeout(DEADLINE_S):
        await asked.wait()
        measuring.cancel()
        assert await measuring.finished() is None
    assert held(data_dir) == []
    assert list((data_dir / EXPERIMENTS / "servers").iterdir()) == []
    assert {each.setting for each in await store.samples(subject.conditions, since=0)} == {OFF}


async def test_an_engine_that_is_killed_is_started_once_more(advised, data_dir):
    advisor, subject, _store = advised
    measuring = advisor.begin(subject, make_plan(Depth.QUICK, 0.1))
    killed: list[psutil.Process] = []

    def kill(progress):
        if not killed and any(arm.state == "measuring" for arm in progress.arms):
            killed.extend(held(data_dir))
            for process in killed:
                process.kill()

    measuring.subscribe(kill)
    answered = asyncio.Event()
    measuring.subscribe(lambda progress: answered.set() if killed and progress.arms[0].requests > 1 else None)
    async with asyncio.timeout(DEADLINE_S):
        await answered.wait()
        assert measuring.progress.arms[0].setting == OFF
        measuring.cancel()
        await measuring.finished()


async def test_killed_with_its_program_the_server_ends_and_its_record_goes(data_dir, engine_path, tiny_model):
    environment = {
        **os.environ,
        "GGLIB_DATA_DIR": str(data_dir),
        "GGLIB_LLAMA_SERVER_PATH": str(engine_path),
        "GGLIB_MEASURED_BELOW": str(data_dir),
    }
    words = ("-m", "gglib_desktop", "advise", str(tiny_model), "--", "-t", "1")
    quiet = asyncio.subprocess.DEVNULL
    program = await asyncio.create_subprocess_exec(sys.executable, *words, env=environment, stdout=quiet, stderr=quiet)
    await poll(lambda: held(data_dir))
    program.send_signal(signal.SIGKILL)
    await program.wait()
    await poll(lambda: not held(data_dir))
    await poll(lambda: list((data_dir / EXPERIMENTS / "servers").iterdir()) == [])


def test_what_a_shell_is_told(data_dir, tiny_model):
    environment = {**os.environ, "GGLIB_DATA_DIR": str(data_dir)}
    environment.pop("DISPLAY", None)

    def run(*words):
        code = (
            f"import sys; sys.argv[1:] = {list(words)!r}; sys.modules['PySide6'] = None; "
            "from gglib_desktop.__main__ import main; sys.exit(main())"
        )
        return subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
        )

    listed = run("list", "--json")
    assert listed.returncode == 0, listed.stderr
    assert '"servers": []' in listed.stdout
    assert run("advise").returncode == 2
    missing = run("advise", str(data_dir / "missing.gguf"))
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "gglib-desktop: " in missing.stderr
