"""Runs each scenario against the real program on a virtual screen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SYSTEM_PYTHON = "/usr/bin/python3"


@pytest.mark.e2e
@pytest.mark.llama
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "scenario",
    ["first_light", "two_servers_and_quit", "outlive", "failures", "settings_file", "launch_choices", "preset"],
)
def test_scenario(scenario: str, tmp_path: Path, tiny_model: Path, plain_model: Path, engine_path: Path) -> None:
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "xcb",
        "LANG": "C.UTF-8",
        "GGLIB_LLAMA_SERVER_PATH": str(engine_path),
        "NO_AT_BRIDGE": "0",
        # Several threads of an engine wait for each other busily.
        "LLAMA_ARG_THREADS": "1",
    }
    done = subprocess.run(
        [
            "xvfb-run", "-a", "-s", "-screen 0 1280x900x24", "dbus-run-session", "--",
            SYSTEM_PYTHON, str(HERE / "scenarios.py"),
            scenario, sys.executable, str(tmp_path / "data"), str(tiny_model), str(plain_model),
        ],
        env=environment,
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-8000:]}"
