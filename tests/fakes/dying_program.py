"""Programs that start a server and are killed. Each is forked from one that has already loaded the slow modules."""

import asyncio
import atexit
import json
import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from gglib_desktop.adapters.runner import kinds  # noqa: F401  # for the runner, which loads it late
from gglib_desktop.api import create_runner
from gglib_desktop.domain.servers.server import ServerConfig


async def start_and_die(data_dir: Path, engine: Path, config: ServerConfig) -> None:
    """Prints the handle of the server."""
    async with create_runner("local", data_dir=data_dir, engine=engine) as runner:
        tell((await runner.start(config)).to_json())
        os.kill(os.getpid(), signal.SIGKILL)


def tell(line: object) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Each line of JSON on standard input is one program. Ends with the input."""
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        child = os.fork()
        if not child:
            try:
                os.environ.update(asked["environment"])
                config = ServerConfig.from_json(asked["config"])
                asyncio.run(start_and_die(Path(asked["data_dir"]), Path(asked["engine"]), config))
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        tell(os.waitstatus_to_exitcode(status))


@cache
def _programs() -> subprocess.Popen[str]:
    programs = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )

    def end() -> None:
        programs.communicate()

    atexit.register(end)
    return programs


def handle_left_by_one(data_dir: Path, engine: Path, config: ServerConfig, environment: dict[str, str]) -> str:
    """The handle of a server whose program was killed, as JSON. Blocks, and is for one caller at a time."""
    programs = _programs()
    asked = {"data_dir": str(data_dir), "engine": str(engine), "config": config.to_json(), "environment": environment}
    assert programs.stdin is not None
    assert programs.stdout is not None
    programs.stdin.write(json.dumps(asked) + "\n")
    programs.stdin.flush()
    handle = programs.stdout.readline()
    assert int(programs.stdout.readline()) == -signal.SIGKILL, handle
    return handle


if __name__ == "__main__":
    main()
