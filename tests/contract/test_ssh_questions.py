"""What ssh asks reaches the user, and the answers reach ssh; over an sshd of the test's own."""

import asyncio
import json
import logging
import os
import stat
import subprocess
from pathlib import Path

import psutil
import pytest

from gglib_desktop.adapters.ssh.askpass import Askpass
from gglib_desktop.adapters.ssh.askpass_program import TOKEN_VARIABLE
from gglib_desktop.adapters.ssh.connector import Connector
from gglib_desktop.adapters.ssh.ssh_machine import SshMachine
from gglib_desktop.domain.documents.ssh_address import ssh_address
from gglib_desktop.domain.documents.ssh_questions import ChangedHostKey, HostKeyQuestion, SecretQuestion
from gglib_desktop.domain.errors import RunnerUnavailable
from tests.fakes.ssh_questions import FakeUser
from tests.fakes.sshd import Sshd
from tests.fakes.waiting import poll

SECRET = 'open sesame: it\'s "this" $HOME'  # of a test


def machine_of(sshd: Sshd, user: FakeUser) -> SshMachine:
    asker = Askpass(user, os.environ)
    return SshMachine(Connector(ssh_address("ssh://gpu-box"), config=sshd.config, asker=asker))


async def connects(sshd: Sshd, user: FakeUser) -> str:
    """What a command there prints, and empty where the connection is refused."""
    machine = machine_of(sshd, user)
    try:
        return (await machine.run("echo here")).output.decode().strip()
    except RunnerUnavailable as exc:
        return str(exc)
    finally:
        await machine.aclose()


def fingerprint(key: Path) -> str:
    said = subprocess.run(("ssh-keygen", "-lf", key), capture_output=True, text=True, check=True)
    return said.stdout.split()[1]


async def test_an_unknown_host_key_is_trusted_once(sshd):
    sshd.forget_host_key()
    user = FakeUser()
    assert await connects(sshd, user) == "here"
    (asked,) = user.asked
    assert isinstance(asked, HostKeyQuestion)
    assert (asked.machine, asked.kind) == ("gpu-box", "ED25519")
    assert asked.fingerprint == fingerprint(sshd.folder / "host_key.pub")
    assert await connects(sshd, user) == "here"
    assert len(user.asked) == 1, "ssh remembers it"


async def test_an_unknown_host_key_that_is_not_trusted(sshd):
    sshd.forget_host_key()
    assert "the question of ssh was not answered" in await connects(sshd, FakeUser(trusts=False))
    assert (sshd.folder / "known_hosts").read_text() == ""


async def test_a_question_that_was_not_answered_is_put_again_when_the_user_wants_something(sshd):
    sshd.forget_host_key()
    user = FakeUser(trusts=False)
    machine = machine_of(sshd, user)
    for _attempt in range(2):
        with pytest.raises(RunnerUnavailable, match="was not answered"):
            await machine.run("true")
    assert len(user.asked) == 1
    user.is_trusting = True
    machine.ask_again()
    assert (await machine.run("echo here")).output == b"here\n"
    assert machine.since is None
    await machine.aclose()


async def test_a_changed_host_key_can_only_be_heard_of(sshd):
    before = (sshd.folder / "known_hosts").read_text()
    sshd.change_host_key()
    sshd.kill()
    sshd.start()
    user = FakeUser()
    assert "its host key is not the one that is known" in await connects(sshd, user)
    assert user.told == [ChangedHostKey("gpu-box", fingerprint(sshd.folder / "host_key"))]
    assert (user.asked, (sshd.folder / "known_hosts").read_text()) == ([], before)


async def test_the_passphrase_of_a_key_is_handed_on_and_left_nowhere(sshd, tmp_path, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime := sshd.folder / "run"))
    runtime.mkdir()
    sshd.configure(passphrase=SECRET)
    user = FakeUser(secret=SECRET)
    assert await connects(sshd, user) == "here"
    assert user.asked == [SecretQuestion("gpu-box", f"Enter passphrase for key '{sshd.folder}/key':")]
    assert SECRET not in caplog.text
    assert list(runtime.iterdir()) == []


@pytest.mark.parametrize(("secret", "questions"), [("wrong", 3), (None, 1)])
async def test_without_the_right_passphrase_there_is_no_connection(sshd, secret, questions):
    sshd.configure(passphrase=SECRET)
    user = FakeUser(secret=secret)
    said = await connects(sshd, user)
    assert ("did not accept the user or the key" if secret else "was not answered") in said
    assert len(user.asked) == questions


async def test_a_connection_that_is_given_up_takes_its_question_back(sshd):
    sshd.configure(passphrase=SECRET)
    user = FakeUser(secret=SECRET)
    user.gate.clear()
    machine = machine_of(sshd, user)
    waiting = asyncio.ensure_future(machine.run("true"))
    await poll(lambda: user.asked)
    await machine.aclose()
    await poll(lambda: user.taken_back)
    await poll(lambda: [each.pid for each in psutil.Process().children()] == [sshd.pid])
    waiting.cancel()
    await asyncio.wait({waiting})


async def test_a_jump_host_asks_too(sshd):
    sshd.configure(more_client=f"ProxyCommand ssh -F {sshd.folder}/client_config -o ProxyCommand=none -W %h:%p jump")
    sshd.forget_host_key()
    user = FakeUser()
    assert await connects(sshd, user) == "here"
    assert len(user.asked) == 1


@pytest.mark.parametrize("known", [False, True])
async def test_a_question_with_another_token_is_not_put(known):
    user = FakeUser(secret="no")  # of a test
    attempt = await Askpass(user, os.environ).attempt("gpu-box")
    folder = Path(attempt.variables["SSH_ASKPASS"]).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "socket").stat().st_mode) == 0o600
    token = (folder / "ask").read_text().split(f"{TOKEN_VARIABLE}=")[1].split()[0]
    reader, writer = await asyncio.open_unix_connection(folder / "socket")
    writer.write(json.dumps([token if known else "0" * 32, "", "Passphrase: "]).encode() + b"\n")
    assert await reader.read() == (b'"no"\n' if known else b"")
    assert len(user.asked) == known
    writer.close()
    await attempt.aclose()
    assert not folder.exists()
