"""When it is certain that a process has no GPU."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gglib_desktop.adapters.places.local.process_use import computes_without_gpu

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")


def answer_for(*opened: Path) -> bool:
    """The answer for a process that holds these files open, and some that every server has."""
    handles = [os.open(path, os.O_RDONLY) for path in (Path(os.devnull), Path("/dev/urandom"), *opened)]
    waiting = (sys.executable, "-I", "-S", "-c", "input()")
    try:
        with subprocess.Popen(waiting, stdin=subprocess.PIPE, pass_fds=handles) as process:
            try:
                return computes_without_gpu(process.pid)
            finally:
                process.kill()
    finally:
        for handle in handles:
            os.close(handle)


def test_a_process_without_any_device_computes_on_the_cpu(tmp_path):
    model = tmp_path / "dev" / "model.gguf"
    model.parent.mkdir()
    model.touch()
    assert answer_for(model)


def test_an_open_device_leaves_doubt():
    assert not answer_for(Path("/dev/full"))


def test_what_cannot_be_looked_at_leaves_doubt():
    assert not computes_without_gpu(2**22 + 1)
