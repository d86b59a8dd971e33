"""The engine in force is remembered, and who listens hears of another one."""

from pathlib import Path

import pytest

from gglib_desktop.domain.documents.settings import AppSettings
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.services.launch.engines import Engines
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from tests.fakes.settings import FOUND, WITHOUT_MTP, FakeEngineCatalog, FakeSettingsStore


@pytest.fixture
def catalog() -> FakeEngineCatalog:
    return FakeEngineCatalog({WITHOUT_MTP.path: WITHOUT_MTP})


@pytest.fixture
def settings() -> SettingsKeeper:
    return SettingsKeeper(FakeSettingsStore(AppSettings()))


@pytest.fixture
def engines(catalog, settings) -> Engines:
    return Engines(catalog, settings)


async def test_the_engine_is_found_and_listeners_hear_of_another(engines, settings, catalog):
    told: list[None] = []
    engines.subscribe(told.append)
    assert await engines.find() is FOUND
    await engines.find()
    await settings.change(engine_path=WITHOUT_MTP.path)
    assert await engines.find() is engines.current is WITHOUT_MTP
    catalog.engines.clear()
    with pytest.raises(ConfigurationError) as caught:
        await engines.find()
    assert engines.problem is caught.value
    assert len(told) == 3


async def test_testing_an_engine_puts_nothing_in_force(engines):
    assert await engines.test(WITHOUT_MTP.path) is WITHOUT_MTP
    assert await engines.test(None) is FOUND
    with pytest.raises(ConfigurationError):
        await engines.test(Path("/nowhere"))
    assert (engines.current, engines.problem) == (None, None)
