"""A process of ssh is ended, whoever holds its pipes: its connection does, while a script there goes on."""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE

import pytest

from gglib_desktop.adapters.ssh.master import end

HELD = "exec 3<&0; sleep 1000 <&3 & echo $!; "


@pytest.mark.parametrize("then", ["exec sleep 1000", "exit 3"], ids=["runs", "has ended"])
@pytest.mark.parametrize("unread", [b"", b"x" * 2**20], ids=["nothing to write", "much to write"])
@pytest.mark.parametrize("is_all", [False, True], ids=["more may come", "that is all"])
async def test_a_process_is_ended_while_another_holds_its_pipes(then, unread, is_all):
    process = await asyncio.create_subprocess_exec("sh", "-c", HELD + then, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    holder = int(await process.stdout.readline())
    try:
        process.stdin.write(unread)
        if is_all:
            process.stdin.close()
        async with asyncio.timeout(10):
            await end(process)
        assert process.returncode is not None
    finally:
        os.kill(holder, signal.SIGKILL)
