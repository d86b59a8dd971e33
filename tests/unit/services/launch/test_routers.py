"""From the models of a router and what is saved for them to its file and its configuration."""

import pytest

from gglib_desktop.adapters.documents.router_files import DiskRouterFiles
from gglib_desktop.domain.documents.settings import AppSettings
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.servers.router.kind import ROUTER
from gglib_desktop.services.launch.engines import Engines
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.services.launch.routers import Routers
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from tests.fakes.library import some_facts
from tests.fakes.settings import FakeEngineCatalog, FakeSettingsStore


@pytest.fixture
def settings() -> SettingsKeeper:
    return SettingsKeeper(FakeSettingsStore(AppSettings(base_port=9400)))


@pytest.fixture
async def routers(library, supervisor, settings, tmp_path):
    async def renew(config):
        return await made.renewed(config)

    engines = Engines(FakeEngineCatalog(), settings)
    launcher = Launcher(library, supervisor, engines, settings, mtp_suppressed=False, renew_router=renew)
    made = Routers(library, launcher, supervisor, DiskRouterFiles(tmp_path / "routers"))
    return made


@pytest.fixture
async def models(library, files):
    paths = [files.make(f"{name}.gguf", some_facts(name.title())) for name in ("one", "two")]
    return await library.add(paths)


def config_of(supervisor, server_id):
    return supervisor.server(server_id).config


async def test_each_model_runs_with_what_is_saved_for_it(routers, models, library, supervisor):
    one, two = models
    await library.save_launch_options(one.id, LaunchOptions(context_size=512, port=9500, alias="first"))
    await library.save_launch_options(two.id, LaunchOptions(alias="first", require_api_key=True))
    config = config_of(supervisor, await routers.start([one.id, two.id], most=2))
    assert (config.engine, config.model_name, config.base_port, config.port) == (ROUTER, "Router", 9400, None)
    assert config.model_id < 0
    assert config.extra_args == ("--models-max", "2")
    assert (config.host, config.require_api_key) == (None, True), "one of them asks for a key"
    text = config.model_path.read_text()
    assert f"[first]\nmodel = {one.path}\n" in text
    assert f"[first (2)]\nmodel = {two.path}\n" in text
    assert "ctx-size = 512\n" in text
    assert "9500" not in text
    assert "stop-timeout = 5\n" in text
    assert config.model_path.stat().st_mode & 0o77 == 0


async def test_a_restart_uses_what_is_saved_by_then_in_a_new_file(routers, models, library, supervisor, settings):
    one, two = models
    before = config_of(supervisor, await routers.start([one.id, two.id]))
    first = before.model_path.read_text()
    await library.save_launch_options(one.id, LaunchOptions(context_size=1024))
    await library.remove(two.id)
    await settings.change(defaults=LaunchOptions(host="0.0.0.0"))
    now = await routers.renewed(before)
    assert (now.model_id, now.extra_args, now.host) == (before.model_id, before.extra_args, "0.0.0.0")
    assert before.model_path.read_text() == first, "a return to the last good configuration needs it"
    assert "ctx-size = 1024" in now.model_path.read_text()
    assert str(two.path) not in now.model_path.read_text()


async def test_a_file_that_was_not_made_here_is_left_alone(routers, models, supervisor, tmp_path):
    own = config_of(supervisor, await routers.start([models[0].id]))
    other = own.replace(model_path=tmp_path / "mine.ini")
    assert await routers.renewed(other) is other


async def test_what_cannot_be_started_is_refused_with_its_model(routers, models, library):
    with pytest.raises(ConfigurationError, match="at least one model"):
        await routers.start([])
    await library.save_launch_options(models[0].id, LaunchOptions(extra_args=("--port", "1")))
    with pytest.raises(ConfigurationError, match=r"One: .*Server port"):
        await routers.start([models[0].id])


async def test_two_routers_are_two_servers(routers, models, supervisor):
    ids = [await routers.start([models[0].id]) for _each in range(2)]
    assert len({config_of(supervisor, each).model_id for each in ids}) == 2
    supervisor.refuse_starts()
    assert await routers.start([models[0].id]) is None
