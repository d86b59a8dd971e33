"""The real program as a process of its own, without a screen: told to end while it is well and while it hangs."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from gglib_desktop.adapters.machine.shutdown import EXIT_HUNG
from gglib_desktop.adapters.machine.single_instance import SingleInstance
from gglib_desktop.adapters.records.data_lock import DataLock
from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.windowless import EXIT_WITHOUT_WINDOW
from tests.contract.harness import LocalHarness, stop_all
from tests.contract.test_local_runner import start_in_a_program_that_dies
from tests.fakes.waiting import DEADLINE_S, poll

GRACE_S = 2.0
# How much longer than the grace an end may take: where the program hangs, and where the machine may only be busy.
SHORT_MARGIN_S = 0.5
LONG_MARGIN_S = 600.0
SETTINGS = 'on_quit = "stop all"\nstop_grace_s = 2.0\n'

# The program, which does on a word what no program should.
_PROGRAM = """
import asyncio, ctypes, os, sys, time
from pathlib import Path
from PySide6.QtCore import qWarning
from PySide6.QtWidgets import QApplication
from gglib_desktop import __main__, bootstrap

bootstrap.SHUTDOWN_MARGIN_S = float(os.environ["MARGIN_S"])
bootstrap._OTHER_INSTANCE_S = float(os.environ.get("PATIENCE_S", "30"))
real_run = bootstrap.run

def hang_in_python():
    time.sleep(600)

def hang_in_c():
    ctypes.CDLL(None).read(os.pipe()[0], ctypes.create_string_buffer(1), 1)

def close():
    next(each for each in QApplication.topLevelWidgets() if each.isVisible()).close()

def lose_compositor():
    qWarning("The Wayland connection broke. Did the Wayland compositor die?")
    os._exit(255)

def end_loop():
    QApplication.exit(1)

def obey():
    word = os.read(0, 100).decode().strip()
    Path(os.environ["GGLIB_DATA_DIR"], word).touch()
    globals()[word]()

async def run(app, options):
    asyncio.get_running_loop().add_reader(0, obey)
    return await real_run(app, options)

bootstrap.run = run
sys.exit(__main__.main())
"""


class Program:
    """The program under test."""

    def __init__(
        self,
        harness: LocalHarness,
        *arguments: str,
        patience_s: float = 30,
        margin_s: float = LONG_MARGIN_S,
        prefix: Sequence[str] = (),
        extra: dict[str, str] | None = None,
        mask: int = -1,
    ) -> None:
        self._log = harness.data_dir / "app.log"
        environment = harness.environment | {
            "GGLIB_DATA_DIR": str(harness.data_dir),
            "GGLIB_LLAMA_SERVER_PATH": str(harness.stub),
            "QT_QPA_PLATFORM": "offscreen",
            "PATIENCE_S": str(patience_s),
            "MARGIN_S": str(margin_s),
        }
        for order in (signal.SIGHUP, signal.SIGQUIT):
            # A test run in the background of a shell ignores it, and so would the program.
            signal.signal(order, signal.SIG_DFL)
        words = [*prefix, sys.executable, "-c", _PROGRAM, *arguments]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, env=environment | (extra or {}), umask=mask)

    async def told(self, word: str) -> None:
        """Returns when it has heard the word, and begun to do it."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n".encode())
        self.process.stdin.flush()
        await poll((self._log.parent / word).exists)

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    async def says(self, words: str) -> None:
        await poll(lambda: words in self.log() or self.process.poll() is not None)
        assert words in self.log()

    async def end(self, within_s: float = DEADLINE_S) -> int:
        status = await asyncio.to_thread(self.process.wait, within_s)
        assert self.process.stdin is not None
        self.process.stdin.close()
        return status


def write_settings(data_dir: Path, text: str) -> None:
    data_dir.mkdir(exist_ok=True)
    (data_dir / "settings.toml").write_text(text)


@pytest.fixture
async def harness(data_dir: Path, tmp_path: Path, tiny_model: Path) -> AsyncIterator[LocalHarness]:
    harness = LocalHarness(data_dir, tmp_path, tiny_model)
    write_settings(data_dir, SETTINGS)
    yield harness
    for process in harness.processes():
        if "gglib_desktop" in " ".join(process.cmdline()):
            process.kill()
            process.wait()
    await stop_all(harness)
    assert harness.processes() == []


@pytest.fixture
async def server(harness: LocalHarness) -> ProcessHandle:
    """One of an earlier run of the program."""
    return await start_in_a_program_that_dies(harness, harness.stub, harness.config())


def records(harness: LocalHarness) -> list[Path]:
    return list((harness.data_dir / "servers").iterdir())


async def test_an_order_to_end_stops_the_servers_and_tells_what_is_left(harness, server):
    program = Program(harness)
    await program.says("adopted the server")
    program.process.send_signal(signal.SIGTERM)
    assert await program.end() == 0
    assert "left running: []" in program.log()
    assert harness.processes() == []
    assert records(harness) == []


async def test_an_order_to_end_leaves_servers_running_where_that_is_set(harness, server):
    write_settings(harness.data_dir, 'on_quit = "leave running"\n')
    program = Program(harness)
    await program.says("adopted the server")
    program.process.send_signal(signal.SIGINT)
    assert await program.end() == 0
    assert f"left running: [('Tiny', {server.pid}, {server.port})]" in program.log()
    assert harness.is_there(server)
    assert len(records(harness)) == 1


# -- the end of the terminal and of the display


@pytest.mark.parametrize("order", [signal.SIGHUP, signal.SIGQUIT])
async def test_the_end_of_the_terminal_stops_the_servers_when_nobody_can_be_asked(harness, server, order):
    write_settings(harness.data_dir, "")
    program = Program(harness)
    await program.says("adopted the server")
    program.process.send_signal(order)
    assert await program.end() == 0
    assert "left running: []" in program.log()
    assert harness.processes() == []


async def test_the_end_of_the_terminal_leaves_servers_running_where_that_is_set(harness, server):
    write_settings(harness.data_dir, 'on_quit = "leave running"\n')
    program = Program(harness)
    await program.says("adopted the server")
    program.process.send_signal(signal.SIGHUP)
    assert await program.end() == 0
    assert harness.is_there(server)


async def test_a_program_that_is_to_outlive_its_terminal_does(harness, server):
    program = Program(harness, prefix=["nohup"])
    await program.says("adopted the server")
    program.process.send_signal(signal.SIGHUP)
    await program.told("close")
    assert await program.end() == 0
    assert "left running: []" in program.log()


async def is_lost(program: Program, word: str) -> int:
    await program.says("adopted the server")
    await program.told(word)
    return await program.end()


@pytest.mark.parametrize("word", ["lose_compositor", "end_loop"])
async def test_the_loss_of_the_display_stops_the_servers_when_nobody_can_be_asked(harness, server, word):
    write_settings(harness.data_dir, "stop_grace_s = 2.0\n")
    program = Program(harness)
    assert await is_lost(program, word) == 0
    assert "the window is lost; servers: stop all" in program.log()
    assert harness.processes() == []
    assert records(harness) == []


async def test_the_loss_of_the_display_leaves_servers_running_where_that_is_set(harness, server):
    write_settings(harness.data_dir, 'on_quit = "leave running"\n')
    program = Program(harness)
    assert await is_lost(program, "lose_compositor") == EXIT_WITHOUT_WINDOW
    assert harness.is_there(server)
    assert len(records(harness)) == 1
    async with harness.runner_with(harness.stub) as runner:
        assert await runner.list_running() == [server]


async def test_orders_to_end_do_not_interrupt_the_stop_after_the_loss_of_the_display(harness):
    await start_in_a_program_that_dies(harness, harness.stub, harness.late_config())
    program = Program(harness)
    await program.says("adopted the server")
    await program.told("end_loop")
    await program.says("stopping without a window")
    program.process.send_signal(signal.SIGTERM)
    program.process.send_signal(signal.SIGHUP)
    assert await program.end() == 0
    assert harness.processes() == []


@pytest.fixture
def display() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The name of an X server, and its process."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    read, write = os.pipe()
    with subprocess.Popen(["Xvfb", "-displayfd", str(write), "-nolisten", "tcp"], pass_fds=[write]) as server:
        os.close(write)
        yield f":{os.read(read, 16).decode().strip()}", server
        server.kill()
    os.close(read)


async def test_when_the_x_server_ends_so_do_the_servers(harness, server, display):
    name, x_server = display
    program = Program(harness, extra={"QT_QPA_PLATFORM": "xcb", "DISPLAY": name})
    await program.says("adopted the server")
    x_server.kill()
    assert await program.end() == 0
    assert "the window is lost; servers: stop all" in program.log()
    assert harness.processes() == []


# -- hanging


@pytest.mark.parametrize("word", ["hang_in_python", "hang_in_c"])
async def test_an_order_ends_a_program_that_hangs_and_its_servers_stay_known(harness, server, word):
    program = Program(harness, margin_s=SHORT_MARGIN_S)
    await program.says("adopted the server")
    await program.told(word)
    ordered_at = time.monotonic()
    program.process.send_signal(signal.SIGTERM)
    assert await program.end() == EXIT_HUNG
    assert time.monotonic() - ordered_at >= GRACE_S + SHORT_MARGIN_S
    assert harness.is_there(server)
    assert len(records(harness)) == 1
    async with harness.runner_with(harness.stub) as runner:
        assert await runner.list_running() == [server]


async def test_a_program_that_hangs_while_it_ends_by_itself_is_ended(harness):
    server = await start_in_a_program_that_dies(harness, harness.stub, harness.late_config())
    # It is busy with its stubborn server for a minute, and ended after six seconds: time enough to be told to hang.
    write_settings(harness.data_dir, 'on_quit = "stop all"\nstop_grace_s = 60.0\n')
    program = Program(harness, margin_s=6 - 60)
    await program.says("adopted the server")
    socket = harness.data_dir / "app.socket"
    await poll(socket.exists)
    await program.told("close")
    # It is gone as soon as the end is decided.
    await poll(lambda: not socket.exists())
    await program.told("hang_in_c")
    assert await program.end() == EXIT_HUNG
    assert harness.is_there(server)
    async with harness.runner_with(harness.stub) as runner:
        assert await runner.list_running() == [server]


# -- the data directory in other hands


class Deaf:
    """Holds the data directory, but hangs up on every hand-over, as a program that ends does."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "app.socket"
        self._lock = DataLock(data_dir)
        self._server: asyncio.Server | None = None
        self.callers = 0

    async def begin(self) -> None:
        self._lock.acquire()
        self._server = await asyncio.start_unix_server(self._hang_up, self._path)

    async def _hang_up(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.callers += 1
        writer.close()

    def end_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
            self._path.unlink(missing_ok=True)

    def end(self) -> None:
        self._lock.release()


@pytest.fixture
async def deaf(harness: LocalHarness) -> AsyncIterator[Deaf]:
    deaf = Deaf(harness.data_dir)
    await deaf.begin()
    yield deaf
    deaf.end_listening()
    deaf.end()


async def test_one_that_is_just_ending_is_waited_for(harness, server, deaf):
    program = Program(harness)
    # One call when it starts, and more while it waits.
    await poll(lambda: deaf.callers >= 3)
    deaf.end_listening()
    assert "adopted" not in program.log()
    deaf.end()
    await program.says("adopted the server")
    program.process.send_signal(signal.SIGTERM)
    assert await program.end() == 0
    assert harness.processes() == []


async def test_to_one_that_began_in_the_same_moment_the_models_are_handed_over(harness, server, deaf, tiny_model):
    program = Program(harness, str(tiny_model))
    await poll(lambda: deaf.callers >= 2)
    deaf.end_listening()
    given: list[list[Path]] = []
    instance = SingleInstance(harness.data_dir)
    await instance.listen(given.append)
    assert await program.end() == 0
    assert given == [[tiny_model]]
    await instance.aclose()
    deaf.end()
    assert "adopted" not in program.log()
    assert harness.is_there(server)


async def test_a_data_directory_that_cannot_be_used_is_not_waited_for(harness):
    """As one on a disk that is mounted to be read only."""
    (harness.data_dir / "lock").mkdir()
    program = Program(harness, patience_s=600)

    async def is_heard():
        return await asyncio.to_thread(SingleInstance(harness.data_dir).hand_over, ())

    await poll(is_heard)
    program.process.send_signal(signal.SIGTERM)
    assert await program.end() == 0
    assert "cannot use the data directory" in program.log()
    (harness.data_dir / "lock").rmdir()


async def test_an_order_to_end_is_obeyed_while_another_is_waited_for(harness, server, deaf):
    program = Program(harness, patience_s=600)
    await poll(lambda: deaf.callers >= 2)
    program.process.send_signal(signal.SIGTERM)
    assert await program.end() == 0
    assert harness.is_there(server)


async def test_one_that_never_ends_is_not_waited_for_for_ever(harness, server, deaf):
    program = Program(harness, patience_s=0.5)

    async def is_heard():
        return await asyncio.to_thread(SingleInstance(harness.data_dir).hand_over, ())

    await poll(is_heard)
    program.process.send_signal(signal.SIGTERM)
    assert await program.end() == 0
    deaf.end()
    assert "nothing could be audited" in program.log()
    assert harness.is_there(server)


# -- what others may read


async def test_with_an_open_mask_all_is_for_this_user_alone_and_so_is_what_was_made_before(harness, server):
    """As the data of an earlier version in a directory that the user chose."""
    data_dir = harness.data_dir
    data_dir.chmod(0o755)
    for path in data_dir.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    (data_dir / "notes.txt").write_text("mine")
    (data_dir / "notes.txt").chmod(0o644)
    program = Program(harness, mask=0)
    await program.says("adopted the server")

    def open_to_others() -> set[str]:
        return {path.name for path in (data_dir, *data_dir.rglob("*")) if path.stat().st_mode & 0o077}

    for made in ("app.socket", "library.sqlite-wal", "window.ini"):
        await poll((data_dir / made).exists)
    await poll(lambda: open_to_others() == {data_dir.name, "notes.txt"})
    program.process.send_signal(signal.SIGTERM)
    assert await program.end() == 0
    assert open_to_others() == {data_dir.name, "notes.txt"}
