"""The system's keyring, asked in threads: it may wait for a password, hang, fail or lie."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
_log = logging.getLogger(__name__)
SERVICE = "gglib-desktop"
# Long enough to type the password of a locked keyring; a bus that hangs must not keep a server from starting.
_KEYRING_S = 15.0
# The package's own threshold: backends below it are not keyrings, or plain files.
_LEAST_PRIORITY = 1


class Keyring(Protocol):
    """The methods we use of a ``keyring`` backend. All block, and may raise anything."""

    name: str

    def get_password(self, service: str, username: str, /) -> str | None: ...

    def set_password(self, service: str, username: str, password: str, /) -> None: ...

    def delete_password(self, service: str, username: str, /) -> None: ...


class AskedKeyring:
    """After a failure or without an answer, this run of the program does not use it any more: ``problem`` says why.

    ``find`` None: there is none. Each user of it is a name with one secret.
    """

    def __init__(self, find: Callable[[], Keyring | None] | None = None) -> None:
        self._find = find
        self._keyring: Keyring | None = None
        self.timeout_s = _KEYRING_S
        self.problem = ""

    async def name(self) -> str | None:
        """What it is called; None without one that can be used. Asks for no secret."""
        find, self._find = self._find, None
        if find is not None:
            self._keyring = await self._ask(find)
        return self._keyring.name if self._keyring is not None else None

    async def get(self, user: str) -> str | None:
        await self.name()
        return await self._ask(partial(self._keyring.get_password, SERVICE, user)) if self._keyring else None

    async def put(self, user: str, secret: str) -> bool:
        """Whether it says that it has the secret now."""
        await self.name()
        if self._keyring is None:
            return False
        await self._ask(partial(self._keyring.set_password, SERVICE, user, secret))
        return await self.get(user) == secret

    async def remove(self, user: str) -> None:
        await self.name()
        if self._keyring is not None:
            await self._ask(partial(self._keyring.delete_password, SERVICE, user))

    async def _ask(self, question: Callable[[], T]) -> T | None:
        """The answer. Without one in time, or after an error, it is None, and the keyring is not used any more."""
        try:
            async with asyncio.timeout(self.timeout_s):
                return await _in_daemon(question)
        except TimeoutError:
            self.problem = f"it did not answer within {self.timeout_s:g} s"
        except Exception as exc:  # noqa: BLE001  # a keyring's plug-in may raise anything; a file is used then
            # Not its text: it comes from another program and might quote the key.
            self.problem = f"it failed ({type(exc).__name__})"
        _log.warning("the system's keyring is not used: %s", self.problem)
        self._keyring = None
        return None


def system_keyring() -> Keyring | None:
    """The keyring that the ``keyring`` package recommends for this computer, None without one. Blocks."""
    # Imported here, in a thread: 100 ms that most sessions never need.
    import keyring

    backend: Any = keyring.get_keyring()
    # A chain asks the best of several keyrings.
    backend = next(iter(getattr(backend, "backends", ())), backend)
    return backend if backend.priority >= _LEAST_PRIORITY else None


async def _in_daemon(function: Callable[[], T]) -> T:
    """The function's result, from a thread that neither keeps the program from ending nor occupies a pool's thread."""
    outcome: Future[T] = Future()
    # Cancelling a caller from now on cancels only the waiting.
    outcome.set_running_or_notify_cancel()

    def work() -> None:
        try:
            outcome.set_result(function())
        except Exception as exc:  # noqa: BLE001  # handed over to who waits
            outcome.set_exception(exc)

    threading.Thread(target=work, name="keyring", daemon=True).start()
    return await asyncio.wrap_future(outcome)
