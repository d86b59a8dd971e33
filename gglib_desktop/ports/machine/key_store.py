"""The ports that keep keys: the one for clients of our servers, and those that other servers want of us."""

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


class EndpointKeys(Protocol):
    """Keeps a key for each endpoint that wants one, by its id, where other users cannot read it.

    Every method raises KeyStoreError if a key can be neither read nor kept.
    """

    async def key(self, endpoint_id: str) -> str | None:
        """None where there is none. May take seconds if a keyring asks the user to unlock it."""

    async def keep(self, endpoint_id: str, key: str) -> None:
        """In place of the one that it had."""

    async def remove(self, endpoint_id: str) -> None:
        """Quietly where there is none."""

    async def ids(self) -> frozenset[str]:
        """The endpoints that have one. Reads no key."""
