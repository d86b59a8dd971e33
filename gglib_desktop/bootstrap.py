"""Builds the program out of its parts. The only module that names adapters."""

from __future__ import annotations

import os
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from gglib_desktop.domain.engine import Engine
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.ports.process_runner import ProcessRunner
from gglib_desktop.ports.server_monitor import ServerMonitor


class Runner(ProcessRunner, ServerMonitor, Protocol):
    """What every runner is: the port and the monitor beside it."""


def create_runner(kind: str, *, data_dir: Path, engine: Path | None = None) -> AbstractAsyncContextManager[Runner]:
    """A runner over ``data_dir``: ``local`` for real llama-server processes, ``mock`` for simulated ones.

    ``engine`` names the program; None looks for one. Raises: ConfigurationError for another kind.
    """
    from gglib_desktop.adapters.engines.catalog import LlamaEngineCatalog
    from gglib_desktop.adapters.runners.local import LlamaServerRunner

    if kind == "local":
        catalog = LlamaEngineCatalog(os.environ)

        async def find() -> Engine:
            return await (catalog.inspect(engine) if engine is not None else catalog.find(None))

        return LlamaServerRunner(data_dir, find, environment=os.environ)
    raise ConfigurationError("kind", kind, "must be local or mock")
