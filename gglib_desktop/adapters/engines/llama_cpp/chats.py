"""Asks llama-server for answers that are read while they are made."""

from __future__ import annotations

from gglib_desktop.adapters.http.chats import StreamedChats
from gglib_desktop.domain.llama_cpp.asking.chat import CHAT_PATH, AnswerReader, chat_body
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.traffic.chat import Answer, ChatRequest


class LlamaChats:
    """The answers that are being made."""

    def __init__(self, chats: StreamedChats | None = None) -> None:
        self._chats = chats or StreamedChats()
        self.close = self._chats.close

    def ask(self, server: ServerAddress, request: ChatRequest) -> Answer:
        """As ``EngineDriver.chat`` says."""
        return self._chats.ask(server.root + CHAT_PATH, server.key, request, chat_body, AnswerReader())
