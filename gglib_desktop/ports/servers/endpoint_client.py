"""The port to servers that somebody else runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gglib_desktop.domain.endpoints.look import EndpointLook
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.ports.servers.engine_driver import AskServer, Seen

if TYPE_CHECKING:
    from gglib_desktop.domain.servers.effective import ServerFacts
    from gglib_desktop.domain.traffic.figures import Counters, SlotWork


class AskedEngine(Protocol):
    """The half of an EngineDriver that asks; it says the same there."""

    def says_loading(self, content: object) -> bool:
        """Whether an answer, as JSON, with the status 503 is this engine's while it loads its model."""

    def lists(self, content: object) -> bool:
        """Whether a list of models is sure to be this engine's."""

    @property
    def may_sleep(self) -> bool:
        """Whether it may let its model go while nobody asks about its work."""

    async def facts(self, server: ServerAddress, seen: Seen) -> ServerFacts | None: ...

    async def slots(self, server: ServerAddress, *, may_sleep: bool = False) -> Sequence[SlotWork] | None: ...

    async def counters(self, server: ServerAddress, *, may_sleep: bool = False) -> Counters | None: ...

    @property
    def chat(self) -> AskServer | None: ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True)
class Recognized:
    """An endpoint that answers as servers of ``engine`` do, and what it reports about itself, if it does not refuse."""

    engine: AskedEngine
    facts: ServerFacts


class EndpointClient(Protocol):
    """Asks endpoints. Keys go to the address alone: no redirect is followed. Certificates are checked."""

    async def look(self, url: str, key: str | None) -> EndpointLook:
        """Asks once which models it has. Takes at most two seconds; never raises."""

    async def recognize(self, url: str, key: str | None, *, is_known: bool) -> Recognized | None:
        """Which kind of server it is, by its answers; None for one of which no more is known than OpenAI's API.

        ``is_known``, as the last look said: its list of models is that of a known kind.
        """

    @property
    def chat(self) -> AskServer:
        """Chats with an endpoint that is of no known kind."""

    async def aclose(self) -> None:
        """Ends all questions under way, and whatever is asked later."""
