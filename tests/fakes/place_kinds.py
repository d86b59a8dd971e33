"""A kind of place whose addresses begin with ``there:``, and whose tests answer what a test says."""

import asyncio
from collections.abc import AsyncGenerator

from gglib_desktop.domain.documents.places import (
    Entry,
    KindName,
    PlaceDraft,
    PlaceField,
    Step,
    StepResult,
    TestStep,
)
from gglib_desktop.domain.documents.settings import PlaceSettings
from gglib_desktop.domain.errors import ConfigurationError, KeyStoreError

CONNECTED = TestStep(Step.CONNECTION, StepResult.OK, "version 4")
NO_ENGINE = TestStep(Step.ENGINE, StepResult.FAILED, "no such file")


class FakeKind:
    """Keeps keys in a mapping. ``gate`` holds back the second step of a test."""

    example = "there:somewhere"

    def __init__(
        self, name: KindName = KindName.CONTAINER, scheme: str = "there", fields: frozenset[PlaceField] = frozenset()
    ) -> None:
        self.name = name
        self.fields = fields
        self._scheme = scheme
        self.keys: dict[str, str] = {}
        self.steps = [CONNECTED, NO_ENGINE]
        self.tested: list[tuple[PlaceDraft, str | None]] = []
        self.ended = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.problem: KeyStoreError | None = None

    def entry(self, draft: PlaceDraft) -> Entry:
        if not draft.address.startswith(f"{self._scheme}:"):
            raise ConfigurationError("address", draft.address, f"must begin with {self._scheme}:")
        return PlaceSettings(url=draft.address, name=draft.name or None, engine=draft.engine or None)

    def owns(self, entry: Entry) -> bool:
        return entry.url.startswith(f"{self._scheme}:")

    async def test(self, draft: PlaceDraft, place_id: str | None) -> AsyncGenerator[TestStep, None]:
        self.tested.append((draft, place_id))
        try:
            for step in self.steps:
                yield step
                await self.gate.wait()
        finally:
            self.ended += 1

    async def keep(self, place_id: str, draft: PlaceDraft) -> None:
        if self.problem is not None:
            raise self.problem
        self.keys[place_id] = draft.key

    async def forget(self, place_id: str) -> None:
        del self.keys[place_id]
