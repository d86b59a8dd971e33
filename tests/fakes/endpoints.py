"""Endpoints that answer as a test says, and keys in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gglib_desktop.domain.endpoints.look import EndpointLook
from gglib_desktop.domain.errors import KeyStoreError
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.traffic.chat import Answer, ChatPiece, ChatRequest
from gglib_desktop.domain.traffic.figures import Counters, SlotWork
from gglib_desktop.ports.servers.endpoint_client import Recognized
from gglib_desktop.ports.servers.engine_driver import AskServer, Seen


@dataclass
class FakeEngine:
    """``asked`` counts the questions about its work."""

    told: ServerFacts = field(default_factory=lambda: ServerFacts(context_size=4096, slots=2))
    doing: tuple[SlotWork, ...] | None = (SlotWork(0), SlotWork(1))
    counts: Counters | None = None
    may_sleep: bool = False
    asked: int = 0
    chat: AskServer | None = None

    def says_loading(self, content: object) -> bool:
        return False

    def lists(self, content: object) -> bool:
        return True

    async def facts(self, server: ServerAddress, seen: Seen) -> ServerFacts | None:
        return self.told

    async def slots(self, server: ServerAddress, *, may_sleep: bool = False) -> Sequence[SlotWork] | None:
        self.asked += 1
        return self.doing

    async def counters(self, server: ServerAddress, *, may_sleep: bool = False) -> Counters | None:
        return self.counts

    async def aclose(self) -> None:
        """Has nothing to close."""


@dataclass
class FakeClient:
    """``look`` gives what is in ``answer``; ``looks`` are the addresses and keys of all questions."""

    answer: EndpointLook = field(default_factory=lambda: EndpointLook(models=("big", "small")))
    engine: FakeEngine | None = None
    pieces: list[ChatPiece] = field(default_factory=list)
    refusal: Exception | None = None
    looks: list[tuple[str, str | None]] = field(default_factory=list)
    chats: list[tuple[ServerAddress, ChatRequest]] = field(default_factory=list)

    async def look(self, url: str, key: str | None) -> EndpointLook:
        self.looks.append((url, key))
        return self.answer

    async def recognize(self, url: str, key: str | None, *, is_known: bool) -> Recognized | None:
        return None if self.engine is None else Recognized(self.engine, self.engine.told)

    @property
    def chat(self) -> AskServer:
        return self._chat

    async def _chat(self, server: ServerAddress, request: ChatRequest) -> Answer:
        self.chats.append((server, request))
        for piece in self.pieces:
            yield piece
        if self.refusal is not None:
            raise self.refusal

    async def aclose(self) -> None:
        """Has nothing to close."""


@dataclass
class FakeKeys:
    """``problem`` is what every reading raises."""

    kept: dict[str, str] = field(default_factory=dict)
    problem: KeyStoreError | None = None

    async def key(self, endpoint_id: str) -> str | None:
        if self.problem is not None:
            raise self.problem
        return self.kept.get(endpoint_id)

    async def keep(self, endpoint_id: str, key: str) -> None:
        self.kept[endpoint_id] = key

    async def remove(self, endpoint_id: str) -> None:
        self.kept.pop(endpoint_id, None)

    async def ids(self) -> frozenset[str]:
        return frozenset(self.kept)
