"""A log followed live: nothing is lost, a flood is leapt over, runs follow each other."""

import asyncio
import os
import re

import pytest
from PySide6.QtTest import QSignalSpy

from gglib_desktop.domain.llama_cpp.log_levels import level_of
from gglib_desktop.domain.servers.log_text import LogLevel
from gglib_desktop.ports.servers.server_monitor import LogChunk
from gglib_desktop.viewmodels.servers.log import LogViewModel
from gglib_desktop.viewmodels.servers.log_table import MOST_LINES, LevelRole
from tests.fakes.clock_loop import time_passes
from tests.fakes.growing_log import GrowingLogs
from tests.fakes.waiting import poll


@pytest.fixture
def logs() -> GrowingLogs:
    return GrowingLogs()


@pytest.fixture
def log(scope, logs) -> LogViewModel:
    return LogViewModel(scope, logs.read, level_of)


class EndlessLog:
    """A log too large to be held, of lines that say their number.

    At each of the first ``grows`` questions it grows by ``grows_by`` bytes.
    """

    def __init__(self, size: int, *, width: int = 160, grows: int = 0, grows_by: int = 0) -> None:
        self.width = width
        self.size = size // width * width
        self.grows = grows
        self.grows_by = grows_by // width * width
        self.hole_until = 0

    async def read(self, _name: str, offset: int, limit_bytes: int) -> LogChunk:
        if self.grows:
            self.grows -= 1
            self.size += self.grows_by
        wanted = max(0, self.size + offset) if offset < 0 else offset
        start = max(wanted, self.hole_until)
        end = min(self.size, start + limit_bytes)
        first = start // self.width
        numbers = range(first, -(-end // self.width))
        whole = b"".join((b"line %d " % number).ljust(self.width - 1) + b"\n" for number in numbers)
        data = whole[start - first * self.width : end - first * self.width]
        return LogChunk(data, end, skipped=start if offset < 0 else start - wanted)


def number_in(note: str, pattern: str) -> int:
    found = re.fullmatch(pattern, note)
    assert found, note
    return int(found[1].replace(",", ""))


def lines(log: LogViewModel) -> list[str]:
    return [log.table.line(row) for row in range(log.table.rowCount())]


async def shows(log: LogViewModel, *wanted: str) -> None:
    await poll(lambda: lines(log) == [*wanted])


def numbered(count: int, first: int = 0) -> bytes:
    return b"".join(b"0.00.025.257 I srv  line %07d of many\n" % number for number in range(first, first + count))


# -- following


async def test_a_log_is_shown_and_followed(log, logs):
    logs.write("run", b"one\ntwo\nthr")
    log.show_log("run")
    log.set_shown(True)
    await poll(lambda: lines(log)[:2] == ["one", "two"])
    logs.write("run", b"ee\nfour\n")
    await shows(log, "one", "two", "three", "four")


async def test_nothing_is_read_while_nobody_looks(log, logs):
    logs.write("run", b"one\n")
    log.show_log("run")
    log.set_shown(False)
    assert not logs.reads
    log.set_shown(True)
    log.set_shown(True)
    await shows(log, "one")
    log.set_shown(False)
    logs.write("run", b"two\n")
    log.set_shown(True)
    await shows(log, "one", "two")


async def test_before_the_first_run_there_is_nothing_to_read(log, logs):
    log.show_log("")
    log.set_shown(True)
    await asyncio.sleep(0)
    assert (log.name, logs.reads) == ("", 0)
    logs.write("run", b"one\n")
    names = QSignalSpy(log.nameChanged)
    log.show_log("run")
    log.show_log("run")
    await shows(log, "one")
    assert names.count() == 1
    assert log.name == "run"


async def test_lines_may_be_torn_anywhere(log, logs):
    text = "0.00 I größer\r\n\x1b[31mE rot\x1b[0m — 日本語\nlast one\n"
    logs.write("run", text.encode())
    logs.most_bytes = 1
    log.show_log("run")
    for _ in range(len(text.encode())):
        log._take(await logs.read("run", log._offset, 1))
    log._show()
    assert lines(log) == ["0.00 I größer", "E rot — 日本語", "last one"]


async def test_bytes_that_are_no_text_do_no_harm(log, logs):
    logs.write("run", b"\xff\xfe broken\nfine\n")
    log.show_log("run")
    log.set_shown(True)
    await shows(log, "\ufffd\ufffd broken", "fine")


async def test_a_line_that_stays_unfinished_is_shown_and_goes_on_later(log, logs):
    logs.write("run", b"one\nloading ...")
    log.show_log("run")
    log.set_shown(True)
    await shows(log, "one", "loading ...")
    logs.write("run", b"...")
    await shows(log, "one", "loading ......")
    logs.write("run", b" done\nnext\n")
    await shows(log, "one", "loading ...... done", "next")


async def test_endless_lines_are_cut_for_the_eye(log, logs):
    logs.write("run", b"x" * 9000 + b"\nnext\n")
    log.show_log("run")
    log.set_shown(True)
    await shows(log, "x" * 4000, "x" * 4000, "x" * 1000, "next")
    logs.write("run", b"y" * 200_000)
    await poll(lambda: sum(map(len, lines(log)[4:])) == 200_000)
    assert max(map(len, lines(log))) == 4000


async def test_levels_go_on_from_piece_to_piece(log, logs):
    logs.write("run", b"E bad\n")
    log.show_log("run")
    log.set_shown(True)
    await shows(log, "E bad")
    logs.write("run", b"  because\nI good\n")
    await shows(log, "E bad", "  because", "I good")
    levels = [log.table.index(row, 0).data(LevelRole) for row in range(3)]
    assert levels == [LogLevel.ERROR, LogLevel.ERROR, LogLevel.INFO]


# -- much at once


async def test_a_hundred_thousand_lines_lose_nothing(log, logs):
    log.show_log("run")
    log.set_shown(True)
    for part in range(10):
        logs.write("run", numbered(MOST_LINES // 10, part * MOST_LINES // 10))
        await asyncio.sleep(0)
    await poll(lambda: log.table.rowCount() == MOST_LINES)
    assert [int(line[-15:-8]) for line in lines(log)] == list(range(MOST_LINES))
    logs.write("run", numbered(10, MOST_LINES))
    await poll(lambda: lines(log)[-1].endswith(f"{MOST_LINES + 9:07} of many"))
    assert log.table.rowCount() == MOST_LINES
    assert lines(log)[0].endswith("0000010 of many")


@pytest.mark.jumping_clock
async def test_news_is_told_at_most_twenty_times_a_second(log, logs):
    news = QSignalSpy(log.appended)
    log.show_log("run")
    log.set_shown(True)
    for number in range(500):
        logs.write("run", numbered(100, number * 100))
        await time_passes(0.002)
    assert 15 <= news.count() <= 21
    await poll(lambda: log.table.rowCount() == 50_000)


async def test_of_a_long_log_the_end_is_shown(scope):
    endless = EndlessLog(10**9)
    log = LogViewModel(scope, endless.read, level_of)
    log.show_log("run")
    log.set_shown(True)
    await poll(lambda: log.table.rowCount() == MOST_LINES)
    log.set_shown(False)
    assert int(lines(log)[-1].split()[1]) == endless.size // endless.width - 1


async def test_a_first_line_says_what_is_not_shown(scope):
    endless = EndlessLog(17 * 1024 * 1024, width=320)
    log = LogViewModel(scope, endless.read, level_of)
    log.show_log("run")
    log.set_shown(True)
    await poll(lambda: log.table.rowCount() and lines(log)[-1].startswith(f"line {endless.size // 320 - 1} "))
    log.set_shown(False)
    note, first = lines(log)[:2]
    missing = number_in(note, r"… ([\d,]+) bytes before this are not shown")
    assert missing == int(first.split()[1]) * endless.width, "from here on every byte is there"


async def test_a_flood_is_leapt_over_and_said_so(scope):
    # It stops with the question that finds too much unread: what is shown afterwards stays in the table.
    flood = EndlessLog(0, grows=5, grows_by=4 * 1024 * 1024)
    log = LogViewModel(scope, flood.read, level_of)
    log.show_log("run")
    log.set_shown(True)
    last = 5 * flood.grows_by // flood.width - 1
    await poll(lambda: not log.table.is_empty and lines(log)[-1].startswith(f"line {last} "))
    log.set_shown(False)
    (row,) = (row for row, line in enumerate(lines(log)) if "skipped" in line)
    before, note, after = lines(log)[row - 1 : row + 2]
    missing = number_in(note, r"… ([\d,]+) bytes skipped; they are in the log file")
    # The piece before ends anywhere in a line, which is then missing too.
    lines_between = int(after.split()[1]) - int(before.split()[1]) - 1
    assert lines_between - 1 < missing / flood.width <= lines_between
    assert log.table.index(row, 0).data(LevelRole) is LogLevel.NOTE


async def test_a_beginning_that_was_let_go_meanwhile_is_said_so(scope):
    endless = EndlessLog(16_000)
    log = LogViewModel(scope, endless.read, level_of)
    log.show_log("run")
    log.set_shown(True)
    await poll(lambda: log.table.rowCount() == 100)
    log.set_shown(False)
    endless.size += 320_000
    endless.hole_until = 176_000 + 80
    log.set_shown(True)
    await poll(lambda: lines(log)[-1].startswith("line 2099 "))
    log.set_shown(False)
    assert lines(log)[100] == "… 160,160 bytes skipped; the log file keeps only its end"
    assert lines(log)[101].startswith("line 1101 ")


async def test_a_log_file_that_was_cut_down_is_shown_from_its_beginning(scope):
    logs = GrowingLogs()
    logs.write("run", b"one\ntwo\n")

    async def read(name: str, offset: int, limit_bytes: int) -> LogChunk:
        return await logs.read(name, offset if offset <= len(logs.logs[name]) else 0, limit_bytes)

    log = LogViewModel(scope, read, level_of)
    log.show_log("run")
    log.set_shown(True)
    await shows(log, "one", "two")
    logs.logs["run"] = b"new\n"
    await shows(log, "one", "two", "… the log file was cut down; this is its new beginning", "new")


# -- one run after another


async def test_a_new_run_comes_below_the_former_one(log, logs):
    logs.write("first", b"one\n")
    log.show_log("first")
    log.set_shown(True)
    await shows(log, "one")
    logs.write("first", b"its last words\nkilled")
    logs.write("second", b"two\n")
    log.show_log("second")
    assert log.name == "second"
    await poll(lambda: lines(log)[-1] == "two")
    assert lines(log)[:3] == ["one", "its last words", "killed"]
    assert re.fullmatch(r"──── new run \d\d:\d\d:\d\d ────", lines(log)[3])
    assert log.table.index(3, 0).data(LevelRole) is LogLevel.NOTE
    assert log.table.rowCount() == 5


async def test_a_new_run_while_nobody_looks(log, logs):
    logs.write("first", b"one\n")
    logs.write("second", b"two\n")
    logs.write("third", b"three\n")
    log.show_log("first")
    log.show_log("second")
    log.set_shown(True)
    await shows(log, "two")
    log.set_shown(False)
    logs.write("second", b"more\n")
    log.show_log("third")
    log.set_shown(True)
    await poll(lambda: lines(log)[-1] == "three")
    assert [line for line in lines(log) if "new run" not in line] == ["two", "more", "three"]


async def test_a_run_without_output_leaves_no_line(log, logs):
    logs.write("second", b"two\n")
    log.show_log("first")
    log.set_shown(True)
    await poll(lambda: logs.reads)
    log.show_log("second")
    await shows(log, "two")


# -- saving


async def test_the_whole_file_is_saved(log, logs, tmp_path):
    whole = numbered(20_000)
    logs.write("run", whole)
    log.show_log("run")
    saved = QSignalSpy(log.saving.saved)
    path = tmp_path / "my.log"
    path.write_text("what was there before")
    log.saving.save(path)
    log.saving.save(path)
    await poll(saved.count)
    assert path.read_bytes() == whole
    assert saved.at(0) == [str(path)]
    assert os.listdir(tmp_path) == ["my.log"]  # noqa: PTH208


async def test_what_is_shown_is_saved_when_the_file_is_gone(log, logs, tmp_path):
    logs.write("run", b"one\ntwo\n")
    log.show_log("run")
    log.set_shown(True)
    await shows(log, "one", "two")
    log.set_shown(False)
    logs.logs["run"] = b""
    saved = QSignalSpy(log.saving.saved)
    log.saving.save(tmp_path / "my.log")
    await poll(saved.count)
    assert (tmp_path / "my.log").read_text() == "one\ntwo\n"


async def test_a_log_that_ends_early_is_saved_as_far_as_it_goes(scope, tmp_path):
    logs = GrowingLogs()
    logs.write("run", b"one\ntwo\n")

    async def read(name: str, offset: int, limit_bytes: int) -> LogChunk:
        chunk = await logs.read(name, offset, limit_bytes)
        return chunk if offset < 4 else LogChunk(b"", offset)

    log = LogViewModel(scope, read, level_of)
    log.show_log("run")
    logs.most_bytes = 4
    saved = QSignalSpy(log.saving.saved)
    log.saving.save(tmp_path / "my.log")
    await poll(saved.count)
    assert (tmp_path / "my.log").read_text() == "one\n"


async def test_a_place_that_cannot_be_written_is_said_so(log, logs, tmp_path):
    logs.write("run", b"one\n")
    log.show_log("run")
    failed = QSignalSpy(log.saving.failed)
    log.saving.save(tmp_path / "nowhere" / "my.log")
    await poll(failed.count)
    assert failed.at(0) == ["No such file or directory"]
