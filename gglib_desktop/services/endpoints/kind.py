"""Endpoints as a kind of place: added, tested and removed in the settings."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable

from gglib_desktop.domain.documents.places import (
    Entry,
    KindName,
    PlaceDraft,
    PlaceField,
    Step,
    StepResult,
    TestStep,
)
from gglib_desktop.domain.documents.settings import EndpointSettings
from gglib_desktop.domain.endpoints.address import address_of, endpoint_url, is_endpoint_key
from gglib_desktop.domain.endpoints.look import EndpointLook, Trouble
from gglib_desktop.domain.errors import ConfigurationError, KeyStoreError
from gglib_desktop.ports.machine.key_store import EndpointKeys
from gglib_desktop.ports.servers.endpoint_client import EndpointClient

_STEPS = (Step.CONNECTION, Step.CERTIFICATE, Step.KEY, Step.MODELS)
# At which step a look that ended so has failed; at the last one otherwise.
_FAILS_AT = {
    Trouble.NO_ADDRESS: Step.CONNECTION,
    Trouble.REFUSED: Step.CONNECTION,
    Trouble.NO_CONNECTION: Step.CONNECTION,
    Trouble.CERTIFICATE: Step.CERTIFICATE,
    Trouble.NO_TLS: Step.CERTIFICATE,
    Trouble.KEY_WANTED: Step.KEY,
    Trouble.KEY_REFUSED: Step.KEY,
}
_SHOWN_MODELS = 3
_NO_MODELS = "it lists no models"


class EndpointKind:
    """``client`` and ``keys`` are made when they are first needed. ``on_key`` is told whose key has changed."""

    name = KindName.ENDPOINT
    fields = frozenset({PlaceField.KEY})
    example = "http://127.0.0.1:8000/v1"

    def __init__(
        self,
        client: Callable[[], Awaitable[EndpointClient]],
        keys: Callable[[], EndpointKeys],
        on_key: Callable[[str], object] = lambda _endpoint_id: None,
    ) -> None:
        self._client = client
        self._keys = keys
        self._on_key = on_key

    def entry(self, draft: PlaceDraft) -> Entry:
        if draft.key and not is_endpoint_key(draft.key.strip()):
            raise ConfigurationError("key", None, "must be one word of plain characters")
        try:
            url = endpoint_url(draft.address)
        except ValueError as exc:
            raise ConfigurationError("address", draft.address, str(exc)) from exc
        return EndpointSettings(url=url, name=draft.name or None)

    def owns(self, entry: Entry) -> bool:
        return isinstance(entry, EndpointSettings)

    async def test(self, draft: PlaceDraft, place_id: str | None) -> AsyncGenerator[TestStep, None]:
        url, key = endpoint_url(draft.address), draft.key.strip() or None
        if place_id is not None:
            try:
                key = await self._keys().key(place_id)
            except KeyStoreError as exc:
                yield TestStep(Step.KEY, StepResult.FAILED, str(exc))
                return
        client = await self._client()
        look = await client.look(url, key)
        if look.trouble is None:
            known = await client.recognize(url, key, is_known=look.is_known)
            if known is not None and known.facts.refused:
                refused = Trouble.KEY_WANTED if key is None else Trouble.KEY_REFUSED
                look = EndpointLook(refused, "401")
        for step in _results(look, is_secure=address_of(url).root.startswith("https:")):
            yield step

    async def keep(self, place_id: str, draft: PlaceDraft) -> None:
        if draft.key.strip():
            await self._keys().keep(place_id, draft.key.strip())
            self._on_key(place_id)

    async def forget(self, place_id: str) -> None:
        await self._keys().remove(place_id)
        self._on_key(place_id)


def _results(look: EndpointLook, *, is_secure: bool) -> list[TestStep]:
    failed = None if look.trouble is None else _FAILS_AT.get(look.trouble, Step.MODELS)
    if look.trouble is None and not look.models:
        failed = Step.MODELS
    steps = []
    for step in _STEPS:
        if step is failed:
            said = str(look.trouble or _NO_MODELS) + (f": {look.detail}" if look.detail else "")
            steps.append(TestStep(step, StepResult.FAILED, said))
            steps += [TestStep(each, StepResult.SKIPPED) for each in _STEPS[_STEPS.index(step) + 1 :]]
            break
        # Who answers something else than a list, or nothing, has not taken the key either.
        unseen = step is Step.KEY and look.trouble is not None
        if unseen or (step is Step.CERTIFICATE and not is_secure):
            steps.append(TestStep(step, StepResult.SKIPPED))
        else:
            steps.append(TestStep(step, StepResult.OK, _names(look.models) if step is Step.MODELS else ""))
    return steps


def _names(models: tuple[str, ...]) -> str:
    more = len(models) - _SHOWN_MODELS
    shown = ", ".join(models[:_SHOWN_MODELS])
    return f"{shown} and {more} more" if more > 0 else shown
