"""Log files keep their end and lose nothing while they are cut down under a server that writes."""

import asyncio
import ctypes
import errno
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gglib_desktop.adapters.machine.log_files import LogFolder, punch_hole
from tests.fakes.clock_loop import FakeClockLoop
from tests.fakes.waiting import poll

MOST, KEPT = 256 * 1024, 64 * 1024

WRITER = """
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
for number in range(int(sys.argv[2])):
    os.write(fd, b"line %07d of many, each as long as the others\\n" % number)
"""


@pytest.fixture
def logs(tmp_path: Path) -> LogFolder:
    return LogFolder(tmp_path / "logs", most_bytes=lambda: MOST)


@pytest.fixture
def holes_work(tmp_path: Path) -> None:
    path = tmp_path / "probe"
    path.write_bytes(b"x" * 8192)
    with path.open("r+b") as file:
        if not punch_hole(file.fileno(), 4096):
            pytest.skip("this file system cannot punch holes")


def written(logs: LogFolder, data: bytes, name: str = "run") -> None:
    fd = logs.open_for_append(name)
    os.write(fd, data)
    os.close(fd)


def numbered(count: int, first: int = 0) -> bytes:
    return b"".join(b"line %07d of many\n" % number for number in range(first, first + count))


def taken_bytes(logs: LogFolder, name: str = "run") -> int:
    return logs.path(name).stat().st_blocks * 512


# -- reading


def test_reading_in_pieces_and_from_the_end(logs):
    written(logs, b"0123456789")
    assert logs.size("run") == 10
    first = logs.read("run", 0, 4)
    assert (first.data, first.next_offset, first.skipped) == (b"0123", 4, 0)
    rest = logs.read("run", first.next_offset, 100)
    assert (rest.data, rest.next_offset) == (b"456789", 10)
    assert logs.read("run", 10, 100).data == b""
    end = logs.read("run", -3, 100)
    assert (end.data, end.next_offset, end.skipped) == (b"789", 10, 7)
    everything = logs.read("run", -100, 100)
    assert (everything.data, everything.skipped) == (b"0123456789", 0)


def test_a_log_that_became_shorter_is_read_from_its_beginning(logs):
    written(logs, b"new")
    again = logs.read("run", 1000, 100)
    assert (again.data, again.next_offset) == (b"new", 3)


def test_a_log_that_is_gone_is_empty(logs):
    assert logs.size("none") == 0
    assert logs.read("none", 7, 100) == logs.read("none", 7, 0)
    assert logs.read("none", -7, 100).next_offset == 0


def test_the_lines_that_may_hold_a_reason(logs):
    written(logs, b"only\nthese\n", "short")
    assert logs.last_lines("short") == ["only", "these"]
    written(logs, b"first\n" + numbered(10_000))
    lines = logs.last_lines("run")
    assert lines[0] == "first"
    assert lines[-1] == "line 0009999 of many"
    assert lines[1].startswith("line 000")
    assert len(lines[1]) == len(lines[-1])


# -- bounding


def test_a_log_within_its_bounds_is_left_alone(logs):
    data = numbered(5000)
    written(logs, data)
    logs.trim("run")
    assert logs.read("run", 0, 10**6).data == data


@pytest.mark.usefixtures("holes_work")
def test_a_long_log_keeps_its_end_and_every_offset(logs):
    data = numbered(40_000)
    written(logs, data)
    middle = logs.read("run", 0, 500_000).next_offset
    logs.trim("run")
    assert KEPT <= taken_bytes(logs) <= KEPT + 64 * 1024
    assert logs.size("run") == len(data), "the log's length is what was ever written"
    chunk = logs.read("run", middle, 10**6)
    assert chunk.skipped > 0
    assert chunk.next_offset == len(data)
    assert chunk.next_offset - len(chunk.data) == middle + chunk.skipped
    assert data.endswith(chunk.data)
    assert len(chunk.data) >= KEPT
    written(logs, b"and on\n")
    assert logs.read("run", chunk.next_offset, 100).data == b"and on\n"
    end = logs.read("run", -10, 100)
    assert (end.data, end.skipped) == (b"ny\nand on\n", len(data) + 7 - 10)
    assert logs.read("run", -(10**9), 10**6).skipped == len(data) - len(chunk.data)


@pytest.mark.usefixtures("holes_work")
def test_a_log_without_its_beginning_has_no_first_line(logs):
    written(logs, b"first\n" + numbered(40_000))
    logs.trim("run")
    lines = logs.last_lines("run")
    assert "first" not in lines
    assert {len(line) for line in lines} == {len("line 0000000 of many")}


@pytest.mark.usefixtures("holes_work")
def test_what_is_written_meanwhile_is_not_lost(logs):
    """Every byte of a server that writes as fast as it can lands in its place, while the log is cut again and again."""
    count = 60_000
    everything = b"".join(b"line %07d of many, each as long as the others\n" % number for number in range(count))
    os.close(logs.open_for_append("run"))
    offset, cuts, taken = 0, 0, 0
    with subprocess.Popen([sys.executable, "-c", WRITER, str(logs.path("run")), str(count)]) as writer:
        while writer.poll() is None:
            logs.trim("run")
            cuts, taken = cuts + (taken_bytes(logs) < taken), taken_bytes(logs)
            chunk = logs.read("run", offset, 32 * 1024)
            offset = chunk.next_offset
            assert everything[offset - len(chunk.data) : offset] == chunk.data
    assert writer.returncode == 0
    logs.trim("run")
    assert cuts
    assert taken_bytes(logs) <= MOST
    assert logs.size("run") == len(everything)
    assert logs.read("run", -KEPT, KEPT).data == everything[-KEPT:]


@pytest.mark.usefixtures("holes_work")
def test_a_reader_in_the_part_that_goes_never_sees_a_hole(logs, monkeypatch):
    written(logs, numbered(40_000))
    real_read = os.read

    def read_after_a_trim(fd: int, count: int) -> bytes:
        monkeypatch.setattr(os, "read", real_read)
        logs.trim("run")
        return real_read(fd, count)

    monkeypatch.setattr(os, "read", read_after_a_trim)
    chunk = logs.read("run", 0, 1000)
    assert chunk.skipped > 0
    assert b"\0" not in chunk.data


@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.EIO])
def test_only_where_holes_are_unknown_is_there_another_way(tmp_path, monkeypatch, code):
    class Libc:
        @staticmethod
        def fallocate64(*_arguments: int) -> int:
            ctypes.set_errno(code)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *_arguments, **_options: Libc)
    if code == errno.EIO:
        with pytest.raises(OSError, match=os.strerror(code)):
            punch_hole(0, 4096)
    else:
        assert not punch_hole(0, 4096)


def test_without_holes_the_end_is_written_anew(tmp_path):
    logs = LogFolder(tmp_path / "logs", most_bytes=lambda: MOST, punch=lambda _fd, _length: False)
    data = numbered(40_000)
    server = logs.open_for_append("run")
    os.write(server, data)
    logs.trim("run")
    os.write(server, b"and on\n")
    os.close(server)
    kept = logs.read("run", len(data), 10**6)
    assert kept.next_offset == len(kept.data) < 2 * KEPT
    assert (data + b"and on\n").endswith(kept.data)


def test_a_log_that_cannot_be_trimmed_is_a_warning(logs, caplog):
    logs.path("run").mkdir(parents=True)
    with caplog.at_level(logging.WARNING):
        logs.trim("run")
    assert "cannot trim the log run" in caplog.text


def test_a_log_that_somebody_removed_is_no_news_every_few_seconds(logs, caplog):
    with caplog.at_level(logging.WARNING):
        logs.trim("none")
    assert not caplog.text


async def test_logs_are_trimmed_again_and_again_while_their_servers_run(logs):
    growing = ["run", "gone", "other"]
    written(logs, b"")
    written(logs, b"", "other")

    async def still_growing():
        return tuple(growing)

    trimming = asyncio.ensure_future(logs.keep_trimmed(still_growing, every_s=0.01))
    for _ in range(2):
        written(logs, numbered(40_000))
        await poll(lambda: taken_bytes(logs) <= MOST)
    growing.remove("run")
    written(logs, numbered(40_000))
    written(logs, numbered(40_000), "other")
    await poll(lambda: taken_bytes(logs, "other") <= MOST)
    assert taken_bytes(logs) > MOST
    trimming.cancel()
    await asyncio.wait({trimming})


def test_short_logs_ask_no_thread(logs):
    """In an hour of fifty idle servers, which used to be 36,000 times."""
    names = [f"run{number}" for number in range(50)]
    for name in names:
        written(logs, b"ready\n", name)
    looks, asked = [], []

    async def in_thread(work, *arguments):
        asked.append(arguments)
        return work(*arguments)

    async def growing():
        looks.append(names)
        return names

    async def an_hour() -> None:
        trimming = asyncio.ensure_future(logs.keep_trimmed(growing, in_thread=in_thread))
        await asyncio.wait({trimming}, timeout=3600)
        written(logs, numbered(40_000), "run7")
        await asyncio.wait({trimming}, timeout=6)
        trimming.cancel()

    with asyncio.Runner(loop_factory=FakeClockLoop) as runner:
        runner.run(an_hour())
    assert asked == [("run7",)]
    assert len(looks) == pytest.approx(720, abs=5)


# -- old runs


def test_old_logs_that_cannot_be_looked_at_or_removed_do_no_harm(logs, caplog):
    for number in range(52):
        written(logs, b"", f"run{number}")
        os.utime(logs.path(f"run{number}"), (1000 + number, 1000 + number))
    logs.path("nowhere").symlink_to("nowhere at all")
    logs.path("run0").unlink()
    logs.path("run0").mkdir()
    os.utime(logs.path("run0"), (1, 1))
    logs.prune(set())
    assert not logs.path("run1").exists()
    assert logs.path("run51").exists()
    assert "cannot remove the log" in caplog.text


def test_only_the_newest_logs_and_those_of_servers_stay(logs):
    for number in range(55):
        written(logs, b"x", f"run-{number:02}")
        os.utime(logs.path(f"run-{number:02}"), (number, number))
    logs.prune({"run-01"})
    left = sorted(path.stem for path in logs.path("run").parent.glob("*.log"))
    assert left == ["run-01", *(f"run-{number:02}" for number in range(5, 55))]
    logs.remove("run-54")
    logs.remove("run-54")
    assert not logs.path("run-54").exists()


def test_another_size_counts_at_the_next_trim(tmp_path):
    allowed = [4 * MOST]
    logs = LogFolder(tmp_path / "logs", most_bytes=lambda: allowed[0])
    written(logs, b"x" * 2 * MOST)
    logs.trim("run")
    assert taken_bytes(logs) >= 2 * MOST
    allowed[0] = MOST
    logs.trim("run")
    assert taken_bytes(logs) <= MOST
