"""A program without a window that records requests, to be killed: ``recording_program DATA_DIR ENGINE [CONFIG]``.

With a configuration, as JSON, it starts a server. It prints the endpoint of its server, and ends with its input.
"""

import asyncio
import sys
from pathlib import Path

from gglib_desktop.adapters.requests.sqlite_requests import SqliteRequestStore
from gglib_desktop.api import create_runner
from gglib_desktop.domain.documents.settings import AppSettings
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.servers.states import Healthy
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.services.traffic.recording import RequestRecorder
from gglib_desktop.tasks import LogReporter
from tests.fakes.waiting import poll


async def run(data_dir: Path, engine: Path, config: ServerConfig | None) -> None:
    async with create_runner("local", data_dir=data_dir, engine=engine) as runner:
        store = SqliteRequestStore(data_dir / "requests.sqlite")
        supervisor = Supervisor(runner, runner, LogReporter())
        recorder = RequestRecorder(supervisor, store, AppSettings, LogReporter())
        recorder.begin()
        await supervisor.adopt()
        if config is not None:
            supervisor.start(config)
        await poll(lambda: isinstance(supervisor.servers[0].state, Healthy))
        sys.stdout.write(f"{supervisor.servers[0].endpoint}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
        await recorder.aclose()
        await supervisor.aclose()
        await store.aclose()


def main() -> None:
    data_dir, engine, *config = sys.argv[1:]
    asyncio.run(run(Path(data_dir), Path(engine), ServerConfig.from_json(config[0]) if config else None))


if __name__ == "__main__":
    main()
