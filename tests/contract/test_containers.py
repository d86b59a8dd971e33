"""What can happen to servers in containers: their engine dies, they are killed, restarted or full, or are of others."""

import asyncio
import contextlib
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from gglib_desktop.adapters.places.container.container_process import exit_of
from gglib_desktop.adapters.runner.containers import container_runner
from gglib_desktop.adapters.runner.place_kinds.container import ContainerKind
from gglib_desktop.domain.documents.places import PlaceDraft, Step, StepResult
from gglib_desktop.domain.errors import ChatError, ConfigurationError, RunnerUnavailable, StartFailed
from gglib_desktop.domain.servers.failures import Absence, FailureCause, StopRung
from gglib_desktop.domain.servers.health import ProbeResult
from gglib_desktop.domain.traffic.chat import AnswerText, ChatMessage, ChatRequest, Role
from gglib_desktop.services.servers.supervisor import Supervisor
from tests.contract.test_process_runner import becomes_healthy, log_says
from tests.fakes.engine_image import ENGINE, IMAGE
from tests.fakes.supervision import KeptBugs, Story
from tests.fakes.waiting import poll

pytestmark = pytest.mark.llama
# Leaves its servers without a word, as a program that is killed does.
_DIES = """
import asyncio, os, sys
from pathlib import Path
from gglib_desktop.api import ServerConfig, create_runner

async def main():
    async with create_runner(sys.argv[1], data_dir=Path(sys.argv[2])) as runner:
        await runner.start(ServerConfig.from_json(sys.argv[3]))
        os.kill(os.getpid(), 9)

asyncio.run(main())
"""


@pytest.fixture
async def service(podman, podman_service):
    """Podman's service, which the test may kill; it runs again afterwards, when all that is left is ended."""
    yield podman_service
    if not podman_service.runs:
        podman_service.start()
    async with podman.runner() as runner:
        await asyncio.gather(*(runner.kill(handle) for handle in await runner.list_running()))


async def test_a_server_outlives_the_service_of_its_engine(podman, service):
    async with podman.runner() as runner:
        handle = await runner.start(podman.config())
        await becomes_healthy(runner, handle)

        service.kill()

        ending = asyncio.ensure_future(runner.wait_exit(handle))
        await poll(partial(is_lost, runner, handle))
        assert (await runner.probe(handle, 10)).result is ProbeResult.OK, "as is seen from here, whatever is lost"
        assert await runner.list_running() == [handle]
        service.start()
        await runner.stop(handle)
        assert ((await ending).status, (await ending).stopped_by) == (0, StopRung.SIGTERM)


async def test_an_end_while_the_engine_is_silent_is_told_once_it_answers(podman, service):
    async with podman.runner() as runner:
        handle = await runner.start(podman.config())
        await becomes_healthy(runner, handle)
        ending = asyncio.ensure_future(runner.wait_exit(handle))
        service.kill()
        service.say("kill", f"gglib-{handle.run}")
        await poll(partial(is_lost, runner, handle))
        assert (await runner.probe(handle, 10)).result is ProbeResult.UNREACHABLE
        health = await runner.health(handle)
        assert not health.healthy
        assert f"podman:{IMAGE} cannot be reached since " in health.message
        assert await runner.list_running() == [handle]
        assert not ending.done()
        service.start()
        end = await ending
        assert (end.signal_number, end.asked_for, end.out_of_memory) == (9, False, False)
        assert runner.diagnose_for(podman.config())(end, [], served=True).cause is FailureCause.KILLED
        assert not podman.is_there(handle)


async def test_a_killed_engine_is_no_matter_of_memory(podman, service):
    async with podman.runner() as runner:
        handle = await runner.start(podman.config())
        await becomes_healthy(runner, handle)
        first = service.ask("GET", f"/containers/gglib-{handle.run}/json")[1]["State"]["Pid"]
        (engine,) = psutil.Process(first).children()
        engine.kill()
        end = await runner.wait_exit(handle)
        assert (end.signal_number, end.asked_for, end.out_of_memory) == (9, False, False)
        assert not podman.is_there(handle)


async def test_a_server_that_generates_ends_at_the_second_signal_at_the_latest(podman, service):
    async with podman.runner() as runner:
        handle = await runner.start(podman.config())
        await becomes_healthy(runner, handle)
        answer = runner.chat(handle)(ChatRequest((ChatMessage(Role.USER, "Count."),)))
        while not isinstance(await anext(answer), AnswerText):
            pass
        await runner.stop(handle)
        end = await runner.wait_exit(handle)
        assert end.stopped_by in {StopRung.SIGTERM, StopRung.SECOND_SIGTERM}
        assert not podman.is_there(handle)
        with contextlib.suppress(ChatError):
            await answer.aclose()


async def test_a_stop_without_the_service_says_so_and_is_done_later(podman, service):
    async with podman.runner() as runner:
        handle = await runner.start(podman.config())
        await becomes_healthy(runner, handle)
        service.kill()
        with pytest.raises(RunnerUnavailable, match="no container engine answers on"):
            await runner.stop(handle)
        assert await runner.list_running() == [handle]
        service.start()
        await runner.stop(handle)
        assert not podman.is_there(handle)


async def test_the_window_says_since_when_its_place_is_lost_and_is_right_afterwards(podman, service):
    async with podman.runner() as runner:
        supervisor = Supervisor(runner, runner, KeptBugs())
        story = Story(supervisor)
        gone, stays = (supervisor.start(podman.config(), another=True) for _ in range(2))
        handles = [(await story.reaches(each, "Healthy")).handle for each in (gone, stays)]
        began = time.time()
        service.say("pause", f"gglib-{handles[1].run}")
        service.kill()
        service.say("kill", f"gglib-{handles[0].run}")
        for server_id, handle in zip((gone, stays), handles, strict=True):
            lost = await story.reaches(server_id, "Unreachable")
            assert (lost.handle, lost.place) == (handle, f"podman:{IMAGE}")
            assert began <= lost.since <= time.time()
            assert "no container engine answers on" in lost.reason
        service.start()
        assert (await story.reaches(gone, "Crashed")).failure.exit.signal_number == 9
        service.say("unpause", f"gglib-{handles[1].run}")
        await story.reaches(stays, "Healthy")
        await supervisor.stop_all()
        await supervisor.aclose()


async def is_lost(runner, handle):
    try:
        await runner.is_running(handle)
    except RunnerUnavailable:
        return True
    return False


async def test_a_start_without_the_service_leaves_nothing(podman, service):
    async with podman.runner() as runner:
        first = await runner.start(podman.config())
        service.kill()
        with pytest.raises(RunnerUnavailable):
            await runner.start(podman.config())
        service.start()
        assert await runner.list_running() == [first]
        await runner.stop(first)
    assert [trace for trace in podman.traces() if not trace.endswith(".log")] == []


async def test_a_service_that_dies_during_a_start_leaves_no_server(podman, service):
    async with podman.runner() as runner:
        await runner.stop(await runner.start(podman.config()))
        starting = asyncio.ensure_future(runner.start(podman.config()))
        await poll(service.containers)
        service.kill()
        await asyncio.wait({starting})
        service.start()
        if starting.exception() is None:
            await runner.stop(starting.result())
        else:
            assert isinstance(starting.exception(), RunnerUnavailable | StartFailed)
        await poll(lambda: not service.containers())


async def test_a_killed_program_finds_its_server_again_with_all_of_its_log(podman, service):
    config = podman.config()
    died = await asyncio.to_thread(
        subprocess.run,
        (sys.executable, "-c", _DIES, f"podman:{IMAGE}", str(podman.data_dir), config.to_json()),
        env=service.environment,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    async with podman.runner() as runner:
        (handle,) = await runner.list_running()
        await becomes_healthy(runner, handle)
        name = runner.describe(handle).log_name
        await log_says(runner, name, podman.words.loaded)
        log = (await runner.read_log(name, 0, 10**6)).data.decode()
        assert log.count(podman.words.loaded) == 1
        service.say("kill", f"gglib-{handle.run}")
        await runner.wait_exit(handle)


async def test_how_a_server_ended_while_no_program_ran_is_known(podman, service):
    async with podman.runner() as old:
        handle = await old.start(podman.config())
        await becomes_healthy(old, handle)
    service.say("kill", f"gglib-{handle.run}")
    async with podman.runner() as new:
        assert await new.list_running() == []
        (lost,) = new.take_lost()
        assert (lost.end.status, lost.end.absence) == (-9, Absence.NOT_RUNNING)
        await log_says(new, lost.log_name, podman.words.loaded)
    assert not podman.is_there(handle)


async def test_a_container_that_somebody_started_again_is_not_touched(podman, service):
    async with podman.runner() as old:
        handle = await old.start(podman.config())
        await becomes_healthy(old, handle)
    name = f"gglib-{handle.run}"
    service.say("restart", "--time", "1", name)
    async with podman.runner() as new:
        assert await new.list_running() == []
        await new.stop(await new.start(podman.config()))
    assert service.ask("GET", f"/containers/{name}/json")[1]["State"]["Running"]
    service.ask("DELETE", f"/containers/{name}?force=1")


async def test_containers_of_others_are_not_touched(podman, service):
    others = {"Image": IMAGE, "Entrypoint": [ENGINE], "Cmd": ["--version"], "HostConfig": {"NetworkMode": "none"}}
    elsewhere = {"org.gglib.desktop.data": "/elsewhere", "org.gglib.desktop.run": "", "org.gglib.desktop.identity": ""}
    for labels in ({}, elsewhere):
        service.ask("POST", "/containers/create", others | {"Labels": labels})
    async with podman.runner() as runner:
        await runner.stop(await runner.start(podman.config()))
    assert len(service.remove_all()) == 2


async def test_what_an_earlier_program_could_not_remove_is_removed(podman, service):
    ours = {
        "org.gglib.desktop.data": str(podman.data_dir),
        "org.gglib.desktop.run": "",
        "org.gglib.desktop.identity": "earlier",
    }
    service.ask("POST", "/containers/create", {"Image": IMAGE, "Labels": ours})
    async with podman.runner() as runner:
        await runner.stop(await runner.start(podman.config()))
    assert service.containers() == []


async def test_a_server_may_read_the_named_files_and_do_nothing_else(podman, service, plain_model, tmp_path):
    missing = tmp_path / "gone" / "projector.gguf"
    async with podman.runner() as runner:
        template = tmp_path / "template.jinja"
        template.write_text("{{ messages }}")
        handle = await runner.start(podman.config(chat_template_file=template, require_api_key=True))
        told = service.ask("GET", f"/containers/gglib-{handle.run}/json")[1]
        assert {mount["Source"]: mount["RW"] for mount in told["Mounts"]} == {
            str(template): False,
            str(podman.model): False,
        }
        host = told["HostConfig"]
        assert host["PortBindings"] == {f"{handle.port}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(handle.port)}]}
        assert (host["Privileged"], host["AutoRemove"], host["Init"]) == (False, False, True)
        assert "no-new-privileges" in host["SecurityOpt"]
        assert "DAC_OVERRIDE" in "".join(host["CapDrop"]) or host["CapDrop"] == ["ALL"]
        key = runner.describe(handle).api_key
        assert key is not None
        assert key not in " ".join((*told["Config"]["Entrypoint"], *told["Config"]["Cmd"]))
        with contextlib.suppress(StartFailed):
            await runner.wait_exit(await runner.start(podman.config(extra_args=["--mmproj", str(missing)])))
    assert not missing.parent.exists()


async def test_a_model_whose_name_podman_cannot_read_is_served_through_a_link(podman, service, tmp_path):
    (tmp_path / "there").mkdir()
    odd = tmp_path / 'a, "b".gguf'
    shutil.copy(podman.model, odd)
    async with podman.runner() as runner:
        handle = await runner.start(podman.config(model_path=tmp_path / "there" / ".." / odd.name, host="localhost"))
        await becomes_healthy(runner, handle)
        (links,) = (podman.data_dir / "links").iterdir()
        assert [link.resolve() for link in links.iterdir()] == [odd]
        await runner.stop(handle)
        await poll(lambda: not links.exists())


async def test_an_image_that_is_not_there_is_not_pulled(podman, service, data_dir):
    async with container_runner("podman:localhost/none:1", data_dir, environment=service.environment) as runner:
        with pytest.raises(ConfigurationError, match="get it with: podman pull localhost/none:1"):
            await runner.start(podman.config())
    async with container_runner(
        f"podman:{IMAGE}", data_dir, Path("/opt/none"), environment=service.environment
    ) as runner:
        with pytest.raises(ConfigurationError, match="No such file or directory") as caught:
            await runner.start(podman.config())
        assert caught.value.field == "engine"
    assert service.containers() == []


async def test_the_steps_of_its_test_say_how_far_a_place_works(service, data_dir):
    kind = ContainerKind(data_dir, service.environment)
    steps = [step async for step in kind.test(PlaceDraft(f"podman:{IMAGE}"), None)]
    assert [(step.step, step.result) for step in steps] == [
        (each, StepResult.OK) for each in (Step.SOCKET, Step.CONNECTION, Step.IMAGE, Step.ENGINE)
    ]
    assert steps[1].said.startswith("podman ")
    assert steps[3].said.startswith(f"{ENGINE}, ")
    failing = [step async for step in kind.test(PlaceDraft("podman:localhost/none:1"), None)]
    assert [step.result for step in failing] == [StepResult.OK] * 2 + [StepResult.FAILED, StepResult.SKIPPED]
    assert "podman pull localhost/none:1" in failing[2].said
    assert service.containers() == []


@pytest.mark.parametrize(
    ("state", "limit", "stopped_by", "status", "out_of_memory"),
    [
        ({"ExitCode": 0}, 0, StopRung.SIGTERM, 0, False),
        ({"ExitCode": 1}, 0, StopRung.NONE, 1, False),
        ({"ExitCode": 137, "OOMKilled": False}, 0, StopRung.NONE, -9, False),
        ({"ExitCode": 137, "OOMKilled": True}, 0, StopRung.NONE, -9, True),
        ({"ExitCode": 137, "OOMKilled": False}, 2**26, StopRung.NONE, -9, True),
        ({"ExitCode": 137, "OOMKilled": False}, 2**26, StopRung.SIGKILL, -9, False),
        ({"ExitCode": 134}, 2**26, StopRung.NONE, -6, False),
        ({"ExitCode": 255}, 0, StopRung.NONE, 255, False),
    ],
)
def test_a_limit_says_memory_and_a_kill_alone_does_not(state, limit, stopped_by, status, out_of_memory):
    end = exit_of({"State": state, "HostConfig": {"Memory": limit}}, stopped_by)
    assert (end.status, end.out_of_memory, end.stopped_by) == (status, out_of_memory, stopped_by)
