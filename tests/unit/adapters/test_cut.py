"""The proof that places are cut where they should be stays small, and sound."""

import asyncio
import contextlib
import socket
from pathlib import Path

import pytest

from tests.fakes.namespace_place import Forward
from tests.statements import statements

FAKES = Path(__file__).parents[2] / "fakes"


@pytest.mark.parametrize("name", ["namespace_place.py"])
def test_a_further_place_takes_few_statements(name):
    assert statements((FAKES / name).read_text(encoding="utf-8")) <= 120


@pytest.mark.parametrize("steps", range(6))
async def test_a_forward_that_is_closed_leaves_no_client_waiting(tmp_path, steps):
    forward = Forward(tmp_path / "engine.sock")
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(str(tmp_path / "engine.sock"))
        engine.listen()
        forward.open(0)
        assert forward._here is not None
        with socket.create_connection(forward._here.getsockname()) as client:
            client.setblocking(False)
            for _ in range(steps):
                await asyncio.sleep(0)
            await forward.aclose()
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(1) == b""
