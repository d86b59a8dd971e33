"""What is decided about containers before any engine is asked."""

import socket
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from gglib_desktop.adapters.machine.log_files import LogFolder
from gglib_desktop.adapters.places.container import creation
from gglib_desktop.adapters.places.container.addresses import socket_of, sockets_of
from gglib_desktop.adapters.places.container.container_process import ContainerProcess
from gglib_desktop.adapters.places.container.docker_api import DockerApi, _taken_from
from gglib_desktop.adapters.places.container.ends import Ends
from gglib_desktop.adapters.places.container.log_copy import LogCopy
from gglib_desktop.adapters.runner.place_kinds.container import ContainerKind
from gglib_desktop.domain.documents.places import PlaceDraft, Step, StepResult
from gglib_desktop.domain.documents.settings import PlaceSettings
from gglib_desktop.domain.errors import ConfigurationError, RunnerUnavailable
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.ports.servers.place import Command
from tests.fakes.waiting import poll


@pytest.mark.parametrize(
    ("engine", "environment", "sockets"),
    [
        ("podman", {"CONTAINER_HOST": "unix:///x/p.sock", "XDG_RUNTIME_DIR": "/run/user/7"}, ["/x/p.sock"]),
        (
            "podman",
            {"XDG_RUNTIME_DIR": "/run/user/7"},
            ["/run/user/7/podman/podman.sock", "/run/podman/podman.sock"],
        ),
        ("podman", {"DOCKER_HOST": "unix:///x/d.sock"}, ["/run/podman/podman.sock"]),
        ("docker", {"DOCKER_HOST": "unix:///x/d.sock"}, ["/x/d.sock"]),
        ("docker", {}, ["/run/docker.sock"]),
    ],
)
def test_where_an_engine_is_looked_for(engine, environment, sockets):
    assert [str(path) for path in sockets_of(engine, environment)] == sockets


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:2375", "ssh://host", "/x/p.sock"])
def test_an_engine_is_reached_over_a_unix_socket_alone(address):
    with pytest.raises(ConfigurationError, match="only unix sockets are used") as caught:
        sockets_of("docker", {"DOCKER_HOST": address})
    assert (caught.value.field, caught.value.value) == ("DOCKER_HOST", address)


def test_the_first_socket_that_is_there_is_taken(tmp_path):
    missing, there = tmp_path / "a.sock", tmp_path / "b.sock"
    with pytest.raises(RunnerUnavailable, match=f"no podman service listens on {missing} or {there}; start it with"):
        socket_of("podman", (missing, there))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(there))
        assert socket_of("podman", (missing, there)) == there


def test_the_frames_of_a_log_come_in_any_pieces():
    stream = b"".join(b"\x02\0\0\0" + len(text).to_bytes(4, "big") + text for text in (b"one\n", b"", b"two\n" * 99))
    came, taken = bytearray(), b""
    for at in range(0, len(stream), 7):
        came += stream[at : at + 7]
        taken += _taken_from(came)
    assert taken == b"one\n" + b"two\n" * 99
    assert came == b""


def test_the_files_that_a_command_line_names_are_bound(tmp_path):
    names = ("m-00001-of-00002.gguf", "m-00002-of-00002.gguf", "a.gguf", "b,c.gguf", "d.gguf", "e.gguf", "other.gguf")
    for name in names:
        (tmp_path / name).touch()
    named = creation.named_files(
        (
            str(tmp_path / "other.gguf"),  # the program is in the image
            str(tmp_path / "m-00001-of-00002.gguf"),
            f"--adapter={tmp_path / 'a.gguf'}",
            str(tmp_path / "b,c.gguf"),
            f"{tmp_path / 'd.gguf'}:0.5",
            f"{tmp_path / 'gone.gguf'},{tmp_path / 'e.gguf'}:0.5",
            str(tmp_path / "gone.gguf"),
            str(tmp_path),
        )
    )
    assert {Path(each).name for each in named} == set(names) - {"other.gguf"}


def test_files_that_podman_cannot_be_told_have_links(tmp_path):
    (tmp_path / "there").mkdir()
    for name in ("m,1-00001-of-00002.gguf", "m,1-00002-of-00002.gguf", f"{'ü' * 90}'\".gguf", "plain.gguf"):
        (tmp_path / name).touch()
    plain = str(tmp_path / "plain.gguf")
    words, links = creation.with_links(
        (
            "/opt/engine",
            str(tmp_path / "m,1-00001-of-00002.gguf"),
            f"{plain}:1,{tmp_path / 'there' / '..' / 'plain.gguf'}:0.5",
            f"--adapter={tmp_path / 'ü'}{'ü' * 89}'\".gguf:0.5",
            "text, with a comma",
            plain,
        ),
        Path("/links"),
    )
    long_name = f"{'ü' * 43}'_.gguf"
    assert words == [
        "/opt/engine",
        "/links/1-0-m_1-00001-of-00002.gguf",
        f"{plain}:1,/links/2-2-plain.gguf:0.5",
        f"--adapter=/links/3-3-{long_name}:0.5",
        "text, with a comma",
        plain,
    ]
    assert {name: file.name for name, file in links.items()} == {
        "1-0-m_1-00001-of-00002.gguf": "m,1-00001-of-00002.gguf",
        "1-0-m_1-00002-of-00002.gguf": "m,1-00002-of-00002.gguf",
        "2-2-plain.gguf": "plain.gguf",
        f"3-3-{long_name}": f"{'ü' * 90}'\".gguf",
    }


@pytest.mark.parametrize(
    ("host", "published"), [(None, "127.0.0.1"), ("localhost", "127.0.0.1"), ("0.0.0.0", "0.0.0.0")]
)
def test_a_port_is_published_at_the_address_of_the_host(tmp_path, host, published):
    config = ServerConfig(1, "m", tmp_path / "m.gguf", base_port=9000, host=host)
    record = ServerRecord("r", config, 9000, "")
    asked = creation.server("image", record, Command(("/engine",), {}), (), {})
    assert asked["HostConfig"]["PortBindings"] == {"9000/tcp": [{"HostIp": published, "HostPort": "9000"}]}


@pytest.mark.parametrize(
    ("told", "layers", "user", "asks"),
    [
        ({"Runtimes": {"nvidia": {}}}, None, None, True),
        ({"Runtimes": {"nvidia": {}}}, 0, None, False),
        ({"Runtimes": {"runc": {}}, "SecurityOptions": ["name=rootless"]}, None, "0:0", False),
    ],
)
def test_graphics_cards_are_asked_for_where_layers_may_use_them(told, layers, user, asks):
    config = ServerConfig(1, "Tiny", Path("/m/tiny.gguf"), 9000, gpu_layers=layers)
    asked = creation.server("i", ServerRecord("run", config, 9000, ""), Command(("/e", "-m"), {"A": "b"}), (), told)
    assert ("DeviceRequests" in asked["HostConfig"]) == asks
    assert user is None or asked["User"] == user
    assert asked["Env"] == ["A=b"]
    assert asked["HostConfig"]["CapDrop"] == ["ALL"]
    assert "Privileged" not in asked["HostConfig"]


def test_an_address_names_an_engine_and_an_image(tmp_path):
    kind = ContainerKind(tmp_path, {})
    entry = kind.entry(PlaceDraft(" podman:localhost/i:1 ", " Mine ", engine="/app/server"))
    assert entry == PlaceSettings(url="podman:localhost/i:1", name="Mine", engine="/app/server")
    assert kind.owns(entry)
    assert not kind.owns(PlaceSettings(url="ssh://host"))
    for address in ("", "podman:", "lxc:i", "podman:-x", "docker:/i", "docker:a b"):
        with pytest.raises(ConfigurationError, match="must be podman:IMAGE or docker:IMAGE"):
            kind.entry(PlaceDraft(address))
    with pytest.raises(ConfigurationError, match="path of a program in the image"):
        kind.entry(PlaceDraft("docker:i", engine="server"))


async def test_a_test_without_an_engine_says_what_to_start(tmp_path):
    kind = ContainerKind(tmp_path, {"CONTAINER_HOST": f"unix://{tmp_path}/none.sock"})
    steps = [step async for step in kind.test(PlaceDraft("podman:i"), None)]
    assert [step.result for step in steps] == [StepResult.FAILED, *[StepResult.SKIPPED] * 3]
    assert steps[0].step is Step.SOCKET
    assert "systemctl --user start podman.socket" in steps[0].said


class _Restarting:
    """An engine that is away when a container that has ended should be removed."""

    socket = Path("/engine.sock")

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.is_silent = False
        self.removed: list[str] = []

    async def container(self, name: str) -> dict[str, object]:
        if self.is_silent:
            raise RunnerUnavailable("no answer in time")
        state = {"StartedAt": "now", "Pid": 0, "Running": False, "ExitCode": 0, "OOMKilled": False}
        return {"Id": name, "State": state, "HostConfig": {}}

    async def copy_log(self, name: str, write: object, *, follow: bool) -> None:
        """It said nothing."""

    async def remove(self, name: str, *, force: bool = False) -> None:
        self.refusals -= 1
        if self.refusals >= 0:
            raise RunnerUnavailable("gone")
        self.removed.append(name)


@pytest.mark.jumping_clock
async def test_a_container_that_cannot_be_removed_now_is_removed_once_the_engine_is_back(tmp_path, scope):
    api = cast(DockerApi, engine := _Restarting(refusals=3))
    log = LogCopy(api, "abc", LogFolder(tmp_path), "run")
    process = ContainerProcess(api, await engine.container("abc"), log, scope, lambda _trouble: None)
    assert (await process.wait()).status == 0
    await process.watching
    assert engine.removed == ["abc"]


@pytest.mark.jumping_clock
async def test_an_engine_that_hangs_is_out_of_reach_until_it_answers_a_look(tmp_path, scope):
    api = cast(DockerApi, engine := _Restarting(refusals=0))
    found = await engine.container("abc")
    engine.is_silent = True
    ends = Ends(tmp_path, scope, lambda: None)
    log = LogCopy(api, "abc", LogFolder(tmp_path), "run")
    process = ContainerProcess(api, found, log, scope, partial(ends.take, api))
    await poll(lambda: ends.outage)
    assert ends.outage is not None
    assert ends.outage.reason == "no answer in time"
    engine.is_silent = False
    process.look()
    assert (await process.wait()).status == 0
    assert ends.outage is None
