"""llama-server as the head of workers."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Sequence
from functools import partial

from gglib_desktop.adapters.engines.asking import CallOff, ask, in_thread
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.llama_cpp.argv import engine_environment
from gglib_desktop.domain.llama_cpp.split.words import (
    LIST_DEVICES,
    RPC_FLAG,
    listed_workers,
    missing_workers,
    with_workers,
)

_PATIENCE_S = 5.0


class LlamaSplit:
    """Asks the head's own program which workers it reaches; a connection says nothing of a busy one."""

    with_workers = staticmethod(with_workers)
    missing_in = staticmethod(missing_workers)

    async def reached(self, engine: Engine, addresses: Sequence[str]) -> Collection[str]:
        try:
            return await in_thread(partial(_listed, engine, addresses)) & frozenset(addresses)
        except ConfigurationError:  # it did not end in time
            return ()


def _listed(engine: Engine, addresses: Sequence[str], call_off: CallOff) -> frozenset[str]:
    environment = engine_environment(os.environ, frozen=getattr(sys, "frozen", False))
    command = (*engine.command, RPC_FLAG, ",".join(addresses))
    answer = ask(command, LIST_DEVICES, environment, patience_s=_PATIENCE_S, call_off=call_off)
    return listed_workers(answer.output)
