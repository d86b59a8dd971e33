"""The Makefile installs what was locked, on any later day, and names the step and the cause when it cannot."""

from __future__ import annotations

import hashlib
import http.server
import os
import shutil
import subprocess
import sys
import threading
import venv
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The pip of Debian 12 and that of Python 3.11.7 and 3.12.1, where this Python still runs them.
OLD_PIPS = [pip for pip, before in (("23.0.1", (3, 12)), ("23.2.1", (3, 13))) if sys.version_info < before]
CORE = ("Provides-Extra: toml", "Requires-Dist: leaf>=1; extra == 'toml'")
PROJECT = """
[project]
name = "sample"
version = "1"
requires-python = ">=3.11"
dependencies = ["top"]
[project.optional-dependencies]
dev = []
engine = []
[dependency-groups]
tests = []
"""


class Index(http.server.SimpleHTTPRequestHandler):
    """Package files in one folder, listed as a package index lists them."""

    def do_GET(self) -> None:
        if not self.path.endswith("/"):
            super().do_GET()
            return
        name = self.path.strip("/").replace("-", "_")
        files = sorted(path.name for path in Path(self.directory).glob(f"{name}-*.whl"))
        page = "".join(f'<a href="/{file}">{file}</a>' for file in files).encode()
        self.send_response(200 if files else 404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Not into the tests' output."""


class Refusing(http.server.BaseHTTPRequestHandler):
    """A proxy that lets no request through."""

    def do_CONNECT(self) -> None:
        self.send_error(403)

    def log_message(self, *_: object) -> None:
        """Not into the tests' output."""


Serve = Callable[[Callable[..., http.server.BaseHTTPRequestHandler]], str]


@pytest.fixture(scope="module")
def serve() -> Iterator[Serve]:
    """Starts a server on this computer and gives its URL."""
    with ExitStack() as servers:

        def start(handler: Callable[..., http.server.BaseHTTPRequestHandler]) -> str:
            server = servers.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
            servers.callback(server.shutdown)
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
            return f"http://127.0.0.1:{server.server_port}"

        yield start


def wheel(folder: Path, name: str, version: str, *metadata: str) -> None:
    """The smallest package that can be installed."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"version = {version!r}\n",
        f"{info}/METADATA": "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata, ""]),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """uv, the current pip and the old ones, from the package index of this machine."""
    folder = tmp_path_factory.mktemp("tools")
    download = (sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps")
    for wanted in [("uv", "pip"), *((f"pip=={pip}",) for pip in OLD_PIPS)]:
        words = (*download, "--dest", str(folder), *wanted)
        found = subprocess.run(words, capture_output=True, text=True, check=False)
        if found.returncode:
            fail = pytest.fail if os.environ.get("CI") else pytest.skip
            fail(f"no package index: {found.stderr[-400:]}")
    return folder


class Project:
    """A project with our Makefile, a package index of its own, and a virtual environment without pip."""

    def __init__(self, folder: Path, index_url: str) -> None:
        self._folder = folder
        # Of an outer make: its variables would be those of the one under test.
        unwanted = ("PIP_", "UV_", "MAKE", "MFLAGS", "ARGS", "HTTP", "NO_PROXY", "ALL_PROXY")
        self._environment = {key: value for key, value in os.environ.items() if not key.upper().startswith(unwanted)}
        self._environment |= {
            "PIP_CONFIG_FILE": os.devnull,
            "UV_NO_CONFIG": "1",
            "PIP_RETRIES": "1",
            "PIP_NO_COMPILE": "1",
        }
        self._environment |= {"PIP_INDEX_URL": index_url, "UV_DEFAULT_INDEX": index_url}
        folder.mkdir()
        shutil.copy(ROOT / "Makefile", folder)
        shutil.copytree(ROOT / "packaging", folder / "packaging")
        (folder / "pyproject.toml").write_text(PROJECT)
        # How make creates one, every run of the tests has shown. It takes 8 seconds, which go into pip.
        venv.create(folder / ".venv", symlinks=True)
        (self._packages,) = folder.glob(".venv/lib/python*/site-packages")

    def __truediv__(self, name: str) -> Path:
        return self._folder / name

    def put_pip(self, archive: Path) -> None:
        """Puts it in the place of the one that was there, as pip does in several seconds."""
        for path in self._packages.glob("pip*"):
            shutil.rmtree(path)
        shutil.unpack_archive(archive, self._packages, "zip")

    def lock(self, **digests: str) -> None:
        """Writes a lock of version 1.0 of these packages."""
        lines = (f"{name}==1.0 --hash=sha256:{digest}\n" for name, digest in digests.items())
        (self / "requirements.lock").write_text("".join(lines))

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        env = self._environment | environment
        return subprocess.run(words, cwd=self._folder, env=env, capture_output=True, text=True, check=False)

    def make(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run("make", f"PYTHON={sys.executable}", *words, **environment)

    def install(self, **environment: str) -> subprocess.CompletedProcess[str]:
        """Installs what the lock says, as on a new machine."""
        for path in self._packages.iterdir():
            if path.name.startswith(("top", "core", "leaf")):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        (self / ".venv/.dependencies").unlink(missing_ok=True)
        return self.make(".venv/.dependencies", **environment)

    def python(self, *words: str) -> str:
        done = self.run(".venv/bin/python", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def index(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index with the tools, and a package that needs another one with an extra."""
    folder = tmp_path_factory.mktemp("served") / "index"
    shutil.copytree(tools, folder)
    wheel(folder, "top", "1.0", "Requires-Dist: core[toml]>=1.0")
    wheel(folder, "core", "1.0", *CORE)
    wheel(folder, "leaf", "1.0")
    return folder


@pytest.fixture(scope="module")
def pips(tools: Path) -> list[Path]:
    """The old ones first."""
    pips = [*(tools / f"pip-{pip}-py3-none-any.whl" for pip in OLD_PIPS)]
    return pips + [path for path in tools.glob("pip-*.whl") if path not in pips]


@pytest.fixture(scope="module")
def project(serve: Serve, index: Path, pips: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("setup") / "project", serve(partial(Index, directory=str(index))))
    project.put_pip(pips[-1])
    return project


@pytest.mark.timeout(600)  # a dozen runs of pip
def test_what_was_locked_is_installed_after_a_newer_release_came_out(
    project: Project, index: Path, pips: list[Path]
) -> None:
    locked = project.make("lock")
    assert locked.returncode == 0, locked.stderr
    lock = (project / "requirements.lock").read_text()
    assert "core[toml]==1.0" in lock
    assert "leaf==1.0" in lock

    wheel(index, "core", "1.1", *CORE)
    wheel(index, "leaf", "1.1")
    for pip in pips:
        project.put_pip(pip)
        assert project.python("-c", "import pip; print(pip.__version__)").strip() == pip.name.split("-")[1]
        for text in (lock, lock.replace("[toml]", "")):  # locks of earlier versions name no extras
            (project / "requirements.lock").write_text(text)
            done = project.install()
            assert done.returncode == 0, (pip, done.stderr)
            versions = "import core, leaf, top; print(core.version, leaf.version, top.version)"
            assert project.python("-c", versions).split() == ["1.0", "1.0", "1.0"], pip


def test_a_lock_that_lacks_a_package_is_noticed(project: Project, index: Path) -> None:
    (archive,) = index.glob("top-*.whl")
    project.lock(top=hashlib.sha256(archive.read_bytes()).hexdigest())
    done = project.install()
    assert done.returncode
    assert "core, which is not installed" in done.stderr
    assert "Checking the installed dependencies failed" in done.stderr
    assert not (project / ".venv/.dependencies").exists()


def test_a_refusing_proxy_is_told(project: Project, serve: Serve) -> None:
    project.lock(top="0" * 64)
    done = project.install(https_proxy=serve(Refusing), PIP_INDEX_URL="https://index.invalid/simple")
    assert told(done) == (
        "Installing dependencies failed: the proxy refused the connection."
        " Check the proxy settings (https_proxy, http_proxy), then run make again."
    )


def test_a_missing_network_is_told(project: Project) -> None:
    project.lock(top="0" * 64)
    done = project.install(PIP_INDEX_URL="http://127.0.0.1:9/simple")
    assert (
        told(done)
        == "Installing dependencies failed: no network connection. Check the connection, then run make again."
    )


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        ("OSError: [Errno 28] No space left on device", "no space is left in this folder or in /tmp. Free some space"),
        ("E: You don't have enough free space in /var/cache/apt/archives/.", "no space is left"),
        ("Disk quota exceeded", "no space is left"),
        ("ProxyError('Cannot connect to proxy.', NewConnectionError('refused'))", "the proxy cannot be reached"),
        (
            "E: Failed to fetch http://d/InRelease  403  Forbidden [IP: 127.0.0.1 8403]",
            "the package server, or a proxy",
        ),
        ("E: Failed to fetch http://d/InRelease  503  Service Unavailable", "the package server, or a proxy"),
        ("ERROR: HTTP error 403 while getting https://i/p.whl", "the package server, or a proxy before it, refused"),
        ("SSLCertVerificationError: CERTIFICATE_VERIFY_FAILED", "the server's certificate is not trusted"),
        ("E: Failed to fetch: Temporary failure resolving 'mirror'", "no network connection"),
        ("ReadTimeoutError: Read timed out.", "the connection broke off"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "the lines above say why"),
    ],
)
def test_the_cause_of_a_failed_step_is_told(output: str, cause: str) -> None:
    step = (ROOT / "packaging/linux/step.sh", "Doing it", "sh", "-c", 'printf "%s\n" "$1"; exit 3', "sh", output)
    environment = {**os.environ, "TMPDIR": "/tmp"}
    done = subprocess.run(step, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"Doing it failed: {cause}")


# Loads a model when its library is the one that fits; else it does what a processor does to unknown instructions.
ENGINE = """#!/bin/sh
library="$(dirname "$0")/libggml-cpu.so.0"
grep -q fits "$library" || kill -ILL $$
echo "system_info: n_threads = 1 | CPU : AVX2 = 1 | $(grep -o 'AVX_VNNI = .' "$library") | REPACK = 1 | NEW = 1"
echo "srv  llama_server: model loaded"
exec sleep 60
"""


@pytest.mark.parametrize(
    ("own", "spare", "left", "told"),
    [
        ("fits as it is", "fits too", "fits as it is", ""),
        ("needs more", "fits", "fits", ""),
        # Only some types of weights take the instructions that are missing.
        ("fits, AVX_VNNI = 1", "fits", "fits", ""),
        ("fits, AVX_VNNI = 0", "fits", "fits, AVX_VNNI = 0", ""),
        ("needs more", "fits, AVX_VNNI = 1", "fits, AVX_VNNI = 1", "does not run on this processor"),
        ("needs more", "needs more too", "needs more too", "does not run on this processor"),
    ],
)
def test_the_engine_gets_a_library_that_runs_on_this_processor(
    tmp_path: Path, own: str, spare: str, left: str, told: str
) -> None:
    engine, library, another = tmp_path / "llama-server", tmp_path / "libggml-cpu.so.0", tmp_path / "spare.so"
    engine.write_text(ENGINE)
    engine.chmod(0o755)
    library.write_text(own)
    another.write_text(spare)
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nflags\t\t: fpu avx2 avx512_vnni\n")
    words = (sys.executable, ROOT / "packaging/linux/fit_engine.py", engine, another, cpuinfo)
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0
    assert library.read_text() == left
    assert told in done.stderr
    assert bool(done.stderr) == bool(told)


def told(done: subprocess.CompletedProcess[str]) -> str:
    """What a person reads, without make's own closing line."""
    assert done.returncode
    (line,) = (line for line in done.stderr.splitlines() if not line.startswith("make: "))
    return line
