"""The port that keeps the key for clients of servers."""

from __future__ import annotations

from typing import Protocol

from gglib_desktop.domain.servers.access import KeyPlace


class KeyStore(Protocol):
    """Keeps one key for all servers where other users of the computer cannot read it.

    Every method raises KeyStoreError if the key can be neither read nor kept.
    """

    async def key(self) -> str:
        """The key, made if there is none yet. May take seconds if a keyring asks the user to unlock it."""

    async def renew(self) -> str:
        """Makes another key and forgets the old one. Running servers go on with the old one."""

    async def where(self) -> KeyPlace:
        """Where the key is, or will be. Does not read the key, so the user is not asked for a password."""
