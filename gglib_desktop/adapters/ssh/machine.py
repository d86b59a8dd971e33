"""One computer reached over ssh, as places see it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Answer:
    """What a script printed on its standard output, and its exit status there."""

    status: int
    output: bytes = field(repr=False)


class Channel(Protocol):
    """A script that goes on. Its lines are iterated once; RunnerUnavailable is raised there when the link is lost."""

    def __aiter__(self) -> AsyncIterator[str]: ...

    async def write(self, line: str) -> None:
        """Sends a line to its standard input. Raises: RunnerUnavailable."""

    async def aclose(self) -> None:
        """The script there ends at its next line, when nothing reads it any more."""


class Machine(Protocol):
    """One computer, with one connection that is opened when it is first needed and again after it was lost.

    Methods raise RunnerUnavailable, with a reason for the window, when the computer cannot be reached. None of them
    waits for a computer that is known to be unreachable.
    """

    @property
    def since(self) -> float | None:
        """Unix seconds since when it cannot be reached; None while it can, and before it was first needed."""

    @property
    def reason(self) -> str:
        """Why it cannot be reached; empty while it can."""

    def on_change(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Calls back on the loop when the link came up or was lost. Returns a function that ends that."""

    def ask_again(self) -> None:
        """Makes the next use connect at once, and ask if need be: the user has just asked for something there."""

    async def run(self, script: str, *arguments: str, input: bytes = b"", limit_s: float = 10) -> Answer:  # noqa: A002
        """Runs a script of a POSIX shell there. ``input`` is its standard input, text that ends with a new line.

        ``limit_s`` counts from the moment the script is sent.
        """
        ...

    async def channel(self, script: str, *arguments: str) -> Channel:
        """Starts a script that goes on."""
        ...

    async def forward(self, remote: str, port: int = 0) -> int:
        """Leads a port of this computer's loopback to ``host:port`` or the path of a socket there.

        ``port`` 0: a free one. It is led there again when the link comes back. Raises: also PortTaken.
        """
        ...

    async def unforward(self, port: int) -> None:
        """Ends that; nothing where it is not led anywhere."""

    async def aclose(self) -> None:
        """Closes the connection and all that goes through it. What runs there goes on."""
