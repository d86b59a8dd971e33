"""A shell on another computer that stays, for scripts that end at once.

A session of its own for each would run the start-up files of the account again, which may take a quarter of a second.
"""

from __future__ import annotations

import asyncio
import secrets
import shlex
from collections.abc import AsyncIterator

from gglib_desktop.adapters.places.ssh.scripts import script
from gglib_desktop.adapters.ssh.machine import Answer, Channel, Machine
from gglib_desktop.domain.errors import RunnerUnavailable


class Shell:
    """One script at a time. Others that are wanted meanwhile get sessions of their own."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._busy = asyncio.Lock()
        self._channel: Channel | None = None
        self._lines: AsyncIterator[str] | None = None
        self._is_stale = False
        machine.on_change(self._leave)

    async def run(self, text: str, *arguments: str, input: bytes = b"", limit_s: float = 10) -> Answer:  # noqa: A002
        """As ``Machine.run``."""
        if self._busy.locked():
            return await self._machine.run(text, *arguments, input=input, limit_s=limit_s)
        async with self._busy:
            try:
                async with asyncio.timeout(limit_s):
                    return await self._asked(_wrapped(text, arguments, input))
            except BaseException as exc:
                # What was not read of its answer must not be taken for that of the next one.
                await self._close()
                if isinstance(exc, TimeoutError):
                    raise RunnerUnavailable(f"that computer did not answer within {limit_s:g} s") from exc
                raise

    async def _asked(self, text: str) -> Answer:
        if self._is_stale or self._channel is None or self._lines is None:
            await self._close()
            self._is_stale = False
            self._channel = await self._machine.channel(script("serve"))
            self._lines = aiter(self._channel)
        word = f"gglib-{secrets.token_hex(8)}"
        await self._channel.write(f"{text.count(chr(10)) + 1} {word}\n{text}")
        said: list[str] = []
        async for line in self._lines:
            if line.startswith(f"{word} "):
                return Answer(int(line.split()[1]), "\n".join(said).encode("utf-8", "surrogateescape"))
            said.append(line)
        raise RunnerUnavailable("the shell there has ended")

    def _leave(self) -> None:
        self._is_stale = True

    async def _close(self) -> None:
        channel, self._channel, self._lines = self._channel, None, None
        if channel is not None:
            await channel.aclose()

    async def aclose(self) -> None:
        await self._close()


def _wrapped(text: str, arguments: tuple[str, ...], given: bytes) -> str:
    head = f"set -- {shlex.join(arguments)}\n(\n{text}\n)"
    if not given:
        return f"{head} </dev/null"
    word = secrets.token_hex(8)
    return f"{head} <<'{word}'\n{given.decode('utf-8', 'surrogateescape')}{word}"
