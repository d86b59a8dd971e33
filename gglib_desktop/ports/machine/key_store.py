"""The port where the key for clients of servers is kept."""

from __future__ import annotations

from typing import Protocol

from gglib_desktop.domain.servers.access import KeyPlace


class KeyStore(Protocol):
    """Keeps one key for all servers where other users of the computer cannot read it.

    Every method raises KeyStoreError when it can be neither read nor kept.
    """

    async def key(self) -> str:
        """The key; made when there is none yet. May take seconds, when a keyring asks somebody to unlock it."""
        ...

    async def renew(self) -> str:
        """Makes another key and forgets the one before. Servers that run go on with that one."""
        ...

    async def where(self) -> KeyPlace:
        """Where the key is, or will be. Reads no key, so that nobody is asked for a password by this."""
        ...
