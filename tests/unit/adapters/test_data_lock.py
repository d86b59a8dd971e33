"""One program at a time per data directory."""

import errno
import fcntl
import os
from pathlib import Path

import psutil
import pytest

from gglib_desktop.adapters.records.data_lock import DataLock
from gglib_desktop.domain.errors import DataDirectoryInUse, RunnerUnavailable


def test_a_second_one_is_refused_by_the_name_of_the_first_until_that_lets_go(tmp_path: Path) -> None:
    first, second = DataLock(tmp_path), DataLock(tmp_path)
    first.acquire()
    with pytest.raises(DataDirectoryInUse, match=f"in use by process {os.getpid()}"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()
    second.release()


def test_a_place_that_cannot_be_used_is_nobody_elses(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(RunnerUnavailable, match="cannot use") as caught:
        DataLock(tmp_path).acquire()
    assert not isinstance(caught.value, DataDirectoryInUse)


def test_a_full_disk_does_not_keep_it_from_being_taken(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to("/dev/full")
    for _session in range(2):
        first, second = DataLock(tmp_path), DataLock(tmp_path)
        first.acquire()
        with pytest.raises(RunnerUnavailable, match="in use by"):
            second.acquire()
        first.release()


def test_a_child_that_is_just_being_started_does_not_hold_it_on(tmp_path: Path) -> None:
    first, second = DataLock(tmp_path), DataLock(tmp_path)
    first.acquire()
    assert first._fd is not None
    inherited = os.dup(first._fd)
    first.release()
    second.acquire()
    second.release()
    os.close(inherited)


def test_a_file_system_without_locks_is_nobody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_fd: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    before = psutil.Process().num_fds()
    with pytest.raises(RunnerUnavailable, match="No locks available") as caught:
        DataLock(tmp_path).acquire()
    assert not isinstance(caught.value, DataDirectoryInUse)
    assert psutil.Process().num_fds() == before
