"""What is known of processes is what they are now."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from gglib_desktop.adapters.places.local.processes import running_processes


@pytest.mark.skipif(os.name != "posix", reason="runs another program in its place")
def test_a_process_that_runs_another_program_since_is_known_by_that():
    script = ["sh", "-c", "read line; exec sleep 60"]
    with subprocess.Popen(script, stdin=subprocess.PIPE, text=True) as process:
        try:
            seen = {found.pid: found.exe() for found in running_processes() if found.pid == process.pid}
            assert process.stdin is not None
            process.stdin.close()
            while psutil.Process(process.pid).cmdline() != ["sleep", "60"]:
                assert process.poll() is None
            (again,) = (found.exe() for found in running_processes() if found.pid == process.pid)
            assert again != seen[process.pid]
        finally:
            process.kill()


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system has no such files")
def test_a_program_of_another_name_is_passed_over_without_opening_a_file(opened_files, sleeper):
    assert sleeper.pid not in {found.pid for found in running_processes(("llama",))}
    assert opened_files.of(sleeper.pid) == []


@pytest.mark.skipif(os.name != "posix", reason="copies a program of the system")
@pytest.mark.parametrize("name", ["llama-server", "LLAMA-Server", "llama"])
def test_a_program_is_found_by_how_its_name_begins(tmp_path, name):
    program = tmp_path / name
    shutil.copy(shutil.which("sleep") or "", program)
    with subprocess.Popen([program, "60"]) as process:
        try:
            assert process.pid in {found.pid for found in running_processes(("llama",))}
            # An update replaces the file of a program that runs.
            program.unlink()
            assert process.pid in {found.pid for found in running_processes(("llama",))}
        finally:
            process.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system has no such files")
def test_one_that_is_known_already_is_passed_over_without_opening_a_file(opened_files, sleeper):
    assert sleeper.pid not in {found.pid for found in running_processes(without={sleeper.pid})}
    assert opened_files.of(sleeper.pid) == []
    assert sleeper.pid in {found.pid for found in running_processes(without={None})}


AS_NOBODY = """
import os
from gglib_desktop.adapters.places.local.processes import running_processes
os.seteuid(65534)
print([found.pid for found in running_processes(("llama",))])
"""


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root may be somebody else")
def test_a_program_of_another_user_is_found_by_its_command(tmp_path):
    program = tmp_path / "llama-server-of-root"
    shutil.copy(shutil.which("sleep") or "", program)
    with subprocess.Popen([program, "60"]) as process:
        try:
            seen = subprocess.run([sys.executable, "-c", AS_NOBODY], check=True, capture_output=True, text=True)
            assert process.pid in json.loads(seen.stdout)
        finally:
            process.kill()
