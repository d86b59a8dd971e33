"""The settings in force change only when their file could be written."""

import pytest

from gglib_desktop.domain.errors import ConfigurationError, SettingsError
from gglib_desktop.domain.settings import AppSettings, OnQuit, Theme
from gglib_desktop.services.settings_keeper import SettingsKeeper
from tests.fakes.settings import FakeSettingsStore


class BrokenStore(FakeSettingsStore):
    def load(self) -> AppSettings:
        raise SettingsError("settings.toml: line 3 is wrong")


@pytest.fixture
def store() -> FakeSettingsStore:
    return FakeSettingsStore(AppSettings(theme=Theme.DARK))


@pytest.fixture
def keeper(store) -> SettingsKeeper:
    return SettingsKeeper(store)


async def test_a_change_is_saved_then_in_force_then_told(store, keeper):
    told = []
    keeper.subscribe(lambda settings: told.append((settings, keeper.current, store.settings)))
    await keeper.change(on_quit=OnQuit.STOP_ALL)
    expected = AppSettings(theme=Theme.DARK, on_quit=OnQuit.STOP_ALL)
    assert told == [(expected, expected, expected)]


async def test_no_change_is_neither_saved_nor_told(store, keeper):
    told: list[AppSettings] = []
    keeper.subscribe(told.append)
    store.problem = SettingsError("the disk is full")
    await keeper.change(theme=Theme.DARK)
    assert told == []


async def test_what_could_not_be_saved_is_not_in_force(store, keeper):
    told: list[AppSettings] = []
    keeper.subscribe(told.append)
    store.problem = SettingsError("the disk is full")
    with pytest.raises(SettingsError):
        await keeper.change(theme=Theme.LIGHT)
    assert keeper.current.theme is Theme.DARK
    assert told == []


async def test_a_value_out_of_range_changes_nothing(store, keeper):
    with pytest.raises(ConfigurationError) as caught:
        await keeper.change(base_port=80, theme=Theme.LIGHT)
    assert caught.value.field == "base_port"
    assert keeper.current == store.settings == AppSettings(theme=Theme.DARK)


async def test_a_file_that_cannot_be_read_leaves_the_defaults_and_the_reason():
    keeper = SettingsKeeper(BrokenStore())
    assert keeper.current == AppSettings()
    assert str(keeper.problem) == "settings.toml: line 3 is wrong"
    await keeper.change(theme=Theme.LIGHT)
    assert keeper.problem is None
