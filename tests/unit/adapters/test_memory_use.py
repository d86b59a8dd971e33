"""The memory of processes, from files as Linux writes them and from a library as NVIDIA's driver has it."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from gglib_desktop.adapters.places.local.memory_use import memory_use
from gglib_desktop.domain.traffic.figures import MemoryUse

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the files are those of Linux")
PAGE = os.sysconf("SC_PAGE_SIZE")
KIB, MIB, GIB = 2**10, 2**20, 2**30
ROLLUP = """\
55d0c0000000-7fff00000000 ---p 00000000 00:00 0                          [rollup]
Rss:               40000 kB
Pss:               {pss} kB
Pss_Anon:           1000 kB
Anonymous:         {anonymous} kB
LazyFree:              0 kB
"""


class Proc:
    """A folder of processes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def process(self, pid: int, *, resident: int = 1000, shared: int = 400, rollup: str = "") -> None:
        folder = self.path / str(pid)
        for name in ("fd", "fdinfo"):
            (folder / name).mkdir(parents=True)
        (folder / "statm").write_text(f"5000 {resident} {shared} 10 0 200 0\n")
        if rollup:
            (folder / "smaps_rollup").write_text(rollup)

    def opens(self, pid: int, number: int, target: str, info: str) -> None:
        folder = self.path / str(pid)
        (folder / "fd" / str(number)).symlink_to(target)
        (folder / "fdinfo" / str(number)).write_text(info)


@pytest.fixture
def proc(tmp_path) -> Proc:
    return Proc(tmp_path)


def client(number: int, *lines: str, card: str = "0000:03:00.0") -> str:
    return "\n".join(["pos:\t0", "drm-driver:\tamdgpu", f"drm-client-id:\t{number}", f"drm-pdev:\t{card}", *lines, ""])


def vram(size: str) -> str:
    return f"drm-memory-vram:\t{size}"


def test_what_costs_memory_is_told_apart_from_the_file_of_the_model(proc):
    proc.process(1, rollup=ROLLUP.format(pss=2000, anonymous=1500))
    assert memory_use([1], proc.path) == MemoryUse(1000 * PAGE, 1500 * KIB, 2000 * KIB)


def test_where_the_system_hides_the_details_the_rest_is_known(proc):
    proc.process(1)
    assert memory_use([1], proc.path) == MemoryUse(1000 * PAGE, 600 * PAGE)


@pytest.mark.parametrize("statm", [None, "", "5000", "a b c"])
def test_of_one_that_is_gone_nothing_is_known(proc, statm):
    if statm is not None:
        proc.process(1)
        (proc.path / "1" / "statm").write_text(statm)
    assert memory_use([1], proc.path) is None


def test_what_a_wrapper_started_counts(proc):
    proc.process(1, rollup=ROLLUP.format(pss=10, anonymous=5))
    proc.process(2, rollup=ROLLUP.format(pss=2000, anonymous=1500))
    assert memory_use([1, 2, 3], proc.path) == MemoryUse(2000 * PAGE, 1505 * KIB, 2010 * KIB)
    proc.process(4)
    assert memory_use([1, 4], proc.path) == MemoryUse(2000 * PAGE, 5 * KIB + 600 * PAGE, None), "a half is no sum"


def test_each_client_of_a_graphics_driver_counts_once(proc):
    proc.process(1)
    proc.opens(1, 3, "/dev/dri/renderD128", client(7, vram("1048576 KiB")))
    proc.opens(1, 4, "/dev/dri/renderD128", client(7, vram("1048576 KiB")))
    proc.opens(1, 5, "/dev/dri/renderD129", client(7, vram("512 MiB"), card="0000:04:00.0"))
    proc.opens(1, 6, "/dev/dri/renderD128", client(8, "drm-total-vram:\t2 GiB"))
    proc.opens(1, 7, "/dev/dri/renderD128", client(9, vram("4096")))
    proc.opens(1, 8, "/models/tiny.gguf", client(10, vram("9 GiB")))
    use = memory_use([1], proc.path)
    assert use is not None
    assert use.graphics == GIB + 512 * MIB + 2 * GIB + 4096


@pytest.mark.parametrize("info", ["", client(1), client(1, vram("much")), client(1, vram("1 PiB"))])
def test_a_driver_that_does_not_tell_leaves_it_unknown(proc, info):
    proc.process(1)
    proc.opens(1, 3, "/dev/dri/renderD128", info)
    use = memory_use([1], proc.path)
    assert use is not None
    assert use.graphics is None


def test_a_file_that_was_closed_meanwhile_is_passed_over(proc):
    proc.process(1)
    proc.opens(1, 3, "/dev/dri/renderD128", client(1, vram("1 GiB")))
    (proc.path / "1" / "fdinfo" / "3").unlink()
    (proc.path / "1" / "fd" / "4").touch()
    (proc.path / "1" / "statm").write_text("5000 10 4\n")
    assert memory_use([1], proc.path) == MemoryUse(10 * PAGE, 6 * PAGE)


def test_a_real_process_tells_what_psutil_tells():
    argv = [sys.executable, "-I", "-S", "-c", "print(flush=True); input()"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        said, use = psutil.Process(process.pid).memory_full_info(), memory_use([process.pid])
        process.kill()
    assert use is not None
    assert use.resident == pytest.approx(said.rss, rel=0.3)
    assert use.proportional is not None
    assert use.anonymous is not None
    assert use.anonymous <= use.proportional <= use.resident
