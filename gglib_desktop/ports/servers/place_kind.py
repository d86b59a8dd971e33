"""The port to one kind of place: how an address of it is checked and tested, and what the settings keep of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from typing import Protocol

from gglib_desktop.domain.documents.places import Entry, KindName, PlaceDraft, PlaceField, TestStep


class PlaceKind(Protocol):
    """SSH machines, container engines or endpoints. It opens no place: the runner does, by the settings."""

    @property
    def name(self) -> KindName: ...

    @property
    def fields(self) -> Collection[PlaceField]:
        """What it takes beside an address and a name."""

    @property
    def example(self) -> str:
        """An address as it may look."""

    def entry(self, draft: PlaceDraft) -> Entry:
        """What the settings keep of it. Raises: ConfigurationError for ``address``, ``name``, ``engine`` or ``key``."""

    def owns(self, entry: Entry) -> bool:
        """Whether an entry of the settings is of this kind."""

    def test(self, draft: PlaceDraft, place_id: str | None) -> AsyncGenerator[TestStep, None]:
        """Looks at the place, changing nothing there; each step is told as soon as it is known.

        ``place_id`` is that of one that is kept, whose key is not in the draft. Closing it ends the test.
        """

    async def keep(self, place_id: str, draft: PlaceDraft) -> None:
        """Keeps what does not lie in the settings, such as a key. Called before they are saved. Raises: GglibError."""

    async def forget(self, place_id: str) -> None:
        """Removes what ``keep`` kept."""
