"""What is known about an endpoint, and the news about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gglib_desktop.domain.documents.settings import EndpointSettings
from gglib_desktop.domain.endpoints.state import EndpointState
from gglib_desktop.domain.traffic.figures import ServerFigures

if TYPE_CHECKING:
    from gglib_desktop.domain.servers.effective import ServerFacts


@dataclass(frozen=True)
class EndpointSnapshot:
    """Everything known about one endpoint now. ``number`` is its own for as long as the program runs: 1, 2, …

    ``models`` are those of the last list. ``model``: the one that is used, if there is any. ``tells_work``: what it
    does was told, now or earlier. ``facts`` None: it is of no known kind. ``key_problem``: why its key cannot be read.
    """

    id: str
    number: int
    name: str
    url: str
    state: EndpointState
    models: tuple[str, ...] = ()
    model: str | None = None
    has_key: bool = False
    key_problem: str = ""
    facts: ServerFacts | None = None
    tells_work: bool = False
    figures: ServerFigures = field(default_factory=ServerFigures)


@dataclass(frozen=True)
class EndpointChanged:
    """An endpoint is new, or something about it changed."""

    snapshot: EndpointSnapshot


@dataclass(frozen=True)
class EndpointRemoved:
    """It is not watched any more."""

    number: int


@dataclass(frozen=True)
class Detached:
    """An endpoint that was detached, with all that it takes to watch it again."""

    id: str
    settings: EndpointSettings
    key: str | None = field(repr=False)


EndpointEvent = EndpointChanged | EndpointRemoved
