"""Places are added, renamed and removed at once; their ids stay."""

import pytest

from gglib_desktop.domain.documents.places import KindName, ListedPlace, PlaceDraft, PlaceField
from gglib_desktop.domain.documents.settings import AppSettings, EndpointSettings, PlaceSettings
from gglib_desktop.domain.documents.settings_document import SettingsReading
from gglib_desktop.domain.errors import ConfigurationError, KeyStoreError, PlaceInUse, SettingProblem
from gglib_desktop.services.settings.places import PlacesKeeper
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from tests.fakes.place_kinds import CONNECTED, NO_ENGINE, FakeKind
from tests.fakes.settings import FakeSettingsStore

KIND = KindName.CONTAINER


@pytest.fixture
def store() -> FakeSettingsStore:
    return FakeSettingsStore()


@pytest.fixture
def kind() -> FakeKind:
    return FakeKind(fields=frozenset({PlaceField.KEY}))


@pytest.fixture
def used() -> set[str]:
    return set()


@pytest.fixture
def places(store, kind, used) -> PlacesKeeper:
    return PlacesKeeper(SettingsKeeper(store), [kind], used.__contains__)


async def test_a_place_is_added_renamed_and_removed(places, store, kind):
    place_id = await places.add(KIND, PlaceDraft("there:a", "The Box", key="secret"))
    assert (place_id, kind.keys) == ("the-box", {"the-box": "secret"})
    assert store.settings.places == {"the-box": PlaceSettings(url="there:a", name="The Box")}
    await places.rename(place_id, " Bigger ")
    assert places.listed() == (ListedPlace("the-box", "Bigger", "there:a", KIND),)
    await places.rename(place_id, " ")
    assert places.listed()[0].name == "the-box"
    await places.remove(place_id)
    assert (store.settings, kind.keys) == (AppSettings(), {})


async def test_a_place_with_servers_stays(places, store, used):
    place_id = await places.add(KIND, PlaceDraft("there:a", "Box"))
    used.add(place_id)
    with pytest.raises(PlaceInUse, match="servers run at Box"):
        await places.remove(place_id)
    assert place_id in store.settings.places


async def test_what_cannot_be_used_is_not_added(places, store, kind):
    with pytest.raises(ConfigurationError, match="address: must begin with there:"):
        await places.add(KIND, PlaceDraft("elsewhere"))
    kind.problem = KeyStoreError("locked")
    with pytest.raises(KeyStoreError):
        await places.add(KIND, PlaceDraft("there:a"))
    assert store.settings == AppSettings()


async def test_no_id_is_given_twice_not_even_one_that_cannot_be_used(places, store, kind):
    store.reading = SettingsReading(AppSettings(), left_out=(SettingProblem("places.box.url", "is required"),))
    keeper = SettingsKeeper(store)
    places = PlacesKeeper(keeper, [kind], lambda _place: False)
    assert await places.add(KIND, PlaceDraft("there:a", "Box")) == "box-2"
    assert await places.add(KIND, PlaceDraft("there:a", "local")) == "local-2"


async def test_places_of_an_unknown_kind_are_listed_and_can_be_removed(store, kind):
    places, endpoints = {"x": PlaceSettings(url="moon:a")}, {"y": EndpointSettings(url="http://lab/v1")}
    store.settings = AppSettings(places=places, endpoints=endpoints)
    keeper = PlacesKeeper(SettingsKeeper(store), [kind], lambda _place: False)
    assert [(each.id, each.kind) for each in keeper.listed()] == [("x", None), ("y", None)]
    await keeper.remove("y")
    assert store.settings == AppSettings(places=places)


async def test_a_test_tells_step_by_step(places, kind):
    assert [step async for step in places.test(KIND, PlaceDraft("there:a"))] == [CONNECTED, NO_ENGINE]
    with pytest.raises(ConfigurationError):
        places.test(KIND, PlaceDraft("elsewhere"))
    place_id = await places.add(KIND, PlaceDraft("there:a", "Box", engine="/bin/serve"))
    assert [step async for step in places.test_kept(place_id)] == [CONNECTED, NO_ENGINE]
    assert kind.tested[-1] == (PlaceDraft("there:a", "Box", engine="/bin/serve"), "box")
