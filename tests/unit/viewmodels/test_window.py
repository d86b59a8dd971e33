"""The program as its window sees it."""

from pathlib import Path

from gglib_desktop.adapters.runner.simulated import MockRunner
from gglib_desktop.bootstrap import window_view_model
from gglib_desktop.domain.documents.settings import AppSettings, Theme
from gglib_desktop.domain.documents.settings_document import SettingsNews, SettingsReading, UnknownKey
from gglib_desktop.domain.errors import (
    ConfigurationError,
    InvalidSettings,
    RunnerUnavailable,
    SettingProblem,
    SettingsEffect,
)
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.services.servers.foreign import ForeignWatch
from gglib_desktop.viewmodels.engine import EngineState
from gglib_desktop.viewmodels.servers.servers import ServerTotals
from tests.fakes.library import some_facts
from tests.fakes.program import TIMINGS
from tests.fakes.settings import FOUND
from tests.fakes.waiting import poll, tasks_begun, tasks_done

# -- ending


async def test_a_start_that_waits_for_the_engine_when_the_program_ends_comes_too_late(program):
    model = await program.add()
    program.catalog.gate.clear()
    program.app.launch.start(model.id)
    await tasks_begun("start")
    program.supervisor.refuse_starts()
    await program.supervisor.stop_all()
    program.catalog.gate.set()
    await tasks_done("start")
    assert program.supervisor.servers == ()


async def test_a_restart_that_was_pressed_late_changes_nothing(program):
    model = await program.add()
    server_id = program.start(model)
    await program.healthy(server_id)
    program.supervisor.refuse_starts()
    program.app.servers.panels[server_id].options.restart.trigger()
    await tasks_done("restart")
    assert program.supervisor.server(server_id).state.word == "Healthy"
    await program.supervisor.stop_all()
    program.app.servers.panels[server_id].options.restart.trigger()
    await tasks_done("restart")
    assert program.supervisor.server(server_id).state.word == "Stopped"


# -- opening


async def test_opening_loads_adds_adopts_and_finds_the_engine(program, tmp_path):
    old = program.files.make("old.gguf", some_facts("Old"))
    async with MockRunner(tmp_path / "data", timings=TIMINGS) as earlier:
        await earlier.start(ServerConfig(1, "Old", old, 9000))
    told = program.told()
    new = program.files.make("new.gguf", some_facts("New"))
    assert not program.app.is_ready
    await program.open(new)
    assert [model.name for model in program.library.models] == ["New"]
    assert program.app.engine.state.engine is FOUND
    assert [server.state.title for server in program.app.servers.panels.values()] == ["Old"]
    assert ("adopted", 1) in told
    assert ("select", program.library.models[0].id) in told
    assert program.app.servers.totals.running == 1


async def test_models_are_looked_for_while_an_engine_is_still_asked(program):
    program.catalog.gate.clear()
    scans: list[bool] = []
    program.app.library.scan.busyChanged.connect(scans.append)
    program.app.open(())
    await poll(lambda: scans)
    assert not program.app.is_ready
    program.catalog.gate.set()
    await poll(lambda: program.app.is_ready)


async def test_without_an_engine_it_says_why(program):
    program.catalog.found = None
    told = program.told()
    await program.open()
    assert program.app.engine.state.engine is None
    assert isinstance(program.app.engine.state.problem, ConfigurationError)
    assert told == [], "shown as a state, not as an accident"


async def test_a_data_directory_that_is_in_use_is_said_and_the_models_are_there(program, tmp_path):
    told = program.told()
    async with MockRunner(tmp_path / "data") as other:
        await other.list_running()
        await program.open(program.files.make("new.gguf", some_facts("New")))
    (error,) = [error for name, error in told if name == "failed"]
    assert isinstance(error, RunnerUnavailable)
    assert len(program.library.models) == 1


async def test_settings_that_could_not_be_read_are_said(program):
    told = program.told()
    problem = SettingProblem("theme", "must be one of system, light, dark", line=3)
    program.settings.problem = InvalidSettings(Path("settings.toml"), (problem,), SettingsEffect.OTHERS_COUNT)
    await program.open()
    assert ("settingsNews", SettingsNews(error=program.settings.problem)) in told


# -- settings and the end


async def test_changed_settings_are_told_and_the_engine_is_looked_for_again(program):
    await program.open()
    told: list[AppSettings] = []
    program.settings.subscribe(told.append)
    program.catalog.found = None
    await program.settings.change(theme=Theme.DARK)
    assert told == [program.settings.current] == [AppSettings(theme=Theme.DARK)]
    await poll(lambda: program.app.engine.state.problem is not None)
    assert program.app.engine.state.engine is None


async def test_a_bug_in_what_a_view_runs_reaches_the_reporter(program, bugs):
    async def broken() -> None:
        raise ZeroDivisionError

    program.app.run(broken(), "broken")
    await poll(lambda: bugs.bugs)
    assert isinstance(bugs.bugs.pop(), ZeroDivisionError)


async def test_after_closing_it_hears_nothing(program):
    parts = (program.library, program.supervisor, program.launcher, program.settings, program.scope)
    foreign = ForeignWatch(program.runner, program.supervisor, program.library, program.scope)

    def dialogs():
        raise AssertionError("no dialog was opened")

    app = window_view_model(*parts, foreign=foreign, dialogs=dialogs, questions=program.app.questions)
    app.close()
    await program.healthy(program.start(await program.add()))
    assert app.servers.panels == {}
    assert app.library.models.total == 0
    assert (app.servers.totals, app.engine.state) == (ServerTotals(), EngineState())


async def test_a_settings_file_that_was_edited_is_in_force_and_said(program):
    await program.open()
    told = program.told()
    form = program.app.settings.pages().form
    form.edit(stop_grace_s=7.0)
    program.store.reading = SettingsReading(
        AppSettings(theme=Theme.DARK), unknown=(UnknownKey("them", nearest="theme", line=3),)
    )
    await program.settings.look()
    assert program.settings.current == AppSettings(theme=Theme.DARK)
    assert told == [("settingsNews", SettingsNews(changed={("theme",): "dark"}, unknown=program.store.reading.unknown))]
    assert form.draft == AppSettings(theme=Theme.DARK, stop_grace_s=7.0), "what was typed stays on top"


async def test_the_settings_file_is_there_to_be_edited(program):
    assert await program.app.settings.file() == program.store.path
    assert program.store.created


async def test_a_hidden_window_asks_less_often(program):
    program.app.set_visible(False)
    assert program.supervisor.visible is False
    program.app.set_visible(True)
    assert program.supervisor.visible is True
