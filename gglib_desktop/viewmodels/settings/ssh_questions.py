"""The questions of ssh, one after the other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:  # not needed before ssh asks
    from gglib_desktop.domain.documents.ssh_questions import ChangedHostKey, HostKeyQuestion, SecretQuestion

Shown: TypeAlias = "HostKeyQuestion | SecretQuestion | ChangedHostKey"
# True: it is the right host key. Text: the secret. None: no answer.
Answer: TypeAlias = bool | str | None


class SshQuestionsViewModel(QObject):
    """``current`` is to be shown. What was answered is handed on, and kept nowhere."""

    currentChanged = Signal(object)  # Shown | None

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[tuple[Shown, asyncio.Future[Answer]]] = []

    @property
    def current(self) -> Shown | None:
        return self._waiting[0][0] if self._waiting else None

    async def trusts(self, question: HostKeyQuestion) -> bool:
        return await self._ask(question) is True

    async def secret(self, question: SecretQuestion) -> str | None:
        answer = await self._ask(question)
        return answer if isinstance(answer, str) else None

    def tell(self, told: ChangedHostKey) -> None:
        if all(told != each for each, _answer in self._waiting):
            self._put(told).add_done_callback(self._drop)

    def answer(self, answer: Answer) -> None:
        """Answers the current one."""
        if self._waiting and not self._waiting[0][1].done():
            self._waiting[0][1].set_result(answer)

    async def _ask(self, question: Shown) -> Answer:
        answer = self._put(question)
        try:
            return await answer
        finally:
            self._drop(answer)

    def _put(self, shown: Shown) -> asyncio.Future[Answer]:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((shown, answer))
        if len(self._waiting) == 1:
            self.currentChanged.emit(shown)
        return answer

    def _drop(self, answer: asyncio.Future[Answer]) -> None:
        was_shown = self._waiting[0][1] is answer
        self._waiting = [each for each in self._waiting if each[1] is not answer]
        if was_shown:
            self.currentChanged.emit(self.current)
