"""What ssh asks the user: whether a host key is right, and the passphrase of a key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Asking(Protocol):
    """Answers the questions of one attempt to connect. Nothing that is answered is kept."""

    @property
    def is_open(self) -> bool:
        """Whether a question waits for the user."""

    @property
    def was_called_off(self) -> bool:
        """Whether the user gave no answer to one."""

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment by which ssh puts its questions."""

    async def aclose(self) -> None:
        """Takes open questions back."""


class Asker(Protocol):
    """The window's part: it shows questions, one after the other."""

    async def attempt(self, machine: str) -> Asking:
        """For one attempt to connect to ``machine``, as the user knows it. Raises: OSError."""
        ...

    def tell_changed(self, machine: str, fingerprint: str) -> None:
        """Tells that another host key answers than the known one. There is no way to accept it here."""
