"""The settings in force change only when their file could be written, or when people wrote something usable into it."""

import contextlib
import os
from pathlib import Path

import pytest

from gglib_desktop.adapters.documents.toml_settings import TomlSettingsStore
from gglib_desktop.adapters.files.file_watch import InotifyFileWatch
from gglib_desktop.domain.documents.settings import AppSettings, OnQuit, Theme
from gglib_desktop.domain.documents.settings_document import SettingsNews, SettingsReading, UnknownKey
from gglib_desktop.domain.errors import (
    ConfigurationError,
    InvalidSettings,
    SettingProblem,
    SettingsEffect,
    SettingsError,
)
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from gglib_desktop.tasks import LogReporter, TaskScope
from tests.fakes.settings import FakeSettingsStore
from tests.fakes.waiting import poll

DARK = AppSettings(theme=Theme.DARK)
BAD_THEME = SettingProblem("theme", "must be one of system, light, dark", "purple", 3)
SYNTAX = SettingProblem("", "Invalid value", line=3)
TYPO = UnknownKey("them", "theme", 4)


@pytest.fixture
def store() -> FakeSettingsStore:
    return FakeSettingsStore(DARK)


@pytest.fixture
def keeper(store) -> SettingsKeeper:
    return SettingsKeeper(store)


@pytest.fixture
def news(keeper) -> list[SettingsNews]:
    told: list[SettingsNews] = []
    keeper.subscribe_to_news(told.append)
    return told


@pytest.fixture
def told(keeper) -> list[AppSettings]:
    told: list[AppSettings] = []
    keeper.subscribe(told.append)
    return told


async def test_a_change_is_saved_then_in_force_then_told(store, keeper, news):
    told = []
    keeper.subscribe(lambda settings: told.append((settings, keeper.current, store.settings)))
    await keeper.change(on_quit=OnQuit.STOP_ALL)
    expected = DARK.replace(on_quit=OnQuit.STOP_ALL)
    assert told == [(expected, expected, expected)]
    await keeper.look()
    assert news == [], "our own change is no news"


async def test_no_change_is_neither_saved_nor_told(store, keeper, told):
    store.problem = SettingsError("the disk is full")
    await keeper.change(theme=Theme.DARK)
    assert told == []


async def test_what_could_not_be_saved_is_not_in_force(store, keeper, told):
    store.problem = SettingsError("the disk is full")
    with pytest.raises(SettingsError):
        await keeper.change(theme=Theme.LIGHT)
    assert keeper.current.theme is Theme.DARK
    assert told == []


async def test_a_value_out_of_range_changes_nothing(store, keeper):
    with pytest.raises(ConfigurationError) as caught:
        await keeper.change(base_port=80, theme=Theme.LIGHT)
    assert caught.value.field == "base_port"
    assert keeper.current == store.settings == DARK


@pytest.mark.parametrize(
    ("problem", "effect"), [(BAD_THEME, SettingsEffect.OTHERS_COUNT), (SYNTAX, SettingsEffect.DEFAULTS)]
)
async def test_at_start_what_can_be_used_counts_and_the_rest_is_said(store, problem, effect):
    store.reading = SettingsReading(AppSettings(base_port=9100), (problem,), (TYPO,))
    keeper = SettingsKeeper(store)
    assert keeper.current == AppSettings(base_port=9100)
    assert keeper.problem is not None
    assert keeper.problem.effect is effect
    assert keeper.problem.problems == (problem,)
    assert keeper.news_at_start() == SettingsNews(error=keeper.problem, unknown=(TYPO,))
    with pytest.raises(InvalidSettings, match="nothing was saved"):
        await keeper.change(theme=Theme.LIGHT)
    assert keeper.current == AppSettings(base_port=9100)


async def test_what_people_write_is_in_force_at_once(store, keeper, told, news):
    store.reading = SettingsReading(AppSettings(base_port=9100), unknown=(TYPO,))
    await keeper.look()
    assert told == [AppSettings(base_port=9100)]
    assert news == [SettingsNews(changed={("base_port",): 9100, ("theme",): "system"}, unknown=(TYPO,))]
    await keeper.look()
    store.reading = SettingsReading(AppSettings(base_port=9200), unknown=(TYPO,))
    await keeper.look()
    assert news[1:] == [SettingsNews(changed={("base_port",): 9200})], "an unknown key is told once"


async def test_a_broken_file_leaves_the_last_good_settings_in_force(store, keeper, told, news):
    store.reading = SettingsReading(AppSettings(base_port=9100), (BAD_THEME,))
    await keeper.look()
    assert keeper.current == DARK
    assert told == []
    (error,) = (each.error for each in news)
    assert error is keeper.problem
    assert error.effect is SettingsEffect.LAST_GOOD
    with pytest.raises(InvalidSettings):
        await keeper.change(theme=Theme.LIGHT)
    store.settings = DARK
    await keeper.look()
    assert keeper.problem is None
    assert news[1:] == [SettingsNews(mended=True)]
    assert told == []


async def test_a_save_brings_what_others_wrote_and_says_so(store, keeper, told, news):
    store.settings = AppSettings(theme=Theme.DARK, base_port=9100)
    await keeper.change(on_quit=OnQuit.STOP_ALL)
    assert told == [AppSettings(theme=Theme.DARK, base_port=9100, on_quit=OnQuit.STOP_ALL)]
    assert news == [SettingsNews(changed={("base_port",): 9100})]


def replaced(file: Path, text: str) -> None:
    """As editors write: a new file that takes the old one's name."""
    draft = file.with_name("draft~")
    draft.write_text(text)
    os.replace(draft, file)


async def test_a_real_file_is_followed_however_it_is_written(tmp_path):
    file = tmp_path / "settings.toml"
    keeper = SettingsKeeper(TomlSettingsStore(file))
    news: list[SettingsNews] = []
    keeper.subscribe_to_news(news.append)
    async with TaskScope(LogReporter()) as scope:
        watch = scope.start(keeper.watch(InotifyFileWatch(quiet_s=0.01)), name="watch")
        file.write_text('theme = "dark"\n')
        await poll(lambda: keeper.current == DARK)
        await keeper.change(base_port=9100)
        replaced(file, 'theme = "purple"\n')
        await poll(lambda: keeper.problem is not None)
        assert keeper.current == DARK.replace(base_port=9100)
        replaced(file, 'theme = "light"\n')
        await poll(lambda: keeper.current == AppSettings(theme=Theme.LIGHT))
        file.unlink()
        await poll(lambda: keeper.current == AppSettings())
        await keeper.create_file()
        replaced(file, file.read_text().replace("#base_port = 9000", "base_port = 9300"))
        await poll(lambda: keeper.current == AppSettings(base_port=9300))
        assert [dict(each.changed) for each in news] == [
            {("theme",): "dark"},
            {},
            {("theme",): "light", ("base_port",): 9000},
            {("theme",): "system"},
            {("base_port",): 9300},
        ]
        watch.cancel()
        with contextlib.suppress(BaseException):
            await watch


NO_URL = SettingProblem("places.box.url", "is required", line=3)


async def test_a_bad_place_keeps_nothing_else_out_of_force(store, keeper, news, told):
    store.reading = SettingsReading(AppSettings(), left_out=(NO_URL,))
    await keeper.look()
    assert told == [AppSettings()]
    (new,) = news
    assert new.error == keeper.problem
    assert (new.error.problems, new.error.effect) == ((NO_URL,), SettingsEffect.LEFT_OUT)
    await keeper.change(theme=Theme.LIGHT)
    assert (keeper.current.theme, len(news)) == (Theme.LIGHT, 1), "told once"
    store.settings = AppSettings()
    await keeper.look()
    assert news[-1].mended
    assert keeper.problem is None


async def test_a_bad_place_at_the_start_is_told_then():
    store = FakeSettingsStore()
    store.reading = SettingsReading(DARK, left_out=(NO_URL,))
    keeper = SettingsKeeper(store)
    assert keeper.current == DARK
    assert keeper.problem is not None
    assert keeper.news_at_start().error == keeper.problem
    assert keeper.problem.effect is SettingsEffect.LEFT_OUT
    store.reading = SettingsReading(DARK, (BAD_THEME,), left_out=(NO_URL,))
    problem = SettingsKeeper(store).problem
    assert problem is not None
    assert problem.problems == (BAD_THEME, NO_URL)
