"""Logs tell that they have grown, and cost nothing while they do not."""

import os
from pathlib import Path

import pytest

from gglib_desktop.adapters.files.inotify import Inotify
from gglib_desktop.adapters.machine.log_files import LogFolder
from gglib_desktop.adapters.machine.log_growth import LogGrowth
from tests.fakes.clock_loop import time_passes
from tests.fakes.waiting import poll


def refused() -> Inotify:
    raise OSError("too many instances")


@pytest.fixture
def logs(tmp_path: Path) -> LogFolder:
    return LogFolder(tmp_path / "logs")


def written(logs: LogFolder, name: str, data: bytes, times: int = 1) -> None:
    fd = logs.open_for_append(name)
    for _time in range(times):
        os.write(fd, data)
    os.close(fd)


class Told:
    """What was told, as calls and by name."""

    def __init__(self, growth: LogGrowth) -> None:
        self.calls: list[dict[str, int]] = []
        self.end = growth.listen(lambda sizes: self.calls.append(dict(sizes)))

    @property
    def sizes(self) -> dict[str, int]:
        return {name: size for call in self.calls for name, size in call.items()}


async def test_growth_is_told_soon_and_not_for_each_line(logs):
    written(logs, "before", b"old\n")
    told = Told(LogGrowth(logs.folder))
    written(logs, "one", b"line\n")
    await poll(lambda: told.sizes == {"one": 5})
    written(logs, "one", b"line\n", 5000)
    written(logs, "before", b"new\n", 5000)
    await poll(lambda: told.sizes == {"one": 25_005, "before": 20_004})
    assert len(told.calls) <= 4
    logs.remove("one")
    await poll(lambda: told.sizes["one"] == 0)
    told.end()
    written(logs, "two", b"line\n")
    assert "two" not in told.sizes


async def test_what_grows_in_the_pause_is_told_after_it(logs):
    told = Told(LogGrowth(logs.folder))
    written(logs, "one", b"line\n")
    await poll(lambda: told.sizes == {"one": 5})
    written(logs, "two", b"line\n")
    await poll(lambda: told.calls == [{"one": 5}, {"two": 5}])
    told.end()


async def test_all_who_listen_are_told_until_they_end_that(logs):
    growth = LogGrowth(logs.folder)
    first, second = Told(growth), Told(growth)
    first.end()
    written(logs, "one", b"line\n")
    await poll(lambda: second.sizes == {"one": 5})
    assert first.calls == []
    second.end()
    again = Told(growth)
    written(logs, "one", b"line\n")
    await poll(lambda: again.sizes == {"one": 10})
    again.end()


class CountedGrowth(LogGrowth):
    looks = 0

    def _look(self) -> dict[str, int]:
        self.looks += 1
        return super()._look()


@pytest.mark.jumping_clock
async def test_an_hour_of_fifty_idle_servers_costs_nothing(logs):
    for number in range(50):
        written(logs, f"run{number}", b"ready\n")
    growth = CountedGrowth(logs.folder)
    told = Told(growth)
    await time_passes(3600)
    assert growth.looks == 2
    written(logs, "run7", b"line\n")
    await time_passes(1)
    assert told.calls == [{"run7": 11}]
    told.end()


@pytest.mark.jumping_clock
async def test_without_inotify_logs_are_looked_at_twice_a_second(logs):
    growth = CountedGrowth(logs.folder, inotify=refused)
    told = Told(growth)
    await time_passes(10)
    assert growth.looks == pytest.approx(20, abs=3)
    written(logs, "one", b"line\n")
    await time_passes(0.6)
    assert told.calls == [{"one": 5}]
    told.end()
    await time_passes(10)
    assert growth.looks == pytest.approx(22, abs=3)


async def test_a_folder_that_goes_is_looked_for(logs):
    told = Told(LogGrowth(logs.folder))
    written(logs, "one", b"line\n")
    await poll(lambda: told.sizes == {"one": 5})
    logs.remove("one")
    logs.folder.rmdir()
    await poll(lambda: told.sizes == {"one": 0})
    written(logs, "one", b"again\n")
    await poll(lambda: told.sizes == {"one": 6})
    told.end()
