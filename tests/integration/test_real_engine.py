"""A supervisor over real llama-server processes, from start to every kind of end."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from gglib_desktop.adapters.engines.llama_cpp.catalog import LlamaEngineCatalog
from gglib_desktop.adapters.gguf.demo_model import DemoArchitecture, DemoSpec, write_demo_model
from gglib_desktop.adapters.library.model_files import DiskModelFiles
from gglib_desktop.adapters.runner.kinds import local_runner
from gglib_desktop.adapters.runner.recorded_runner import RecordedRunner
from gglib_desktop.domain.models.model import ModelFile
from gglib_desktop.domain.models.scan import FoundModel
from gglib_desktop.domain.servers.failures import FailureCause, ServerExit, StopRung
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig
from gglib_desktop.domain.servers.states import Busy, Healthy, Stopped
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.tasks import LogReporter, TaskScope
from tests.fakes.ports import some_base_port
from tests.fakes.supervision import KeptBugs, Story
from tests.fakes.waiting import DEADLINE_S, poll

pytestmark = pytest.mark.llama

GRACE_S = 2.0
# After so long at the latest a server that does nothing is shown as Unresponsive.
LONGEST_FREEZE_S = 10.0


class Engine:
    """Makes supervisors over one data directory, as successive runs of the program do."""

    def __init__(self, data_dir: Path, path: Path) -> None:
        self._data_dir = data_dir
        self._path = path
        self.environment = dict(os.environ)
        self.bugs = KeptBugs()

    def runner(self) -> RecordedRunner:
        catalog = LlamaEngineCatalog(self.environment)
        return local_runner(
            self._data_dir,
            lambda: catalog.inspect(self._path),
            environment=self.environment,
            stop_grace_s=lambda: GRACE_S,
        )

    def supervisor(self, runner: RecordedRunner) -> Supervisor:
        return Supervisor(runner, runner, self.bugs, stop_grace_s=lambda: GRACE_S, examine_model=examine)


async def examine(path: Path) -> ModelFile:
    return await asyncio.to_thread(DiskModelFiles(path.parent).examine, FoundModel(path, (path,)))


@pytest.fixture
def engine(data_dir, engine_path):
    engine = Engine(data_dir, engine_path)
    yield engine
    assert not engine.bugs.bugs


@pytest.fixture
async def runner(engine) -> AsyncIterator[RecordedRunner]:
    async with engine.runner() as runner:
        yield runner
        await asyncio.gather(*(runner.kill(handle) for handle in await runner.list_running()))


@pytest.fixture
async def story(engine, runner) -> AsyncIterator[Story]:
    supervisor = engine.supervisor(runner)
    yield Story(supervisor)
    await supervisor.aclose()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(verify=False, trust_env=False, timeout=DEADLINE_S) as client:
        yield client


@pytest.fixture
def config(tiny_model):
    def config(*extra_args, model_id=1, **changes):
        given = {"model_id": model_id, "model_name": f"Model {model_id}", "model_path": tiny_model, "threads": 1}
        return ServerConfig.from_mapping(given | {"base_port": some_base_port(), "extra_args": extra_args} | changes)

    return config


def chat(handle: ProcessHandle, **body: object) -> tuple[str, dict[str, object]]:
    question = {"messages": [{"role": "user", "content": "Hello?"}], "max_tokens": 24, "temperature": 0}
    return f"http://127.0.0.1:{handle.port}/v1/chat/completions", question | body


async def answer(http: httpx.AsyncClient, handle: ProcessHandle) -> dict[str, Any]:
    url, body = chat(handle)
    reply = await http.post(url, json=body)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def said(reply: dict[str, Any]) -> str:
    message = reply["choices"][0]["message"]
    return (message.get("reasoning_content") or "") + (message.get("content") or "")


def argv(handle: ProcessHandle) -> list[str]:
    return list(psutil.Process(handle.pid).cmdline())


def exists(handle: ProcessHandle) -> bool:
    """Zombies count."""
    assert handle.pid is not None
    return bool(psutil.pid_exists(handle.pid))


def send(handle: ProcessHandle, number: signal.Signals) -> None:
    assert handle.pid is not None
    os.kill(handle.pid, number)


# -- serving


async def test_start_ready_chat_stop_gone(story, http, config, data_dir):
    server_id = story.supervisor.start(config(context_size=1024))
    await story.reaches(server_id, "Healthy")
    handle, snapshot = story.handle(server_id), story.supervisor.server(server_id)
    assert snapshot.facts is not None
    assert snapshot.facts.context_size == 1024
    assert snapshot.rss_bytes
    assert argv(handle)[1:3] == ["-m", str(config().model_path)]
    reply = await answer(http, handle)
    assert len(said(reply)) >= 10
    assert reply["usage"]["completion_tokens"] == 24
    await story.supervisor.stop(server_id)
    assert story.state(server_id).end == ServerExit(0, StopRung.SIGTERM)
    assert not exists(handle)
    assert list((data_dir / "servers").iterdir()) == []
    words = story.words(server_id)
    assert [word for word in words if word != "Loading"] == ["Starting", "Healthy", "Stopping", "Stopped"]


async def test_it_drafts_with_the_models_own_layers(story, http, config):
    server_id = story.supervisor.start(config(spec_draft_n_max=3, spec_draft_p_min=0.1))
    await story.reaches(server_id, "Healthy")
    words = argv(story.handle(server_id))
    assert words[words.index("--spec-type") + 1] == "draft-mtp"
    assert words[words.index("--spec-draft-n-max") + 1] == "3"
    assert words[words.index("--spec-draft-p-min") + 1] == "0.1"
    reply = await answer(http, story.handle(server_id))
    assert reply["timings"]["draft_n"] > 0
    await story.supervisor.stop(server_id)


async def test_stopping_one_of_two_leaves_the_other_serving(story, http, config, plain_model):
    base_port = some_base_port()
    first = story.supervisor.start(config(base_port=base_port))
    second = story.supervisor.start(config(base_port=base_port, model_id=2, model_path=plain_model))
    await story.reaches(first, "Healthy")
    await story.reaches(second, "Healthy")
    assert story.handle(first).port != story.handle(second).port
    await story.supervisor.stop(first)
    assert said(await answer(http, story.handle(second)))
    assert isinstance(story.state(second), Healthy)
    await story.supervisor.stop(second)


async def test_another_draft_setting_changes_the_running_process(story, config):
    server_id = story.supervisor.start(config(spec_draft_n_max=2))
    await story.reaches(server_id, "Healthy")
    port = story.handle(server_id).port
    story.supervisor.restart(server_id, config(spec_draft_n_max=5, port=port))
    await story.reaches_again(server_id, "Healthy")
    words = argv(story.handle(server_id))
    assert words[words.index("--spec-draft-n-max") + 1] == "5"
    assert story.handle(server_id).port == port, "a port in TIME_WAIT can be used again at once"
    await story.supervisor.stop(server_id)


async def test_our_environment_configures_no_engine(engine, http, config):
    engine.environment |= {"LLAMA_ARG_CTX_SIZE": "1024", "LLAMA_API_KEY": "secret"}
    async with engine.runner() as runner:
        supervisor = engine.supervisor(runner)
        story = Story(supervisor)
        server_id = supervisor.start(config())
        await story.reaches(server_id, "Healthy")
        facts = supervisor.server(server_id).facts
        assert facts is not None, "an inherited key would refuse the question"
        assert facts.context_size == 8192
        await supervisor.stop(server_id)
        await supervisor.aclose()


# -- failing to start


async def failure(story: Story, config: ServerConfig, words: list[str]) -> FailureCause:
    """The cause of a failed start, with one of ``words`` in the evidence and nothing left behind."""
    server_id = story.supervisor.start(config)
    failed = await story.reaches(server_id, "Failed")
    assert "Healthy" not in story.words(server_id)
    log = (await story.supervisor.monitor.read_log(story.supervisor.server(server_id).log_name, 0, 10**6)).data.decode()
    for word in words:
        # This build, when the machine is busy, can end before it has written its last lines.
        assert word not in log or any(word in line for line in failed.failure.evidence), failed.failure
    cause: FailureCause = failed.failure.cause
    return cause


async def test_drafting_without_layers(story, config, plain_model):
    wrong = config(model_path=plain_model, spec_draft_n_max=2)
    cause = await failure(story, wrong, ["failed to create MTP context"])
    assert cause is FailureCause.MTP_LAYERS_MISSING


async def test_an_unknown_flag(story, config):
    cause = await failure(story, config("--no-such-flag"), ["error: invalid argument: --no-such-flag"])
    assert cause is FailureCause.UNKNOWN_FLAG


async def test_a_port_that_another_program_has(story, config):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server_id = story.supervisor.start(config(port=port))
        failed = await story.reaches(server_id, "Failed")
    assert failed.failure.cause is FailureCause.PORT_TAKEN
    assert str(port) in failed.failure.detail
    assert f"pid {os.getpid()}" in failed.failure.detail


async def test_a_truncated_model(story, config, tiny_model, tmp_path):
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(tiny_model.read_bytes()[: tiny_model.stat().st_size // 2])
    assert await failure(story, config(model_path=cut), ["failed to load model"]) is FailureCause.MODEL_CORRUPT


async def test_a_file_that_is_no_model(story, config, tmp_path):
    text = tmp_path / "text.gguf"
    text.write_text("not a model at all\n" * 100)
    assert await failure(story, config(model_path=text), ["invalid magic"]) is FailureCause.MODEL_CORRUPT


# -- ends of all kinds


async def test_stopping_in_the_middle_of_a_generation(story, http, config):
    """This build hangs nearly always on the first SIGTERM while a request generates."""
    server_id = story.supervisor.start(config())
    await story.reaches(server_id, "Healthy")
    handle = story.handle(server_id)
    url, body = chat(handle, max_tokens=100_000, stream=True, ignore_eos=True, temperature=1)

    async def listen(talking: asyncio.Event) -> None:
        try:
            async with http.stream("POST", url, json=body) as reply:
                async for line in reply.aiter_lines():
                    if line.startswith("data: {") and json.loads(line[6:]).get("choices"):
                        talking.set()
        except httpx.HTTPError:
            pass  # it was stopped

    talking = asyncio.Event()
    listening = asyncio.ensure_future(listen(talking))
    await talking.wait()
    await story.supervisor.stop(server_id)
    assert not exists(handle)
    stopped = story.state(server_id)
    assert isinstance(stopped, Stopped)
    assert stopped.end is not None
    assert stopped.end.asked_for
    await listening


async def test_one_that_is_killed_has_crashed_at_once(story, config):
    server_id = story.supervisor.start(config())
    await story.reaches(server_id, "Healthy")
    handle = story.handle(server_id)
    send(handle, signal.SIGKILL)
    crashed = await story.reaches(server_id, "Crashed")
    assert crashed.failure.exit == ServerExit(-9)
    assert crashed.failure.cause is FailureCause.KILLED
    assert not exists(handle)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_one_that_somebody_asked_to_end_says_so(story, config, number):
    server_id = story.supervisor.start(config())
    await story.reaches(server_id, "Healthy")
    send(story.handle(server_id), number)
    crashed = await story.reaches(server_id, "Crashed")
    assert (crashed.failure.exit, crashed.failure.cause) == (ServerExit(0), FailureCause.KILLED)


async def test_a_paused_one_is_unresponsive_until_it_goes_on(story, config):
    server_id = story.supervisor.start(config())
    await story.reaches(server_id, "Healthy")
    handle = story.handle(server_id)
    send(handle, signal.SIGSTOP)
    unresponsive = await story.reaches(server_id, "Unresponsive")
    assert unresponsive.paused
    send(handle, signal.SIGCONT)
    await story.reaches(server_id, "Healthy")
    assert story.words(server_id)[-4:] == ["Healthy", "Degraded", "Unresponsive", "Healthy"]
    await story.supervisor.stop(server_id)


@pytest.fixture(scope="session")
def slow_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose prompts of 8,000 tokens take many seconds each."""
    path = tmp_path_factory.mktemp("models") / "slow.gguf"
    return write_demo_model(path, DemoSpec("Slow", DemoArchitecture.LLAMA, context=32_768, layers=4, ffn=512))


async def test_long_prompts_are_no_reason_to_worry(story, http, config, slow_model):
    """Each in one batch, during which the engine does nothing else, for longer than a frozen server is waited for."""
    server_id = story.supervisor.start(config("-b", "8192", "-ub", "8192", model_path=slow_model))
    await story.reaches(server_id, "Healthy")
    handle = story.handle(server_id)

    async def ask(number: int) -> None:
        prompt = [5 + (place * 7 + number) % 90 for place in range(8000)]
        body = {"prompt": prompt, "n_predict": 1, "cache_prompt": False}
        while True:
            reply = await http.post(f"http://127.0.0.1:{handle.port}/completion", json=body, timeout=300)
            assert reply.status_code == 200, reply.text

    async def busy_slots():
        return [slot for slot in await story.supervisor.monitor.slots(handle) or () if slot.is_busy]

    async with TaskScope(LogReporter()) as scope:
        asking = {scope.start(ask(number), name="long prompt") for number in range(4)}
        await poll(busy_slots)
        story.events.clear()
        ended, _going_on = await asyncio.wait(asking, timeout=LONGEST_FREEZE_S, return_when=asyncio.FIRST_COMPLETED)
        assert not ended
        assert await busy_slots(), "it was at it all the time"
    assert set(story.words(server_id)) <= {"Healthy", "Busy"}
    assert isinstance(story.state(server_id), Healthy | Busy)
    await story.supervisor.kill(server_id)


# -- what outlives the program


async def test_a_server_outlives_the_program_and_is_taken_over(engine, http, config):
    async with engine.runner() as earlier:
        supervisor = engine.supervisor(earlier)
        story = Story(supervisor)
        server_id = supervisor.start(config(context_size=2048))
        await story.reaches(server_id, "Healthy")
        handle, before = story.handle(server_id), supervisor.server(server_id)
        log_before = await supervisor.monitor.read_log(before.log_name, 0, 10**6)
        await supervisor.aclose()
    async with engine.runner() as runner:
        supervisor = engine.supervisor(runner)
        story = Story(supervisor)
        assert await supervisor.adopt() == 1
        (adopted,) = supervisor.servers
        await story.reaches(adopted.id, "Healthy")
        adopted = supervisor.server(adopted.id)
        assert story.handle(adopted.id) == handle
        assert (adopted.config, adopted.command_line) == (before.config, before.command_line)
        assert adopted.log_name == before.log_name
        assert said(await answer(http, handle))
        log = await supervisor.monitor.read_log(adopted.log_name, 0, 10**6)
        assert log.data.startswith(log_before.data), "its log goes on where it was"
        assert len(log.data) > len(log_before.data)
        send(handle, signal.SIGKILL)
        crashed = await story.reaches(adopted.id, "Crashed")
        assert crashed.failure.evidence
        await poll(lambda: not exists(handle))
        supervisor.restart(adopted.id)
        await story.reaches_again(adopted.id, "Healthy")
        assert story.handle(adopted.id).pid != handle.pid
        await supervisor.stop(adopted.id)
        await supervisor.aclose()
