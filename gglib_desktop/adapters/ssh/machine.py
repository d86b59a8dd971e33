"""One computer reached over ssh, as places see it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Answer:
    """What a script printed, and its exit status."""

    status: int
    output: bytes = field(repr=False)


class Channel(Protocol):
    """A script that goes on. Its lines end with RunnerUnavailable when the link goes."""

    def __aiter__(self) -> AsyncIterator[str]: ...

    async def write(self, line: str) -> None: ...

    async def aclose(self) -> None: ...


class Machine(Protocol):
    """One master connection, opened when it is first needed. Methods raise RunnerUnavailable and never hang."""

    @property
    def since(self) -> float | None:
        """The unix time since when it cannot be reached; None while it can."""

    def on_change(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Calls back on the loop when the link came up or was lost. Returns a function that ends that."""
        ...

    async def run(
        self,
        script: str,
        *arguments: str,
        input: bytes = b"",  # noqa: A002  # the name is that of the standard library
        limit_s: float = 10,
    ) -> Answer:
        """Runs a POSIX shell script there, with its standard input."""
        ...

    async def channel(self, script: str, *arguments: str) -> Channel: ...

    async def forward(self, remote: str, port: int = 0) -> int:
        """A port of this computer that leads to a path of a socket, or a host and a port, there.

        Raises: OSError when ``port`` is taken.
        """
        ...

    async def unforward(self, port: int) -> None: ...

    async def aclose(self) -> None: ...
