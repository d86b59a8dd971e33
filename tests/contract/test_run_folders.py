"""An engine that runs in a folder of the run's own: what becomes of that, and servers of it that are not ours."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.servers.foreign import ForeignServer
from gglib_desktop.domain.servers.server import ProcessHandle
from tests.contract.harness import DasllamaHarness, stop_all
from tests.contract.test_process_runner import becomes_healthy
from tests.fakes.ports import some_base_port
from tests.fakes.waiting import poll

pytestmark = pytest.mark.llama


@pytest.fixture
async def harness(dasllama: DasllamaHarness):
    yield dasllama
    await stop_all(dasllama)


def folders(harness: DasllamaHarness) -> list[Path]:
    return list((harness.data_dir / "runs").glob("*"))


async def test_the_folder_of_one_that_ended_unseen_is_removed(harness):
    async with harness.runner() as old:
        handle = await old.start(harness.config())
        (folder,) = folders(harness)
        assert (folder / "Tiny").resolve() == harness.model.resolve()
    process = psutil.Process(handle.pid)
    process.kill()
    process.wait()
    async with harness.runner() as new:
        assert await new.list_running() == []
        await poll(lambda: not folders(harness))
    assert harness.model.exists()


async def test_the_folder_of_one_that_was_found_again_goes_with_it(harness):
    async with harness.runner() as old:
        handle = await old.start(harness.config())
    async with harness.runner() as new:
        await new.stop(handle)
        assert folders(harness) == []


@pytest.fixture
def stranger(dasllama: DasllamaHarness, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    words = ("-m", str(dasllama.model), "--port", str(some_base_port()), "--ctx", "512", "-t", "1")
    environment = {**dasllama.environment, "HOME": str(tmp_path), "DASLLAMA_IMAGE_SAVE": "0"}
    with subprocess.Popen((dasllama.engine, *words), env=environment, stdout=subprocess.DEVNULL) as process:
        yield process
        process.kill()


async def test_one_that_another_program_started_is_found_and_taken_over(harness, runner, stranger):
    async def listed():
        return [each for each in await runner.list_foreign() if each.pid == stranger.pid]

    found: list[ForeignServer] = await poll(listed)

    async def taken_over() -> ProcessHandle | None:
        with contextlib.suppress(ConfigurationError):  # it does not listen yet
            adopted: ProcessHandle = await runner.adopt(found[0], model_id=7, model_name="Tiny")
            return adopted
        return None

    handle: ProcessHandle = await poll(taken_over)  # type: ignore[arg-type]  # mypy cannot tell what poll awaits
    config = runner.describe(handle).config
    assert (config.model_path, config.context_size) == (harness.model.resolve(), 512)
    assert runner.names_said(config, runner.describe(handle).command_line) == (harness.model.name,)
    await becomes_healthy(runner, handle)
    await runner.stop(handle)
    assert stranger.wait() == -15
    assert folders(harness) == []
