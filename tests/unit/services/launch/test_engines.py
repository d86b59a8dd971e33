"""The engine in force is remembered, and who listens hears of another one."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gglib_desktop.domain.documents.settings import AppSettings, EngineSettings, PlaceSettings
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.errors import ConfigurationError, RunnerUnavailable
from gglib_desktop.services.launch.engines import Engines
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from tests.fakes.parrot_dialect import ParrotDialect, parrot_at
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


class ParrotCatalog(FakeEngineCatalog):
    dialect = ParrotDialect()


PARROT = parrot_at(Path("/opt/parrot"))


@pytest.fixture
def parrots() -> ParrotCatalog:
    return ParrotCatalog({PARROT.path: PARROT}, found=None)


@pytest.fixture
def several(catalog, settings, parrots) -> Engines:
    others: Mapping[str, FakeEngineCatalog | None] = {"llama.cpp": None, "parrot": parrots}
    return Engines(catalog, settings, lambda: others)


async def test_another_engine_is_looked_for_when_it_is_chosen(several, settings, parrots):
    told: list[None] = []
    several.subscribe(told.append)
    assert list(several.choices()) == ["llama.cpp", "parrot"]
    assert several.choice("parrot").engine is several.choice("parrot").problem is None
    assert not several.is_known("parrot")
    await several.find_chosen("parrot")
    assert several.is_known("parrot")
    assert several.choice("parrot").problem == "no llama-server found in PATH"
    await several.find_chosen("parrot")
    await settings.change(engines={"parrot": EngineSettings(path=PARROT.path)})
    assert not several.is_known("parrot"), "that was another program"
    await several.find_chosen("parrot")
    assert several.choice("parrot").engine is PARROT
    assert several.choice("parrot").dialect is parrots.dialect
    assert len(told) == 3
    assert await several.test(PARROT.path, "parrot") is PARROT
    assert several.differs_from("/usr/bin/llama-server -m x", "parrot")
    assert not several.differs_from("/opt/parrot run -m x", "parrot")


@pytest.mark.parametrize("chosen", [None, "llama.cpp", "not known any more"])
async def test_the_first_one_is_the_one_in_force(several, catalog, chosen):
    assert not several.is_known(chosen)
    await several.find_chosen(chosen)
    assert several.choice(chosen).engine is several.current is FOUND
    assert several.is_known(chosen)
    catalog.found = None
    await several.find_chosen(chosen)
    assert several.current is FOUND, "it was known"


async def test_only_others_are_named(several, engines):
    assert [several.other(each) for each in (None, "llama.cpp", "parrot")] == ["", "", "parrot"]
    assert engines.choices() == {}
    assert engines.other("parrot") == ""


async def test_why_there_is_none_is_told_of_each(several, catalog):
    catalog.found = None
    await several.find_chosen(None)
    assert several.choice(None).problem == "no llama-server found in PATH"


BOX = PlaceSettings(url="podman:llama")


async def test_a_place_is_asked_once_for_its_engine_as_long_as_it_is_the_same(catalog):
    settings = SettingsKeeper(FakeSettingsStore(AppSettings(places={"box": BOX})))
    asked: list[tuple[str, str | None]] = []

    async def ask(place: str, engine: str | None) -> Engine:
        asked.append((place, engine))
        if engine is not None:
            raise ConfigurationError("engine", engine, "must be llama.cpp")
        if len(asked) == 1:
            raise RunnerUnavailable("no route")
        return FOUND

    engines = Engines(catalog, settings, ask_place=ask)
    told: list[None] = []
    engines.subscribe(told.append)
    await engines.find_at("box", None)
    assert (engines.at("box", None), told) == (None, []), "a place that does not answer is not known"
    for _time in range(2):
        await engines.find_at("box", None)
        assert engines.at("box", None) == FOUND
    await engines.find_at("box", "vllm")
    problem = engines.at("box", "vllm")
    assert isinstance(problem, ConfigurationError)
    await engines.find_at("gone", None)
    assert engines.at("gone", None) is None
    assert asked == [("box", None), ("box", None), ("box", "vllm")]
    await settings.change(places={"box": BOX.replace(url="podman:other")})
    assert engines.at("box", None) is None
