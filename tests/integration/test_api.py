"""What scripts import: all of it is there, loads nothing heavy, and its example works."""

import asyncio
import json
import subprocess
import sys
import textwrap
from typing import Any

import httpx
import pytest

from gglib_desktop import api
from gglib_desktop.domain import errors
from tests.fakes.waiting import poll

HEAVY = ("asyncio", "httpx", "psutil", "sqlite3", "PySide6", "yaml")


def test_importing_it_loads_nothing_heavy():
    code = f"import json, sys, gglib_desktop.api; print(json.dumps([n for n in {HEAVY} if n in sys.modules]))"
    asked = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert json.loads(asked.stdout) == []


def test_the_http_library_is_loaded_with_the_first_question_to_a_server(tmp_path):
    code = textwrap.dedent("""
        import asyncio, pathlib, sys
        from gglib_desktop.api import create_runner

        async def main():
            async with create_runner("local", data_dir=pathlib.Path(sys.argv[1])) as runner:
                print(await runner.list_running(), "httpx" in sys.modules)

        asyncio.run(main())
    """)
    asked = subprocess.run((sys.executable, "-c", code, tmp_path), capture_output=True, text=True, check=True)
    assert asked.stdout == "[] False\n"


def test_it_has_all_errors():
    tree = {name for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, Exception)}
    assert tree <= set(api.__all__)


def test_it_defines_nothing_itself():
    assert not [name for name in api.__all__ if getattr(api, name).__module__ == api.__name__]


@pytest.mark.llama
async def test_the_example_of_its_docstring_serves(tiny_model, engine_path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GGLIB_LLAMA_SERVER_PATH", str(engine_path))
    assert api.__doc__ is not None
    example = textwrap.dedent(api.__doc__.partition("::\n\n")[2].partition("\nA server goes on")[0])
    names: dict[str, Any] = {}
    exec(example, names)
    serving = asyncio.create_task(names["serve"](tiny_model))
    said = ""

    def told() -> str:
        nonlocal said
        said += str(capsys.readouterr().out)
        return said.strip()

    url = await poll(told)
    async with httpx.AsyncClient() as client:

        async def models() -> Any:
            # A server that still loads its model answers with an error.
            return (await client.get(f"{url}/models")).json().get("data")

        await poll(models)
    serving.cancel()
    await asyncio.wait({serving})
    async with api.create_runner("local", data_dir=tmp_path / "servers") as runner:
        assert await runner.list_running() == []
