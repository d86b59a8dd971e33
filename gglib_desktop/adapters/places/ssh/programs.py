"""The engine on another computer, asked there what it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gglib_desktop.adapters.places.ssh.runs import Runs
from gglib_desktop.adapters.places.ssh.told import exit_of, text
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.servers.failures import ServerExit

_PATIENCE_S = 60.0


class Programs:
    """``configured`` is a path there; None takes the first one that is found in PATH there."""

    def __init__(self, runs: Runs, configured: Path | None) -> None:
        self._runs = runs
        self._configured = configured

    async def found(self) -> tuple[str, tuple[str, ...]]:
        """What tells this program file from a later one, and its path. Raises: ConfigurationError."""
        path = str(self._configured) if self._configured is not None else await self._in_path()
        if not path.startswith("/"):
            raise ConfigurationError("engine", path, "must be the whole path of a program on that computer")
        state = text((await self._runs.told("file", path)).output).strip()
        if not state.startswith("file"):
            raise ConfigurationError("engine", path, "there is no such program on that computer")
        return state, (path,)

    async def _in_path(self) -> str:
        computer = await self._runs.greeted()
        if not computer.programs:
            computer = await self._runs.greeted(again=True)
        if not computer.programs:
            raise ConfigurationError("engine", None, f"none is found in PATH there: {computer.environment.get('PATH')}")
        return computer.programs[0]

    async def answer(self, argv: Sequence[str]) -> tuple[str, ServerExit]:
        """What a program prints, and how it ends."""
        answer = await self._runs.told("ask", *argv, limit_s=_PATIENCE_S)
        return answer.output.decode("utf-8", "replace"), exit_of(str(answer.status), "")
