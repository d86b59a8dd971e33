"""The program as its window sees it."""

from pathlib import Path

from gglib_desktop.adapters.runner.kinds import MockRunner
from gglib_desktop.bootstrap import window_view_model
from gglib_desktop.domain.documents.settings import AppSettings, Theme
from gglib_desktop.domain.documents.settings_document import SettingsNews, SettingsReading, UnknownKey
from gglib_desktop.domain.errors import (
    ConfigurationError,
    InvalidSettings,
    LibraryError,
    LibrarySetAside,
    ModelInUse,
    RunnerUnavailable,
    SettingProblem,
    SettingsEffect,
)
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.services.servers.foreign import ForeignWatch
from gglib_desktop.viewmodels.engine import EngineState
from gglib_desktop.viewmodels.servers.servers import ServerTotals
from tests.fakes.library import some_facts
from tests.fakes.program import TIMINGS, Program
from tests.fakes.settings import FOUND
from tests.fakes.waiting import poll, tasks_begun, tasks_done


def told_by(program: Program) -> list[tuple[str, object]]:
    told: list[tuple[str, object]] = []
    app = program.app
    app.servers.added.connect(lambda server: told.append(("added", server.id)))
    app.servers.removed.connect(lambda server_id: told.append(("removed", server_id)))
    app.servers.shown.connect(lambda server_id: told.append(("shown", server_id)))
    app.servers.reconnected.connect(lambda count: told.append(("adopted", count)))
    app.failed.connect(lambda error: told.append(("failed", error)))
    app.settings.newsTold.connect(lambda news: told.append(("settingsNews", news)))
    app.library.models.selectRequested.connect(lambda model_id: told.append(("select", model_id)))
    return told


async def healthy(program: Program, server_id: int) -> None:
    await poll(lambda: program.supervisor.server(server_id).state.word == "Healthy")


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
    await healthy(program, server_id)
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
    told = told_by(program)
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
    told = told_by(program)
    await program.open()
    assert program.app.engine.state.engine is None
    assert isinstance(program.app.engine.state.problem, ConfigurationError)
    assert told == [], "shown as a state, not as an accident"


async def test_a_data_directory_that_is_in_use_is_said_and_the_models_are_there(program, tmp_path):
    told = told_by(program)
    async with MockRunner(tmp_path / "data") as other:
        await other.list_running()
        await program.open(program.files.make("new.gguf", some_facts("New")))
    (error,) = [error for name, error in told if name == "failed"]
    assert isinstance(error, RunnerUnavailable)
    assert len(program.library.models) == 1


async def test_settings_that_could_not_be_read_are_said(program):
    told = told_by(program)
    problem = SettingProblem("theme", "must be one of system, light, dark", line=3)
    program.settings.problem = InvalidSettings(Path("settings.toml"), (problem,), SettingsEffect.OTHERS_COUNT)
    await program.open()
    assert ("settingsNews", SettingsNews(error=program.settings.problem)) in told


# -- models


async def test_the_first_of_what_was_added_is_selected(program):
    told = told_by(program)
    paths = [program.files.make(f"{name}.gguf", some_facts(name)) for name in ("A", "B")]
    program.app.library.add(paths)
    await poll(lambda: any(name == "select" for name, _ in told))
    await tasks_done("add models")
    assert told == [("select", program.library.models[0].id)]


async def test_the_demo_model_is_selected(program):
    told = told_by(program)
    program.app.library.create_demo.trigger()
    assert program.app.library.create_demo.is_busy
    await poll(lambda: told)
    assert told == [("select", program.library.models[0].id)]


async def test_models_are_looked_for_at_the_start_and_on_demand(program):
    seen: list[object] = []
    program.models.scanChanged.connect(seen.append)
    folder = program.files.make("deep/a.gguf", some_facts("A")).parent
    await program.open(folder)
    await poll(lambda: not program.app.library.scan.is_busy)
    program.files.make("deep/b.gguf", some_facts("B"))
    program.app.library.scan.trigger()
    await poll(lambda: not program.app.library.scan.is_busy)
    assert [model.name for model in program.library.models] == ["A", "B"]
    assert program.models.scan is None
    assert seen == [] or seen[-1] is None
    program.app.library.stop_scan()


async def test_a_library_that_cannot_be_written_is_said(program, tmp_path):
    told = told_by(program)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "library.sqlite").mkdir()
    program.app.library.add([program.files.make("a.gguf", some_facts("A"))])
    await poll(lambda: told)
    await tasks_done("add models")
    assert isinstance(told[0][1], LibraryError)


async def test_a_library_that_is_no_database_is_set_aside_and_what_was_to_be_opened_is(program, tmp_path):
    told = told_by(program)
    file = tmp_path / "data" / "library.sqlite"
    file.parent.mkdir()
    file.write_text("not a database, and longer than the header of one " * 20)
    await program.open(program.files.make("a.gguf", some_facts("A")))
    ((_kind, error),) = [news for news in told if news[0] == "failed"]
    assert isinstance(error, LibrarySetAside)
    assert error.kept.read_text().startswith("not a database")
    assert ("select", program.library.models[0].id) in told


async def test_a_model_is_not_removed_while_a_server_of_it_runs(program):
    model, other = await program.add("Tiny"), await program.add("Other")
    server_id = program.start(model)
    await healthy(program, server_id)
    told = told_by(program)
    program.app.library.remove(model.id)
    await poll(lambda: told)
    ((name, error),) = told
    assert name == "failed"
    assert isinstance(error, ModelInUse)
    assert str(error) == "a server of Tiny runs; stop its server first"
    assert program.library.models == (model, other)
    program.app.library.remove(other.id)
    await poll(lambda: program.library.models == (model,))
    await program.supervisor.stop(server_id)
    program.app.library.remove(model.id)
    await poll(lambda: not program.library.models)
    assert len(program.app.servers.panels) == 1, "its log can still be read"


# -- servers


async def test_a_start_is_shown(program):
    model = await program.add()
    told = told_by(program)
    program.app.launch.start(model.id)
    await poll(lambda: len(told) == 2)
    (server_id,) = program.app.servers.panels
    assert told == [("added", server_id), ("shown", server_id)]
    program.app.launch.start(model.id)
    await poll(lambda: len(told) == 3)
    assert told[-1] == ("shown", server_id), "a start of what runs shows where it runs"


async def test_what_runs_is_counted_with_its_memory(program):
    first, second = await program.add("A"), await program.add("B")
    for model in (first, second):
        program.app.launch.start(model.id)
    await poll(lambda: len(program.app.servers.panels) == 2)
    await poll(lambda: program.app.servers.totals.rss_bytes == 2 * 64 * 2**20)
    assert program.app.servers.totals.running == 2
    program.app.servers.stop_all()
    await poll(lambda: program.app.servers.totals.running == 0)
    assert program.app.servers.totals.rss_bytes == 0


async def test_a_dismissed_server_is_gone(program):
    told = told_by(program)
    server_id = program.start(await program.add(), "--nope")
    await poll(lambda: program.supervisor.server(server_id).state.word == "Failed")
    program.app.servers.panels[server_id].dismiss()
    assert program.app.servers.panels == {}
    assert told[-1] == ("removed", server_id)


async def test_a_hidden_window_asks_less_often(program):
    program.app.set_visible(False)
    assert program.supervisor.visible is False
    program.app.set_visible(True)
    assert program.supervisor.visible is True


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

    app = window_view_model(*parts, foreign=foreign, dialogs=dialogs)
    app.close()
    await healthy(program, program.start(await program.add()))
    assert app.servers.panels == {}
    assert app.library.models.total == 0
    assert (app.servers.totals, app.engine.state) == (ServerTotals(), EngineState())


async def test_a_settings_file_that_was_edited_is_in_force_and_said(program):
    await program.open()
    told = told_by(program)
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
