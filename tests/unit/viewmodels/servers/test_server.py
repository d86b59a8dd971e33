"""One server's panel without widgets: what it shows, what its form applies and saves."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from itertools import pairwise

import pytest

from gglib_desktop.domain.engine.capabilities import EngineCapabilities
from gglib_desktop.domain.errors import GglibError, LibraryError
from gglib_desktop.domain.gguf.forecast import ByteRange, Serving
from gglib_desktop.domain.launch.options import BUILT_IN, LaunchOptions, MtpChoice, MtpReason
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.servers.effective import Cause, Difference
from gglib_desktop.domain.servers.failures import FailureCause
from gglib_desktop.domain.servers.remedies import Remedy
from gglib_desktop.domain.servers.restart import RestartPolicy
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.viewmodels.servers.server import ServerPanelState, ServerViewModel
from tests.fakes.library import some_facts
from tests.fakes.ports import some_base_port
from tests.fakes.program import Program, running_program
from tests.fakes.settings import FOUND
from tests.fakes.waiting import poll, reasons_told


async def in_state(server: ServerViewModel, word: str) -> None:
    await poll(lambda: server.state.state.word == word)
    await reasons_told()


async def healthy(program: Program, name: str = "Tiny", options: LaunchOptions | None = None) -> ServerViewModel:
    """The view-model of a healthy server whose form shows what is saved."""
    model = await program.add(name)
    server_id = await program.launcher.start(model.id, options)
    assert server_id is not None
    server = program.app.servers.panels[server_id]
    await in_state(server, "Healthy")
    await poll(lambda: not server.state.can_apply)
    return server


async def saved(program: Program, server: ServerViewModel, options: LaunchOptions) -> None:
    """Returns when these options are saved for the server's model."""

    async def so():
        return await program.library.launch_options(server.model_id) == options

    await poll(so)


# -- what it shows


async def test_it_shows_what_runs(program):
    server = await healthy(program, options=LaunchOptions(context_size=512))
    state = server.state
    assert state.title == "Tiny"
    assert state.handle is not None
    assert (state.port, state.context_size, state.slots) == (state.handle.port, 512, 4)
    assert (state.draft_tokens, state.min_probability) == (2, 0.75)
    assert state.endpoint.endswith(f":{state.port}/v1")
    assert state.is_live
    assert state.state.word == "Healthy"
    assert state.can_answer
    assert state.running_since == state.handle.started_at


async def test_it_tells_where_the_server_does_not_run_with_what_was_asked_for(program):
    server = await healthy(program, options=LaunchOptions(context_size=8192))
    assert not server.state.differences
    config = program.supervisor.server(server.id).config
    program.supervisor.restart(server.id, config.replace(extra_args=("--mock-context=4096",)))
    await poll(lambda: server.state.differences)
    assert server.state.differences == (Difference("context_size", 8192, 4096, Cause.OVERRIDDEN),)
    server.stop.trigger()
    await in_state(server, "Stopped")
    assert not server.state.differences


async def test_what_the_model_was_made_for_counts_where_nothing_was_asked_for(program):
    model = await program.add("Plain", some_facts("Plain"))
    server = program.app.servers.panels[program.start(model, "--mock-context=1024")]
    await poll(lambda: server.state.differences)
    assert server.state.differences == (Difference("context_size", 2048, 1024, Cause.AUTO_FIT),)


async def test_what_ended_shows_no_port_that_another_may_have_by_now(program):
    server = await healthy(program)
    assert server.state.endpoint
    server.stop.trigger()
    await in_state(server, "Stopped")
    assert (server.state.port, server.state.endpoint, server.state.can_answer) == (None, "", False)
    assert not server.state.is_live
    assert server.state.running_since is None


async def test_it_tells_of_each_change_once(program):
    server = await healthy(program)
    told: list[ServerPanelState] = []
    server.stateChanged.connect(told.append)
    server.stop.trigger()
    await in_state(server, "Stopped")
    assert told[-1] == server.state
    assert all(before != after for before, after in pairwise(told))


async def test_a_second_server_of_a_model_has_a_number(program):
    first = await healthy(program)
    second_id = await program.launcher.start(first.model_id, another=True)
    assert program.app.servers.panels[second_id].state.title == "Tiny (2)"


# -- buttons


async def test_stop_restart_kill_and_dismiss(program):
    server = await healthy(program)
    first = server.state.handle
    server.options.restart.trigger()
    await poll(lambda: server.state.handle not in {None, first})
    await in_state(server, "Healthy")
    server.kill.trigger()
    await in_state(server, "Stopped")
    server.dismiss()
    assert program.app.servers.panels == {}


async def test_an_error_of_a_command_is_told(program, tmp_path):
    server = await healthy(program)
    told: list[GglibError] = []
    server.failed.connect(told.append)
    with closing(sqlite3.connect(tmp_path / "data" / "library.sqlite")) as stranger:
        stranger.execute("DROP TABLE models")
    server.options.form.edit(spec_draft_n_max=5)
    await poll(lambda: told)
    assert [type(error) for error in told] == [LibraryError]
    assert server.options.form.draft.spec_draft_n_max == 5, "what could not be saved is still there"


# -- the form


async def test_the_form_shows_what_runs(program):
    options = LaunchOptions(port=some_base_port(), mtp=MtpChoice.OFF, gpu_layers=7)
    server = await healthy(program, options=options)
    assert server.options.form.draft == options.over(BUILT_IN)
    assert server.options.form.state.decision.reason is MtpReason.SWITCHED_OFF


async def test_an_edit_can_be_applied_and_taken_back(program):
    server = await healthy(program)
    told: list[tuple[bool, bool]] = []
    server.stateChanged.connect(lambda state: told.append((state.can_apply, server.state.can_apply)))
    server.options.form.edit(spec_draft_n_max=5)
    server.options.form.edit(spec_draft_n_max=2)
    assert told == [(True, True), (False, False)]


async def test_an_edit_is_saved_for_the_model_at_once(program):
    server = await healthy(program)
    server.options.form.edit(spec_draft_n_max=5)
    server.options.form.edit(spec_draft_n_max=6)

    await saved(program, server, LaunchOptions(spec_draft_n_max=6))
    assert server.state.draft_tokens == 2, "what runs has not changed"


async def test_edits_of_a_second_server_are_its_own(program):
    first = await healthy(program)
    second_id = await program.launcher.start(first.model_id, another=True)
    second = program.app.servers.panels[second_id]
    await in_state(second, "Healthy")
    first.options.form.edit(spec_draft_n_max=5)
    await saved(program, first, LaunchOptions(spec_draft_n_max=5))
    second.options.form.edit(context_size=512)
    await asyncio.sleep(0)  # a save would begin now, before the question below
    assert await program.library.launch_options(first.model_id) == LaunchOptions(spec_draft_n_max=5)
    assert second.options.form.draft.context_size == 512


async def test_applying_restarts_with_the_new_configuration(program):
    server = await healthy(program)
    server.options.form.edit(spec_draft_n_max=5, context_size=1024)
    server.options.restart.trigger()
    await poll(lambda: server.state.draft_tokens == 5)
    await in_state(server, "Healthy")
    assert "--spec-draft-n-max 5" in server.state.command_line
    assert server.state.context_size == 1024
    await poll(lambda: not server.state.can_apply)


async def test_what_leads_to_the_same_server_needs_no_restart(program):
    model = await program.add("Plain", some_facts("Plain", mtp_layers=0))
    server_id = await program.launcher.start(model.id)
    server = program.app.servers.panels[server_id]
    await in_state(server, "Healthy")
    await poll(lambda: not server.state.can_apply)
    server.options.form.edit(mtp=MtpChoice.OFF)
    assert not server.state.can_apply, "this model cannot draft anyway"
    server.options.form.edit(mtp=MtpChoice.ON)
    assert server.state.can_apply
    server.options.form.edit(mtp=MtpChoice.OFF, context_size=512)
    assert server.state.can_apply


async def test_what_ended_has_nothing_to_apply_until_something_is_changed(program):
    server = await healthy(program)
    server.stop.trigger()
    await in_state(server, "Stopped")
    await poll(lambda: not server.state.can_apply)
    server.options.form.edit(context_size=512)
    assert server.state.can_apply
    server.options.restart.trigger()
    await in_state(server, "Healthy")
    await poll(lambda: not server.state.can_apply)


async def test_the_decision_follows_the_engine(program):
    server = await healthy(program)
    assert server.options.form.state.decision.enabled
    program.catalog.found = replace(FOUND, capabilities=EngineCapabilities())
    await program.settings.change(base_port=9700)
    await poll(lambda: server.options.form.state.decision.reason is MtpReason.NO_ENGINE_SUPPORT)


async def test_a_model_without_layers_does_not_draft(program):
    model = await program.add("Plain", some_facts("Plain"))
    server_id = await program.launcher.start(model.id)
    server = program.app.servers.panels[server_id]
    assert server.options.form.state.decision.reason is MtpReason.NO_LAYERS
    server.options.form.edit(mtp=MtpChoice.ON)
    assert server.options.form.state.decision.enabled


async def test_a_server_of_a_model_that_left_the_list_keeps_its_form(program):
    server = await healthy(program)
    await program.library.remove(server.model_id)
    server.options.form.edit(context_size=1024)
    server.options.restart.trigger()
    await poll(lambda: server.state.context_size == 1024)


# -- remedies


async def test_a_failure_offers_what_fits_and_trying_again(program):
    server = await healthy(program)
    program.runner.crash(server.state.handle, -9)
    await in_state(server, "Crashed")
    assert server.state.state.word in {"Failed", "Crashed"}
    assert server.state.remedies == (Remedy.LOWER_CONTEXT, Remedy.TRY_AGAIN, Remedy.SHOW_LOG)
    server.mend(Remedy.TRY_AGAIN)
    await in_state(server, "Healthy")
    assert not server.state.remedies


@pytest.mark.parametrize(
    ("flag", "fields", "remedy"),
    [
        ("--nope", {}, Remedy.DROP_FLAGS),
        ("--mock-fail-load=failed to create MTP context", {"spec_draft_n_max": 2}, Remedy.TURN_MTP_OFF),
        ("--mock-fail-load=out of memory", {"context_size": 8192}, Remedy.LOWER_CONTEXT),
        ("--mock-fail-load=couldn't bind HTTP server socket", {"port": 9432}, Remedy.USE_FREE_PORT),
    ],
)
async def test_a_remedy_mends(program, flag, fields, remedy):
    model = await program.add()
    server = program.app.servers.panels[program.start(model, flag, **fields)]
    await in_state(server, "Failed")
    assert server.state.remedies[0] is remedy
    server.mend(remedy)

    def mended():
        config = program.supervisor.server(server.id).config
        return all(getattr(config, field) != value for field, value in fields.items())

    await poll(mended)
    if remedy is Remedy.DROP_FLAGS:
        await in_state(server, "Healthy")
    else:
        assert program.supervisor.server(server.id).config.extra_args == (flag,), "nothing else has changed"


async def test_a_remedy_that_only_shows_something_starts_nothing(program):
    model = await program.add()
    server = program.app.servers.panels[program.start(model, "--nope")]
    await in_state(server, "Failed")
    server.mend(Remedy.SHOW_LOG)
    assert server.state.state.word == "Failed"
    assert not server.options.restart.is_busy


async def test_what_was_saved_and_cannot_be_read_does_not_keep_a_model_from_starting(program, tmp_path):
    model = await program.add()
    with closing(sqlite3.connect(tmp_path / "data" / "library.sqlite")) as other_version:
        other_version.execute('UPDATE models SET launch_options = \'{"mtp": "sometimes"}\'')
        other_version.commit()
    program.app.launch.start(model.id)
    await poll(lambda: program.app.servers.panels)
    (server,) = program.app.servers.panels.values()
    await in_state(server, "Healthy")
    assert server.options.form.draft == BUILT_IN
    server.options.form.edit(context_size=512)
    await saved(program, server, LaunchOptions(context_size=512))


BAD = "--mock-fail-load=srv load_model: failed to create MTP context"


async def test_values_that_do_not_start_stay_in_the_form_while_the_old_ones_run_again(program):
    server = await healthy(program)
    old = server.state.command_line
    server.options.form.edit(spec_draft_n_max=5, extra_args=(BAD,))
    server.options.restart.trigger()
    failure = await poll(lambda: server.state.rejected)
    assert failure is not None
    assert failure.cause is FailureCause.MTP_LAYERS_MISSING
    await in_state(server, "Healthy")
    assert server.state.draft_tokens == 2
    assert old.partition("--port")[2] in server.state.command_line
    await poll(lambda: server.state.can_apply)
    assert server.options.form.draft.spec_draft_n_max == 5
    server.options.form.edit(extra_args=())
    server.options.restart.trigger()
    await poll(lambda: server.state.draft_tokens == 5 and server.state.state.word == "Healthy")
    assert server.state.rejected is None
    await poll(lambda: not server.state.can_apply)


async def test_a_message_about_rejected_values_can_be_closed_and_comes_again_with_the_next(program):
    server = await healthy(program)
    server.options.form.edit(extra_args=(BAD,))
    server.options.restart.trigger()
    await poll(lambda: server.state.rejected is not None and server.state.state.word == "Healthy")
    server.close_rejected()
    assert server.state.rejected is None
    await poll(lambda: server.state.can_apply)
    server.options.restart.trigger()
    await poll(lambda: server.state.rejected is not None and server.state.state.word == "Healthy")
    server.stop.trigger()
    await in_state(server, "Stopped")
    assert server.state.rejected is None, "nothing runs again"


@pytest.mark.parametrize(
    ("changes", "remedy", "leads_to"),
    [
        ({"extra_args": ("--nope",), "spec_draft_n_max": 5}, Remedy.DROP_FLAGS, "--spec-draft-n-max 5"),
        ({"port": 9998, "spec_draft_n_max": 5}, Remedy.USE_FREE_PORT, "--spec-draft-n-max 5"),
    ],
)
async def test_rejected_values_are_mended_with_a_press(program, changes, remedy, leads_to):
    other = await program.add("Other")
    program.supervisor.start(ServerConfig(other.id, other.name, other.path, 9000, port=9998))
    server = await healthy(program)
    server.options.form.edit(**changes)
    server.options.restart.trigger()
    await poll(lambda: server.state.rejected is not None and server.state.state.word == "Healthy")
    assert remedy in server.state.remedies
    assert not {Remedy.TRY_AGAIN, Remedy.SHOW_LOG} & set(server.state.remedies)
    await poll(lambda: not server.options.restart.is_busy)
    server.mend(remedy)
    await poll(lambda: leads_to in server.state.command_line and server.state.state.word == "Healthy")
    assert server.state.rejected is None
    assert server.state.remedies == ()


async def test_what_was_forecast_stands_beside_what_is_measured(program):
    asked: list[int] = []

    def forecast(_model: Model, serving: Serving) -> ByteRange:
        asked.append(serving.context)
        return ByteRange(1000 + serving.context, 9000)

    program.launcher._forecast = forecast
    server = program.app.servers.panels[program.start(await program.add())]
    assert server.state.forecast is None
    await poll(lambda: server.state.forecast == ByteRange(1000, 9000))
    assert asked == [0], "once is enough"
    await program.launcher.restart(server.id, {"context_size": 512})
    await poll(lambda: server.state.forecast == ByteRange(1512, 9000))


async def test_who_was_taken_over_before_the_library_was_read_is_shown_as_it_was_started(tmp_path, bugs):
    async with running_program(tmp_path, bugs) as earlier:
        started = await healthy(earlier)
        assert started.options.form.draft.mtp is MtpChoice.AUTO
    async with running_program(tmp_path, bugs) as program:
        await program.supervisor.adopt()
        (server,) = program.app.servers.panels.values()
        await poll(lambda: not server.state.can_apply and server.options.form.draft.mtp is MtpChoice.ON)
        await program.open()
        await poll(lambda: server.options.form.draft.mtp is MtpChoice.AUTO)
        assert server.options.form.state.decision.reason is MtpReason.MODEL_AND_ENGINE_CAN
        assert not server.state.can_apply


# -- what is saved meanwhile


async def test_it_says_that_launch_defaults_changed_and_a_restart_uses_them(program):
    server = await healthy(program)
    assert not server.state.saved_changed
    await program.library.save_launch_options(server.model_id, LaunchOptions(context_size=1024, spec_draft_n_max=5))
    await poll(lambda: server.state.saved_changed)
    assert server.options.form.draft.spec_draft_n_max == 5, "the form shows what comes next"
    assert server.state.can_apply
    server.options.restart.trigger()
    await poll(lambda: server.state.context_size == 1024)
    assert server.state.draft_tokens == 5
    await poll(lambda: not server.state.saved_changed and not server.state.can_apply)


async def test_it_says_so_of_the_defaults_of_all_models_and_until_they_are_as_before(program):
    server = await healthy(program)
    await program.settings.change(defaults=LaunchOptions(context_size=1024))
    await poll(lambda: server.state.saved_changed)
    await program.settings.change(defaults=LaunchOptions())
    await poll(lambda: not server.state.saved_changed)


async def test_what_leads_to_the_same_server_is_no_change(program):
    server = await healthy(program)
    await program.library.save_launch_options(server.model_id, LaunchOptions(mtp=MtpChoice.ON))
    await poll(lambda: server.options.form.draft.mtp is MtpChoice.ON)
    assert not server.state.saved_changed
    assert not server.state.can_apply


async def test_what_was_typed_in_its_own_form_is_no_news(program):
    server = await healthy(program)
    server.options.form.edit(spec_draft_n_max=5)
    await saved(program, server, LaunchOptions(spec_draft_n_max=5))
    await program.library.save_launch_options(server.model_id, LaunchOptions(spec_draft_n_max=5))
    assert not server.state.saved_changed
    await program.library.save_launch_options(server.model_id, LaunchOptions(spec_draft_n_max=6))
    await poll(lambda: server.state.saved_changed)
    assert server.options.form.draft.spec_draft_n_max == 6, "said later"


async def test_a_further_servers_form_keeps_what_was_typed_whatever_is_saved(program):
    first = await healthy(program)
    second = program.app.servers.panels[await program.launcher.start(first.model_id, another=True)]
    await in_state(second, "Healthy")
    second.options.form.edit(spec_draft_n_max=7)
    await program.library.save_launch_options(first.model_id, LaunchOptions(context_size=1024, spec_draft_n_max=5))
    await poll(lambda: second.state.saved_changed)
    assert second.options.form.draft.spec_draft_n_max == 7
    second.options.restart.trigger()
    await poll(lambda: second.state.context_size == 1024)
    assert second.state.draft_tokens == 7, "a restart uses what the form shows"
    await poll(lambda: second.state.own_choices == ("spec_draft_n_max",))


async def test_it_names_what_a_restart_keeps_and_can_go_back_to_what_is_saved(program):
    server = await healthy(program, options=LaunchOptions(context_size=512, mtp=MtpChoice.OFF))
    await poll(lambda: server.state.own_choices == ("context_size", "mtp"))
    server.options.restart.trigger()
    await poll(lambda: server.state.state.word == "Starting")
    await in_state(server, "Healthy")
    assert server.state.context_size == 512
    server.options.use_saved.trigger()
    await poll(lambda: server.state.draft_tokens == 2)
    await in_state(server, "Healthy")
    await poll(lambda: not server.state.own_choices)
    assert program.supervisor.server(server.id).config.context_size is None


async def test_a_message_about_rejected_values_goes_when_they_are_reverted(program):
    server = await healthy(program)
    server.options.form.edit(extra_args=(BAD,))
    server.options.restart.trigger()
    await poll(lambda: server.state.rejected is not None and server.state.state.word == "Healthy")
    await poll(lambda: server.options.is_changed)
    server.options.revert.trigger()
    await poll(lambda: server.state.rejected is None)
    await poll(lambda: not server.options.is_changed)
    await saved(program, server, LaunchOptions())


async def test_a_choice_typed_in_the_form_replaces_that_of_the_start(program):
    server = await healthy(program, options=LaunchOptions(spec_draft_n_max=3))
    await poll(lambda: server.state.own_choices == ("spec_draft_n_max",))
    server.options.form.edit(spec_draft_n_max=5)
    await saved(program, server, LaunchOptions(spec_draft_n_max=5))
    server.options.restart.trigger()
    await poll(lambda: server.state.draft_tokens == 5)
    await poll(lambda: not server.state.own_choices and not server.state.can_apply)


async def test_rejected_settings_are_told_once(program):
    server = await healthy(program)
    await program.library.save_launch_options(server.model_id, LaunchOptions(extra_args=("--nope",)))
    await poll(lambda: server.state.saved_changed)
    server.options.restart.trigger()
    await poll(lambda: server.state.rejected is not None and server.state.state.word == "Healthy")
    assert not server.state.saved_changed
    server.close_rejected()
    assert server.state.saved_changed, "what runs is still not what is saved"


async def test_what_happens_after_a_crash_is_shown_by_all_servers_of_the_model(program):
    first = await healthy(program)
    second = program.app.servers.panels[await program.launcher.start(first.model_id, another=True)]
    await in_state(second, "Healthy")
    second.options.form.edit(restart=RestartPolicy.ON_CRASH)
    await poll(lambda: first.options.form.draft.restart is RestartPolicy.ON_CRASH)
    await program.library.save_launch_options(first.model_id, LaunchOptions())
    await poll(lambda: {s.options.form.draft.restart for s in (first, second)} == {RestartPolicy.NEVER})


async def test_only_the_flag_at_fault_is_dropped(program):
    model = await program.add()
    await program.launcher.engines.find()
    server = program.app.servers.panels[program.start(model, "--mock-context=1024", "--nope", "3")]
    await in_state(server, "Failed")
    assert server.state.offending_flag == "--nope"
    server.mend(Remedy.DROP_FLAGS)
    await in_state(server, "Healthy")
    assert program.supervisor.server(server.id).config.extra_args == ("--mock-context=1024",)


@pytest.mark.parametrize("drafts", [True, False, None])
async def test_it_tells_whether_it_was_seen_to_draft(program, drafts):
    server = await healthy(program, "Plain")
    snapshot = program.supervisor.server(server.id)
    assert snapshot.facts is not None
    seen = replace(snapshot.facts, drafts=drafts, draft_types=frozenset({"ngram-mod"}))
    server.show(replace(snapshot, facts=seen))
    assert (server.state.drafts, server.state.draft_types) == (drafts, frozenset({"ngram-mod"}))
    assert not server.state.lacks_template


async def test_it_says_that_another_engine_is_in_use_now(program):
    server = await healthy(program)
    snapshot = program.supervisor.server(server.id)
    server.show(replace(snapshot, command_line=f"{FOUND.path} -m one.gguf"))
    assert not server.state.other_engine
    for path in ("/opt/old/llama-server", "'/opt/my own/llama-server'", f"{FOUND.path}.old"):
        server.show(replace(snapshot, command_line=f"{path} -m one.gguf"))
        assert server.state.other_engine
    server.show(replace(snapshot, command_line="llama-server -m one.gguf"))
    assert not server.state.other_engine, "where it lies was not said"


async def test_it_says_which_saved_flags_the_engine_does_not_list(program):
    server = await healthy(program)
    await program.library.save_launch_options(server.model_id, LaunchOptions(extra_args=("--no-such-flag", "3")))
    await poll(lambda: server.state.saved_changed)
    assert server.state.unlisted_flags == ("--no-such-flag",)


async def test_flags_that_another_engine_does_not_list_are_told_once_that_is_in_use(program):
    known = {**FOUND.capabilities.spellings, "--mock-context": frozenset({"--mock-context"})}
    program.catalog.found = replace(FOUND, capabilities=EngineCapabilities(known))
    server = await healthy(program, options=LaunchOptions(extra_args=("--mock-context=4096",)))
    await poll(lambda: server.state.own_choices)
    assert server.state.unlisted_flags == ()
    program.catalog.found = FOUND
    await program.launcher.engines.find()
    await poll(lambda: server.state.unlisted_flags == ("--mock-context",))
