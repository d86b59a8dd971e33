"""The places of the settings: adds, tests, renames and removes them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence

from gglib_desktop.domain.documents.places import (
    Entry,
    KindName,
    ListedPlace,
    PlaceDraft,
    PlaceField,
    TestStep,
    new_id,
)
from gglib_desktop.domain.documents.settings import AppSettings, EndpointSettings
from gglib_desktop.domain.errors import PlaceInUse
from gglib_desktop.domain.servers.server import OWN_PLACES
from gglib_desktop.ports.servers.place_kind import PlaceKind
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper


class PlacesKeeper:
    """Changes take effect at once. ``in_use`` says whether servers at a place run, or may run, as far as is known."""

    def __init__(self, settings: SettingsKeeper, kinds: Sequence[PlaceKind], in_use: Callable[[str], bool]) -> None:
        self._settings = settings
        self._in_use = in_use
        self.kinds = {kind.name: kind for kind in kinds}
        self.subscribe = settings.subscribe

    def listed(self) -> tuple[ListedPlace, ...]:
        entries = _entries(self._settings.current)
        return tuple(
            ListedPlace(place_id, entry.name or place_id, entry.url, kind.name if kind is not None else None)
            for place_id, entry in entries.items()
            for kind in [self._kind_of(entry)]
        )

    async def add(self, kind: KindName, draft: PlaceDraft) -> str:
        """Returns the new id. Raises: ConfigurationError for the draft's fields, SettingsError, KeyStoreError."""
        entry = self.kinds[kind].entry(draft)
        place_id = new_id(draft.name or draft.address, self._taken())
        await self.kinds[kind].keep(place_id, draft)
        await self._put(place_id, entry)
        return place_id

    async def rename(self, place_id: str, name: str) -> None:
        """Its id stays. Without a name, that is shown. Raises: SettingsError."""
        entry = _entries(self._settings.current)[place_id]
        await self._put(place_id, entry.replace(name=name.strip() or None))

    def takes_key(self, place: ListedPlace) -> bool:
        return place.kind is not None and PlaceField.KEY in self.kinds[place.kind].fields

    async def change_key(self, place_id: str, key: str) -> None:
        """Without a key, it has none. Raises: ConfigurationError for ``key``, KeyStoreError."""
        entry = _entries(self._settings.current)[place_id]
        kind, draft = self._kind_of(entry), PlaceDraft(entry.url, key=key)
        assert kind is not None
        kind.entry(draft)
        await (kind.keep(place_id, draft) if key.strip() else kind.forget(place_id))

    async def remove(self, place_id: str) -> None:
        """Raises: PlaceInUse, SettingsError."""
        entry = _entries(self._settings.current)[place_id]
        if self._in_use(place_id):
            raise PlaceInUse(entry.name or place_id)
        table = _table(entry)
        rest = {each: kept for each, kept in getattr(self._settings.current, table).items() if each != place_id}
        await self._settings.change(**{table: rest})
        if (kind := self._kind_of(entry)) is not None:
            await kind.forget(place_id)

    def test(self, kind: KindName, draft: PlaceDraft) -> AsyncGenerator[TestStep, None]:
        """Raises: ConfigurationError for the draft's fields."""
        self.kinds[kind].entry(draft)
        return self.kinds[kind].test(draft, None)

    def test_kept(self, place_id: str) -> AsyncGenerator[TestStep, None]:
        entry = _entries(self._settings.current)[place_id]
        kind = self._kind_of(entry)
        assert kind is not None
        engine = "" if isinstance(entry, EndpointSettings) else entry.engine or ""
        return kind.test(PlaceDraft(entry.url, entry.name or "", engine=engine), place_id)

    async def _put(self, place_id: str, entry: Entry) -> None:
        table = _table(entry)
        await self._settings.change(**{table: {**getattr(self._settings.current, table), place_id: entry}})

    def _kind_of(self, entry: Entry) -> PlaceKind | None:
        return next((kind for kind in self.kinds.values() if kind.owns(entry)), None)

    def _taken(self) -> set[str]:
        """Also the ids of those that the file has and that cannot be used: they would be written into."""
        problem = self._settings.problem
        unusable = {each.key.split(".")[1] for each in problem.problems if "." in each.key} if problem else set()
        return {*OWN_PLACES, *_entries(self._settings.current), *unusable}


def _entries(settings: AppSettings) -> dict[str, Entry]:
    return {**settings.places, **settings.endpoints}


def _table(entry: Entry) -> str:
    return "endpoints" if isinstance(entry, EndpointSettings) else "places"
