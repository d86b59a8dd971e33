"""What a process has used is read as the system says it, and from one file."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gglib_desktop.adapters.places.local.process_use import ProcessUse
from tests.fakes.opened_files import OpenedFiles

WORKER = "import time\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True)\ninput()"


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[str]]:
    """Has used some CPU time, and waits."""
    argv = [sys.executable, "-c", WORKER]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_it_is_what_the_system_says(worker):
    use, said = ProcessUse(worker.pid).read(), psutil.Process(worker.pid)
    assert use is not None
    times = said.cpu_times()
    assert use.cpu_s == pytest.approx(times.user + times.system, abs=0.03)
    assert use.cpu_s > 0.25
    assert use.rss_bytes == pytest.approx(said.memory_info().rss, rel=0.1)
    assert not use.paused


@pytest.mark.skipif(os.name != "posix", reason="pauses a process")
def test_a_paused_process_is_named_as_such(worker):
    use = ProcessUse(worker.pid)
    worker.send_signal(signal.SIGSTOP)
    os.waitpid(worker.pid, os.WUNTRACED)
    paused = use.read()
    worker.send_signal(signal.SIGCONT)
    os.waitpid(worker.pid, os.WCONTINUED)
    again = use.read()
    assert paused is not None
    assert paused.paused
    assert again is not None
    assert not again.paused


@pytest.mark.skipif(sys.platform != "linux", reason="the name stands in a file of Linux")
@pytest.mark.parametrize("name", ["two words", "S) R 1 (", "naïve", ")"])
def test_a_name_that_looks_like_more_fields_changes_nothing(tmp_path, name):
    program = tmp_path / name
    program.symlink_to(sys.executable)
    with subprocess.Popen([program, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as named:
        assert named.stdout is not None
        named.stdout.readline()
        use = ProcessUse(named.pid).read()
        named.kill()
    assert use is not None
    assert use.cpu_s == pytest.approx(0.3, abs=0.2)
    assert use.rss_bytes > 2**20


def test_one_that_is_gone_has_used_nothing_that_could_be_told(worker):
    use = ProcessUse(worker.pid)
    worker.kill()
    worker.wait()
    assert use.read() is None
    with pytest.raises((OSError, psutil.Error)):
        ProcessUse(worker.pid)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system has no such files")
def test_one_look_opens_one_file(worker, opened_files: OpenedFiles):
    use = ProcessUse(worker.pid)
    opened_files.names.clear()
    use.read()
    assert opened_files.of(worker.pid) == [str(Path(f"/proc/{worker.pid}/stat"))]
