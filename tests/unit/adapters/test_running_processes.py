"""What is known of processes is what they are now."""

import os
import subprocess

import psutil
import pytest

from gglib_desktop.adapters.runners.processes import running_processes


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
