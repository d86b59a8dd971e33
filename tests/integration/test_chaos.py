"""A few steps of `make chaos`, which takes the long walks: here it must only find its way."""

import re
import subprocess
import sys

import pytest

from tests.chaos.oracle import KINDS
from tests.chaos.world import ROOT

# Only ends what hangs.
WITHIN_S = 300


@pytest.mark.parametrize(("runner", "steps"), [pytest.param("local", 8, marks=pytest.mark.llama), ("mock", 30)])
@pytest.mark.timeout(WITHIN_S + 10)
def test_the_program_and_the_system_agree_after_whatever_happens(runner, steps):
    words = ["--runner", runner, "--seed", "1", "--steps", str(steps), "--patience", "10"]
    # When its harness is killed, the program stops its servers and ends.
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    counts = " ".join(f"{kind}=0" for kind in KINDS)
    assert done.stdout.splitlines()[-1] == f"chaos: seed=1 steps={steps} {counts}"


@pytest.mark.timeout(WITHIN_S + 10)
def test_a_library_whose_program_is_killed_loses_nothing():
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.library", "--kills", "2"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    counts = re.fullmatch(r"chaos-library: seed=1 kills=2 edits=(\d+) lost=0", done.stdout.splitlines()[-1])
    assert counts is not None
    assert int(counts[1]) > 0
