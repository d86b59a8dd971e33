"""Names for clients over the life of servers: restarts keep them, forms show them, and no earlier choice is lost."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gglib_desktop.adapters.documents.toml_settings import TomlSettingsStore
from gglib_desktop.adapters.runner.simulated import MockRunner
from gglib_desktop.domain.documents.settings import AppSettings, Theme
from gglib_desktop.domain.launch.form import form_state
from gglib_desktop.domain.launch.options import NO_EXTRA_ARGS, LaunchOptions, Source
from gglib_desktop.services.launch.engines import Engines
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from tests.fakes.library import some_facts
from tests.fakes.settings import FakeEngineCatalog, FakeSettingsStore
from tests.fakes.supervision import Story
from tests.unit.services.conftest import QUICK


@pytest.fixture
def launcher(library, supervisor) -> Launcher:
    settings = SettingsKeeper(FakeSettingsStore(AppSettings()))
    return Launcher(library, supervisor, Engines(FakeEngineCatalog(), settings), settings, mtp_suppressed=False)


@pytest.fixture
async def tiny(library, files):
    (model,) = await library.add([files.make("tiny.gguf", some_facts("Tiny"))])
    return model


def name(story: Story, server_id: int) -> str:
    server = story.supervisor.server(server_id)
    (said,) = story.supervisor.monitor.names_said(server.config, server.command_line)
    return said


async def started(launcher, story, model, launch=None):
    server_id = await launcher.start(model.id, launch, another=True)
    assert server_id is not None
    await story.reaches(server_id, "Healthy")
    return server_id


async def restarted(launcher, story, server_id, **choices) -> str:
    await launcher.restart(server_id, choices)
    await story.reaches_again(server_id, "Healthy", len([w for w in story.words(server_id) if w == "Healthy"]) + 1)
    return name(story, server_id)


async def test_a_restart_keeps_the_number_while_it_is_free(launcher, story, tiny):
    first, second = [await started(launcher, story, tiny) for _each in range(2)]
    assert (name(story, first), name(story, second)) == ("Tiny", "Tiny (2)")
    await story.supervisor.stop(first)
    assert await restarted(launcher, story, second) == "Tiny (2)"
    assert await restarted(launcher, story, first) == "Tiny"
    await story.supervisor.stop(second)
    third = await started(launcher, story, tiny, LaunchOptions(alias="Tiny (2)"))
    assert name(story, third) == "Tiny (2)"


async def test_a_restart_with_another_name_takes_that(launcher, library, story, tiny):
    first, second = [await started(launcher, story, tiny) for _each in range(2)]
    await library.save_launch_options(tiny.id, LaunchOptions(alias="coder"))
    assert await restarted(launcher, story, second) == "coder"
    assert await restarted(launcher, story, first) == "coder (2)"


async def test_a_crash_does_not_change_it(mock, launcher, story, tiny):
    first, second = [await started(launcher, story, tiny) for _each in range(2)]
    mock.crash(story.handle(second))
    await story.reaches(second, "Crashed")
    await story.supervisor.stop(first)
    assert await restarted(launcher, story, second) == "Tiny (2)"


async def test_it_is_kept_when_the_program_starts_anew(data_dir, bugs, *, library, mock, launcher, story, tiny):
    """A number is no choice: the panel of a server that was taken over offers nothing that would change."""
    for _each in range(2):
        await started(launcher, story, tiny)
    second = story.supervisor.servers[1].id
    await restarted(launcher, story, second)
    await story.supervisor.aclose()
    await mock.__aexit__(None, None, None)
    async with MockRunner(data_dir, timings=QUICK) as runner:
        supervisor = Supervisor(runner, runner, bugs)
        later = Story(supervisor)
        assert await supervisor.adopt() == 2
        keeper = SettingsKeeper(FakeSettingsStore(AppSettings()))
        again = Launcher(library, supervisor, Engines(FakeEngineCatalog(), keeper), keeper, mtp_suppressed=False)
        for server in supervisor.servers:
            await later.reaches(server.id, "Healthy")
            plan = await again.plan(server.id)
            assert (plan.in_force.alias, plan.own) == (None, frozenset())
            kept = name(later, server.id)
            assert await restarted(again, later, server.id) == kept
        assert supervisor.names_taken == {"Tiny", "Tiny (2)"}
        await supervisor.stop_all()
        assert supervisor.names_taken == frozenset()
        await supervisor.aclose()


async def test_the_form_tells_the_name_that_a_start_would_get(launcher, story, tiny):
    def line(**choices):
        form_context = launcher.form_context(Source.LAUNCH, tiny, LaunchOptions(alias="coder"))
        return form_state(LaunchOptions(**choices), {}, form_context)

    await launcher.engines.find()
    unnamed = form_state(LaunchOptions(), {}, launcher.form_context(Source.LAUNCH, tiny, LaunchOptions()))
    assert (unnamed.fields["alias"].inherited, unnamed.fields["alias"].source) == ("Tiny", Source.BUILT_IN)
    everybody = form_state(LaunchOptions(), {}, launcher.form_context(Source.APP, None, LaunchOptions()))
    assert everybody.fields["alias"].inherited is None
    assert line().fields["alias"].inherited == "coder"
    await started(launcher, story, tiny, LaunchOptions(alias="mine"))
    assert "--alias 'mine (2)'" in line(alias="mine").command_line
    assert "--alias coder" in line().command_line


# -- what the version before wrote


async def test_a_saved_flag_of_the_version_before_is_a_choice_now(library, launcher, story, *, tiny, data_dir):
    saved = '{"context_size": 512, "extra_args": ["--alias", "coder"], "mtp": null, "restart": null}'
    with closing(sqlite3.connect(data_dir / "library.sqlite")) as file, file:
        file.execute("UPDATE models SET launch_options = ? WHERE id = ?", (saved, tiny.id))
    moved = LaunchOptions(context_size=512, alias="coder", extra_args=NO_EXTRA_ARGS)
    assert await library.launch_options(tiny.id) == moved
    server_id = await started(launcher, story, tiny)
    assert name(story, server_id) == "coder"
    assert story.supervisor.server(server_id).config.extra_args == ()


def test_the_settings_file_is_rewritten_so_that_the_choice_can_be_taken_back(tmp_path: Path):
    file = tmp_path / "settings.toml"
    file.write_text('# mine\ntheme = "dark"\n[defaults]\nextra_args = ["--verbose", "--alias", "everyone"]  # ours\n')
    store = TomlSettingsStore(file)
    before = store.load().settings
    assert (before.defaults.alias, before.defaults.extra_args) == ("everyone", ("--verbose",))
    store.save(before, before.replace(theme=Theme.LIGHT))
    assert file.read_text() == (
        '# mine\ntheme = "light"\n[defaults]\nextra_args = ["--verbose"]  # ours\nalias = "everyone"\n'
    )
    file.write_text('[defaults]\nextra_args = ["--alias", "everyone"]\n')
    before = store.load().settings
    after = store.save(before, before.replace(defaults=LaunchOptions())).settings
    assert (after, store.load().settings) == (AppSettings(), AppSettings())
