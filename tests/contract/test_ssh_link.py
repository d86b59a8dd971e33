"""The link to another computer, over an sshd of the test's own."""

import asyncio
import os
import subprocess
import sys

import psutil
import pytest

from gglib_desktop.adapters.ssh.connector import Connector
from gglib_desktop.adapters.ssh.ssh_machine import SshMachine
from gglib_desktop.domain.documents.ssh_address import ssh_address
from gglib_desktop.domain.errors import PortTaken, RunnerUnavailable
from tests.fakes.processes import kill, those
from tests.fakes.sshd import Sshd
from tests.fakes.waiting import poll

HERE = psutil.Process()


@pytest.fixture
async def machine(sshd: Sshd):
    machine = SshMachine(Connector(ssh_address("ssh://gpu-box"), config=sshd.config))
    yield machine
    await machine.aclose()
    assert those(HERE.children(recursive=True), lambda each: each.name() == "ssh") == []


def cut(sshd: Sshd) -> None:
    """Ends the connections as a network does, without a word."""
    kill(psutil.Process(sshd.pid).children(recursive=True))


async def greeting(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await reader.readline()
    finally:
        writer.close()


async def test_scripts_run_there_and_keep_their_words(machine):
    answer = await machine.run('printf %s "$1"; cat; exit 3', "it's\n$HOME", input=b"key\n")
    assert (answer.status, answer.output) == (3, b"it's\n$HOMEkey\n")
    assert machine.since is None


async def test_more_scripts_than_sessions_wait_for_each_other(machine):
    answers = await asyncio.gather(*(machine.run("echo $1", str(number)) for number in range(20)))
    assert [answer.output for answer in answers] == [f"{number}\n".encode() for number in range(20)]


async def test_a_script_that_takes_too_long_is_given_up(machine):
    with pytest.raises(RunnerUnavailable, match="did not answer"):
        await machine.run("sleep 1000", limit_s=0.1)
    assert (await machine.run("echo on")).output == b"on\n"


async def test_a_channel_goes_on_until_it_is_closed(machine):
    channel = await machine.channel('echo "$1"; while read -r line; do echo "got $line"; done', "first")
    lines = aiter(channel)
    assert await anext(lines) == "first"
    await channel.write("second")
    assert await anext(lines) == "got second"
    await channel.aclose()


async def test_a_lost_link_is_told_and_comes_back_with_its_ports(machine, sshd):
    port = await machine.forward(f"127.0.0.1:{sshd.port}")
    assert (await greeting(port)).startswith(b"SSH-2.0")
    told: list[float | None] = []
    machine.on_change(lambda: told.append(machine.since))
    channel = await machine.channel("echo here; cat")
    lines = aiter(channel)
    assert await anext(lines) == "here"
    cut(sshd)
    with pytest.raises(RunnerUnavailable):
        await anext(lines)
    await poll(lambda: len(told) == 2)
    assert told[0] is not None
    assert told[1] is None
    assert (await greeting(port)).startswith(b"SSH-2.0")
    await channel.aclose()


async def test_a_computer_that_is_away_is_not_waited_for(machine, sshd):
    await machine.run("true")
    sshd.kill()
    kill(HERE.children())
    await poll(lambda: machine.since is not None)
    await poll(lambda: "Connection refused" in machine.reason)
    with pytest.raises(RunnerUnavailable, match=r"gpu-box cannot be reached: .*Connection refused"):
        await machine.run("true")
    sshd.start()
    await poll(lambda: machine.since is None)
    assert (await machine.run("echo on")).output == b"on\n"


async def test_a_port_that_is_in_use_is_said(machine, sshd):
    port = await machine.forward(f"127.0.0.1:{sshd.port}")
    with pytest.raises(PortTaken):
        await machine.forward("/run/engine.sock", port)
    await machine.unforward(port)
    with pytest.raises(OSError, match=r"refused|failed"):
        await greeting(port)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (Sshd.forget_host_key, "host key is not known"),
        (Sshd.change_host_key, "host key is not the one that is known"),
        (Sshd.forget_user_key, r"did not accept the user or the key \(publickey\)"),
    ],
)
async def test_who_must_not_be_trusted_and_who_is_not_let_in(sshd, machine, change, reason):
    change(sshd)
    sshd.kill()
    sshd.start()
    with pytest.raises(RunnerUnavailable, match=reason):
        await machine.run("true")


async def test_a_killed_program_leaves_no_connection(sshd, tmp_path):
    program = (
        "import asyncio, os, sys\n"
        "from pathlib import Path\n"
        "from gglib_desktop.adapters.ssh.connector import Connector\n"
        "from gglib_desktop.adapters.ssh.ssh_machine import SshMachine\n"
        "from gglib_desktop.domain.documents.ssh_address import ssh_address\n"
        "async def main():\n"
        "    machine = SshMachine(Connector(ssh_address('ssh://gpu-box'), config=Path(sys.argv[1])))\n"
        "    await machine.channel('cat')\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    died = await asyncio.to_thread(
        subprocess.run, (sys.executable, "-c", program, str(sshd.config)), env=environment, check=False
    )
    assert died.returncode == -9
    await poll(lambda: psutil.Process(sshd.pid).children() == [])
