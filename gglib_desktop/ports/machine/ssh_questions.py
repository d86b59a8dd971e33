"""The port to the user, whom ssh asks before it connects. Without a window there is none, and nothing is asked."""

from __future__ import annotations

from typing import Protocol

from gglib_desktop.domain.documents.ssh_questions import ChangedHostKey, HostKeyQuestion, SecretQuestion


class SshQuestions(Protocol):
    """Questions are put one after the other. A canceled task takes its question back."""

    async def trusts(self, question: HostKeyQuestion) -> bool:
        """Whether the user says that it is the right key."""
        ...

    async def secret(self, question: SecretQuestion) -> str | None:
        """What the user types, which is kept nowhere; None: nothing."""
        ...

    def tell(self, told: ChangedHostKey) -> None:
        """There is no way to accept that key here."""
