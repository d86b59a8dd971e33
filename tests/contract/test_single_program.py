"""Servers of ``llama serve``, where one program has all of llama.cpp's tools."""

import shlex
from pathlib import Path

import pytest

from gglib_desktop.api import create_runner
from gglib_desktop.domain.servers.server import ServerConfig
from tests.contract.harness import stub_engine
from tests.fakes.waiting import poll


@pytest.fixture
def one_for_all(tmp_path: Path) -> Path:
    stub = stub_engine(tmp_path / "stub")
    program = tmp_path / "llama"
    program.write_text(
        f"""#!/bin/sh
case "$1" in
serve) shift; exec {shlex.quote(str(stub))} "$@" ;;
--help) printf 'Usage: llama <command> [options]\\n\\nAvailable commands:\\n  serve    HTTP API server\\n' ;;
*) echo "error: unknown command '$1'"; exit 1 ;;
esac
"""
    )
    program.chmod(0o755)
    return program


async def test_it_starts_is_told_as_it_runs_and_is_found_again(one_for_all, data_dir, tmp_path):
    model = tmp_path / "tiny.gguf"
    model.write_bytes(b"GGUF")
    command = f"{one_for_all} serve -m {model} --host 127.0.0.1 --port "
    async with create_runner("local", data_dir=data_dir, engine=one_for_all) as runner:
        handle = await runner.start(ServerConfig(1, "Tiny", model, 19400))
        assert (await runner.health(handle)).healthy
        assert runner.describe(handle).command_line.startswith(command)
    async with create_runner("local", data_dir=data_dir, engine=one_for_all) as again:
        assert list(await again.list_running()) == [handle]
        assert again.describe(handle).command_line.startswith(command)
        await again.stop(handle)
        await poll(lambda: not list((data_dir / "servers").glob("*.json")))
