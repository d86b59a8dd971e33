"""A user who answers what ssh asks as a test says."""

import asyncio

from gglib_desktop.domain.documents.ssh_questions import ChangedHostKey, HostKeyQuestion, SecretQuestion


class FakeUser:
    """``gate`` holds the answers back."""

    def __init__(self, *, trusts: bool = True, secret: str | None = None) -> None:
        self.is_trusting = trusts
        self._secret = secret
        self.asked: list[HostKeyQuestion | SecretQuestion] = []
        self.told: list[ChangedHostKey] = []
        self.taken_back = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def trusts(self, question: HostKeyQuestion) -> bool:
        await self._asked(question)
        return self.is_trusting

    async def secret(self, question: SecretQuestion) -> str | None:
        await self._asked(question)
        return self._secret

    def tell(self, told: ChangedHostKey) -> None:
        self.told.append(told)

    async def _asked(self, question: HostKeyQuestion | SecretQuestion) -> None:
        self.asked.append(question)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.taken_back += 1
            raise
