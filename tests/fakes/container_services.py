"""Container engines of the tests' own: their configuration, images and containers lie in a temporary folder."""

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.fakes.waiting import DEADLINE_S
from tests.places import is_required

# No limits that a sandbox cannot give, nothing of systemd, nothing outside the folder.
_CONTAINERS = """
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
tmp_dir = "{folder}/tmp"
static_dir = "{folder}/graph/libpod"
volume_path = "{folder}/volumes"
[network]
network_config_dir = "{folder}/networks"
"""
_STORAGE = """
[storage]
driver = "{driver}"
graphroot = "{folder}/graph"
runroot = "{folder}/run"
"""


class PodmanService:
    """``start`` it after ``refusal``; it may be killed and started again. ``folder`` needs a short name."""

    engine = "podman"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "p.sock"
        self.environment = {
            **os.environ,
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
            "CONTAINER_HOST": f"unix://{self.socket}",
        }
        (folder / "containers.conf").write_text(_CONTAINERS.format(folder=folder))
        self._process: subprocess.Popen[bytes] | None = None

    def refusal(self) -> str:
        """Why it runs no containers here, in its own words; empty where it does."""
        if shutil.which("podman") is None:
            return "podman is not installed"
        for driver in ("overlay", "vfs"):
            (self.folder / "storage.conf").write_text(_STORAGE.format(folder=self.folder, driver=driver))
            shutil.rmtree(self.folder / "graph", ignore_errors=True)
            if not (why := self._says("info")):
                return ""
        return why

    def load(self, archive: Path) -> str:
        """Why it does not take an image; empty where it does."""
        return self._says("load", "--quiet", "--input", str(archive))

    def try_out(self, image: str, program: str) -> str:
        """Why it runs no program of an image; empty where it does."""
        return self._says("run", "--rm", "--entrypoint", program, image, "--version")

    def _says(self, *words: str) -> str:
        environment = {name: value for name, value in self.environment.items() if name != "CONTAINER_HOST"}
        said = subprocess.run(("podman", *words), capture_output=True, text=True, check=False, env=environment)
        return said.stderr.strip() or f"exit code {said.returncode}" if said.returncode else ""

    def start(self) -> None:
        self._run("podman", "system", "service", "--time=0", f"unix://{self.socket}")

    def _run(self, *words: str) -> None:
        self.socket.unlink(missing_ok=True)
        environment = {name: value for name, value in self.environment.items() if name != "CONTAINER_HOST"}
        with (self.folder / "service.log").open("ab") as log:
            self._process = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + DEADLINE_S
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "service.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """The service alone; the containers go on."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def say(self, *words: str) -> None:
        """Tells Podman itself, which needs no service."""
        assert not (why := self._says(*words)), why

    def clean_up(self) -> None:
        """Ends it, and removes all that it wrote, also what it has mounted."""
        self.kill()
        self._says("system", "reset", "--force")
        if shutil.which("umount"):
            subprocess.run(("umount", "-l", str(self.folder / "graph" / "overlay")), capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            return self.ask("GET", "/_ping")[0] == http.client.OK
        except OSError:
            return False

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One question, and the status and the content of the answer."""
        connection = _Unix(self.socket)
        with contextlib.closing(connection):
            content = body if body is None or isinstance(body, bytes) else json.dumps(body)
            connection.request(method, f"/v1.41{path}", content, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        return answer.status, json.loads(text) if text[:1] in {b"{", b"["} else text

    def containers(self, label: str = "") -> list[dict[str, Any]]:
        """All that there are, or those with a label."""
        filters = quote(json.dumps({"label": [label]} if label else {}))
        found: list[dict[str, Any]] = self.ask("GET", f"/containers/json?all=1&filters={filters}")[1]
        return found

    def remove_all(self) -> list[str]:
        """The names of those that were left."""
        left = [each["Names"][0] for each in self.containers()]
        for each in self.containers():
            self.ask("DELETE", f"/containers/{each['Id']}?force=1")
        return left


class DockerService(PodmanService):
    """The same of Docker. It changes the network of the computer, so it is started only where it is asked for."""

    engine = "docker"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.environment["DOCKER_HOST"] = f"unix://{self.socket}"

    def refusal(self) -> str:
        if shutil.which("dockerd") is None:
            return "docker is not installed"
        if not is_required("docker"):
            return "dockerd changes the network of this computer; GGLIB_REQUIRE=docker allows it"
        return "" if os.getuid() == 0 else "dockerd must be started by root"

    def start(self) -> None:
        # Without rules of its own in the firewall, its ports are served by a program.
        self._run(
            "dockerd",
            *("--data-root", str(self.folder / "data"), "--exec-root", str(self.folder / "exec")),
            *("--pidfile", str(self.folder / "pid"), "--host", f"unix://{self.socket}", "--iptables=false"),
            *("--default-ulimit", "nofile=4096:4096"),
        )

    def load(self, archive: Path) -> str:
        status, said = self.ask("POST", "/images/load", archive.read_bytes())
        return "" if status == http.client.OK else str(said)

    def try_out(self, image: str, program: str) -> str:
        wanted = {"Image": image, "Entrypoint": [program], "Cmd": ["--version"]}
        created = self.ask("POST", "/containers/create", wanted)[1]
        status, said = self.ask("POST", f"/containers/{created['Id']}/start")
        self.remove_all()
        return "" if status == http.client.NO_CONTENT else str(said)

    def clean_up(self) -> None:
        assert self._process is not None
        self._process.terminate()  # with the daemon of its own that it has started
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))
