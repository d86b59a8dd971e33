"""A ``docker run`` command and a Kubernetes manifest, run by Podman in a network of their own."""

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gglib_desktop.domain.commandline.exports.containers import CONTAINER_IMAGE
from gglib_desktop.domain.commandline.exports.export import ExportFormat, export
from tests.fakes.container_services import PodmanService
from tests.fakes.engine_image import IMAGE
from tests.fakes.waiting import poll
from tests.places import skip_place

pytestmark = pytest.mark.llama

PORT = 9001
NAME = "Tiny $X 'é'"
TEMPLATE = "{% for m in messages %}{{ m.content }} $HOME ${X} # 'q' {% endfor %}"
_ASK = """
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], headers={"Authorization": f"Bearer {sys.argv[2]}"})
print(urllib.request.urlopen(request, timeout=30).read().decode())
"""


def _network_of(process: int | str) -> Path:
    return Path(f"/proc/{process}/ns/net").readlink()


class Network:
    """Runs programs where nothing of this computer's is reached, and where Podman's bridge and rules stay."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = {name: value for name, value in environment.items() if name != "CONTAINER_HOST"}
        self._holder = subprocess.Popen(("unshare", "--net", "sleep", "infinity"), stderr=subprocess.PIPE)

    async def open(self) -> str:
        """The refusal, if there is any."""
        await poll(lambda: self._holder.poll() or _network_of(self._holder.pid) != _network_of("self"))
        if self._holder.poll() is None:
            return self.run("ip", "link", "set", "lo", "up").stderr
        return self._holder.communicate()[1].decode().strip()

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        inside = ("nsenter", "--target", str(self._holder.pid), "--net", *words)
        environment = {**self._environment, **environment}
        return subprocess.run(inside, capture_output=True, text=True, check=False, env=environment)

    def ask(self, path: str, key: str = "") -> str:
        return self.run(sys.executable, "-c", _ASK, f"http://127.0.0.1:{PORT}{path}", key).stdout

    def close(self) -> None:
        self._holder.kill()
        self._holder.communicate()


@pytest.fixture
async def network(podman_service: PodmanService) -> AsyncIterator[Network]:
    network = Network(podman_service.environment)
    if why := await network.open():
        network.close()
        skip_place("podman", why)
    yield network
    network.close()


@pytest.fixture
def argv(tmp_path: Path, plain_model: Path) -> tuple[str, ...]:
    model = tmp_path / 'it\'s, $HOME: "100%"' / "my 'model' #1.gguf"
    model.parent.mkdir()
    shutil.copyfile(plain_model, model)
    words = ("-m", str(model), "--host", "127.0.0.1", "--port", str(PORT), "-c", "512", "-t", "1", "--alias", NAME)
    return ("/opt/llama-server", *words, "--chat-template", TEMPLATE)


async def test_docker_run_starts_the_server_with_its_key(network, argv):
    text = export(argv, ExportFormat.DOCKER, {"LLAMA_API_KEY": ""}).replace(CONTAINER_IMAGE, IMAGE)
    # In the background: Podman waits 20 s for the end of one in front where it cannot watch control groups.
    text = text.replace("docker run", "podman run --pull=never --detach", 1)
    started = network.run("/bin/sh", "-c", text, LLAMA_API_KEY="s3cr3t")
    assert started.returncode == 0, started.stderr
    try:
        assert NAME in await poll(lambda: network.ask("/v1/models"))
        props = await poll(lambda: network.ask("/props", key="s3cr3t"))
        assert "${X} # 'q'" in props
        assert not network.ask("/props")
    finally:
        network.run("podman", "rm", "--force", "--time=0", started.stdout.strip())


async def test_kube_play_runs_the_manifest(network, argv, tmp_path):
    manifest = tmp_path / "kubernetes.yaml"
    manifest.write_text(export(argv, ExportFormat.KUBERNETES).replace(CONTAINER_IMAGE, IMAGE))
    started = network.run("podman", "kube", "play", str(manifest))
    try:
        assert started.returncode == 0, started.stderr
        assert NAME in await poll(lambda: network.ask("/v1/models"))
        assert "${X} # 'q'" in await poll(lambda: network.ask("/props"))
    finally:
        network.run("podman", "kube", "down", str(manifest))
