"""A log that is followed loses no line and mixes no two runs, however its pieces arrive."""

import pytest

from gglib_desktop.domain.llama_cpp.log_levels import level_of
from gglib_desktop.viewmodels.servers.log import LogViewModel
from tests.fakes.growing_log import GrowingLogs
from tests.fakes.waiting import poll


@pytest.fixture
def logs() -> GrowingLogs:
    return GrowingLogs()


@pytest.fixture
async def log(scope, logs):
    log = LogViewModel(scope, logs.read, level_of)
    log.show_log("run")
    yield log
    log.set_shown(False)


def lines(log: LogViewModel) -> list[str]:
    return [log.table.index(row, 0).data() for row in range(log.table.rowCount())]


async def test_a_hundred_thousand_lines_arrive_in_order(log, logs):
    written = [f"0.00.{number % 1000:03}.000 I srv  line {number}" for number in range(100_000)]
    logs.write("run", "".join(f"{line}\n" for line in written).encode())
    log.set_shown(True)
    await poll(lambda: lines(log)[-1:] == written[-1:])
    assert lines(log) == written


@pytest.mark.parametrize("piece", [1, 2, 3, 7])
async def test_pieces_may_end_in_the_middle_of_a_line_or_a_letter(log, logs, piece):
    logs.most_bytes = piece
    logs.write("run", "größer\n日本\n😀\n".encode())
    log.set_shown(True)
    await poll(lambda: lines(log) == ["größer", "日本", "😀"])


async def test_bytes_that_are_no_text_and_colours_do_no_harm(log, logs):
    logs.write("run", b"a \xff\xfe b\n\x1b[31mred\x1b[0m\r\n")
    log.set_shown(True)
    await poll(lambda: lines(log) == ["a \ufffd\ufffd b", "red"])


async def test_what_comes_later_is_added(log, logs):
    told = []
    log.appended.connect(lambda: told.append(log.table.rowCount()))
    log.set_shown(True)
    logs.write("run", b"one\n")
    await poll(lambda: lines(log) == ["one"])
    logs.write("run", b"two\nthree\n")
    await poll(lambda: lines(log) == ["one", "two", "three"])
    assert told[-1] == 3


async def test_a_last_line_without_an_end_is_shown_and_goes_on(log, logs):
    logs.write("run", b"error: no")
    log.set_shown(True)
    await poll(lambda: lines(log) == ["error: no"])
    logs.write("run", b" such file\n")
    await poll(lambda: lines(log) == ["error: no such file"])


async def test_the_next_runs_log_comes_below_the_former_ones(log, logs):
    logs.write("run", b"old\n")
    log.set_shown(True)
    await poll(lambda: lines(log) == ["old"])
    logs.write("run", b"old, too\n")
    logs.write("next", b"new\n")
    log.show_log("next")
    await poll(lambda: lines(log)[-1:] == ["new"])
    first, second, between, last = lines(log)
    assert (first, second, last) == ("old", "old, too", "new")
    assert "new run" in between


async def test_hidden_it_reads_nothing_and_misses_nothing(log, logs):
    logs.write("run", b"one\n")
    assert logs.reads == 0
    log.set_shown(True)
    await poll(lambda: lines(log) == ["one"])
    log.set_shown(False)
    logs.write("run", b"two\n")
    log.set_shown(True)
    await poll(lambda: lines(log) == ["one", "two"])


async def test_without_a_log_there_is_nothing_to_read(scope, logs):
    log = LogViewModel(scope, logs.read, level_of)
    log.set_shown(True)
    log.show_log("")
    assert lines(log) == []
    logs.write("run", b"one\n")
    log.show_log("run")
    await poll(lambda: lines(log) == ["one"])
    log.set_shown(False)
