"""What is exported runs: each format starts a real engine, in the way of the program that reads it."""

import contextlib
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from gglib_desktop.adapters.engines.llama_cpp.catalog import LlamaEngineCatalog
from gglib_desktop.domain.commandline.exports.export import ExportFormat, export
from gglib_desktop.domain.llama_cpp.argv import server_argv
from gglib_desktop.domain.servers.server import ServerConfig
from tests.fakes.ports import some_base_port
from tests.fakes.waiting import poll

pytestmark = pytest.mark.llama

# What shells, YAML and presets stumble over, as far as all of them can hold it.
FOLDER, FILE = "it's $HOME, ${X} 100%h", 'my "model" é: \\1.gguf'
NAME, OTHER = "Tiny $(X) é", "a: b"
TEMPLATE = "{% for m in messages %}{{ m.content }} $HOME ${X} 'q' {% endfor %}"


@pytest.fixture
def awkward_model(tmp_path: Path, plain_model: Path) -> Path:
    path = tmp_path / FOLDER / FILE
    path.parent.mkdir()
    shutil.copyfile(plain_model, path)
    return path


@pytest.fixture
def port() -> int:
    return some_base_port()


@pytest.fixture
async def argv(engine_path: Path, awkward_model: Path, port: int) -> tuple[str, ...]:
    engine = await LlamaEngineCatalog(dict(os.environ)).inspect(engine_path)
    config = ServerConfig(1, "x", awkward_model, port).with_values(
        alias=f"{NAME},{OTHER}", context_size=512, threads=1, chat_template=TEMPLATE, mmap=False
    )
    return server_argv(config, engine, port)


@contextlib.contextmanager
def running(*words: str | Path, **environment: str) -> Iterator[None]:
    process = subprocess.Popen(words, env={**os.environ, **environment}, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


async def answer(port: int, method: str, path: str, body: Any = None, key: str = "") -> httpx.Response:
    """As soon as there is one that is not about loading."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}

    async def once() -> Any:
        async with httpx.AsyncClient(timeout=30, headers=headers) as client:
            with contextlib.suppress(httpx.ConnectError):
                said = await client.request(method, f"http://127.0.0.1:{port}{path}", json=body)
                return said.status_code != httpx.codes.SERVICE_UNAVAILABLE and said

    found: httpx.Response = await poll(once)
    return found


async def assert_serves(port: int, model: str, key: str = "") -> None:
    body = {"model": model, "max_tokens": 2, "messages": [{"role": "user", "content": "Hello"}]}
    said = await answer(port, "POST", "/v1/chat/completions", body, key)
    assert said.status_code == httpx.codes.OK, said.text
    assert said.json()["usage"]["completion_tokens"] == 2


@pytest.mark.parametrize("form", [ExportFormat.SH, ExportFormat.SCRIPT])
async def test_a_shell_starts_the_server_with_its_key(form, argv, port, tmp_path):
    text = export(argv, form, {"LLAMA_API_KEY": ""})
    script = tmp_path / "run.sh"
    # A line that begins with variables cannot be handed to exec, and without it the shell would be what ends.
    script.write_text(f"exec env {text}" if form is ExportFormat.SH else text)
    with running("/bin/sh", script, LLAMA_API_KEY="s3cr3t"):
        assert (await answer(port, "GET", "/props", key="s3cr3t")).json()["chat_template"] == TEMPLATE
        assert (await answer(port, "GET", "/props")).status_code == httpx.codes.UNAUTHORIZED
        await assert_serves(port, NAME, key="s3cr3t")


async def test_llama_swap_would_start_the_server(argv, port):
    """By its own account it drops comments, puts in the port, and splits what is left as a shell does."""
    [(name, model)] = yaml.safe_load(export(argv, ExportFormat.LLAMA_SWAP))["models"].items()
    assert (name, model["aliases"]) == (NAME, [OTHER])
    lines = [line for line in model["cmd"].split("\n") if not line.strip().startswith("#")]
    command = "\n".join(lines).replace("${PORT}", str(port))
    assert "${" not in command
    with running(*shlex.split(command)):
        assert (await answer(port, "GET", "/health")).status_code == httpx.codes.OK
        assert (await answer(port, "GET", "/props")).json()["chat_template"] == TEMPLATE
        await assert_serves(port, name)


async def test_a_router_serves_its_preset(argv, engine_path, awkward_model, port, tmp_path):
    preset = tmp_path / "llama-server.ini"
    preset.write_text(export(argv, ExportFormat.ROUTER_PRESET))
    with running(engine_path, "--models-preset", preset, "--host", "127.0.0.1", "--port", str(port)):
        [model] = (await answer(port, "GET", "/models")).json()["data"]
        assert (model["id"], set(model["aliases"])) == (NAME, {NAME, OTHER})
        assert model["status"]["value"] == "unloaded"
        assert (await answer(port, "POST", "/models/load", {"model": NAME})).status_code == httpx.codes.OK
        await assert_serves(port, OTHER)
        [model] = (await answer(port, "GET", "/models")).json()["data"]
        assert model["status"]["value"] == "loaded"
        words = model["status"]["args"]
        assert {"--no-mmap", "--metrics"} < set(words)
        assert [words[words.index(flag) + 1] for flag in ("--model", "--ctx-size", "--chat-template")] == [
            str(awkward_model), "512", TEMPLATE,
        ]  # fmt: skip
