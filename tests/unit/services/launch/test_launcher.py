"""From a model and what was chosen for it to a server that runs."""

import asyncio
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from gglib_desktop.adapters.engines.llama_cpp.catalog import LlamaEngineCatalog
from gglib_desktop.adapters.runner.kinds import local_runner
from gglib_desktop.domain.documents.settings import AppSettings
from gglib_desktop.domain.errors import ConfigurationError, LibraryError
from gglib_desktop.domain.gguf.sidecars import WHY_NOT_STARTED, Sidecar
from gglib_desktop.domain.launch.options import BUILT_IN, LaunchOptions, MtpChoice, MtpDecision, MtpReason
from gglib_desktop.domain.servers.failures import FailureCause
from gglib_desktop.services.launch.engines import Engines
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from tests.fakes.library import some_facts
from tests.fakes.settings import FOUND, WITHOUT_MTP, FakeEngineCatalog, FakeSettingsStore
from tests.fakes.supervision import Story
from tests.unit.services.models.test_library_scan import ollama


@pytest.fixture
def catalog() -> FakeEngineCatalog:
    return FakeEngineCatalog({WITHOUT_MTP.path: WITHOUT_MTP})


@pytest.fixture
def settings() -> SettingsKeeper:
    return SettingsKeeper(FakeSettingsStore(AppSettings(base_port=9400)))


@pytest.fixture
async def launcher(library, supervisor, catalog, settings) -> Launcher:
    return Launcher(library, supervisor, Engines(catalog, settings), settings, mtp_suppressed=False)


@pytest.fixture
async def plain(library, files):
    (model,) = await library.add([files.make("plain.gguf", some_facts("Plain"))])
    return model


@pytest.fixture
async def tiny(library, files):
    (model,) = await library.add([files.make("tiny.gguf", some_facts("Tiny", mtp_layers=1))])
    return model


# -- starting


async def test_a_start_uses_what_is_saved_for_the_model(launcher, library, story, plain):
    await library.save_launch_options(plain.id, LaunchOptions(context_size=512))
    server_id = await launcher.start(plain.id)
    await story.reaches(server_id, "Healthy")
    config = story.supervisor.server(server_id).config
    assert (config.model_id, config.model_name, config.model_path) == (plain.id, "Plain", plain.path)
    assert (config.context_size, config.port, config.base_port) == (512, None, 9400)
    assert 9400 <= story.handle(server_id).port < 9500


async def test_the_choices_of_one_launch_are_saved_only_if_so_wished(launcher, library, story, tiny):
    options = LaunchOptions(context_size=1024, mtp=MtpChoice.ON, spec_draft_n_max=5, spec_draft_p_min=0.1)
    server_id = await launcher.start(tiny.id, options)
    await story.reaches(server_id, "Healthy")
    config = story.supervisor.server(server_id).config
    assert (config.context_size, config.spec_draft_n_max, config.spec_draft_p_min) == (1024, 5, 0.1)
    assert await library.launch_options(tiny.id) == LaunchOptions()
    await story.supervisor.stop(server_id)
    await library.save_launch_options(tiny.id, LaunchOptions(gpu_layers=3, context_size=2048))
    server_id = await launcher.start(tiny.id, options, remember=True)
    assert await library.launch_options(tiny.id) == options.replace(gpu_layers=3)


async def test_what_neither_launch_nor_model_decides_is_as_for_all_models(launcher, library, settings, story, plain):
    await settings.change(defaults=LaunchOptions(threads=3, context_size=256))
    await library.save_launch_options(plain.id, LaunchOptions(context_size=512))
    config = story.supervisor.server(await launcher.start(plain.id, LaunchOptions(gpu_layers=1))).config
    assert (config.gpu_layers, config.context_size, config.threads) == (1, 512, 3)


async def test_start_with_for_a_model_that_runs_is_for_one_more_server_and_not_saved(launcher, library, story, plain):
    first = await launcher.start(plain.id)
    await story.reaches(first, "Healthy")
    second = await launcher.start(plain.id, LaunchOptions(context_size=1024))
    await story.reaches(second, "Healthy")
    assert [server.number for server in story.supervisor.servers] == [1, 2]
    assert story.supervisor.server(second).config.context_size == 1024
    assert await library.launch_options(plain.id) == LaunchOptions()


async def test_another_server_does_not_ask_for_the_firsts_port(launcher, library, story, plain):
    first = await launcher.start(plain.id)
    await story.reaches(first, "Healthy")
    await library.save_launch_options(plain.id, LaunchOptions(port=story.handle(first).port, context_size=512))
    second = await launcher.start(plain.id, another=True)
    await story.reaches(second, "Healthy")
    assert story.supervisor.server(second).config.port is None
    assert story.supervisor.server(second).config.context_size == 512


async def test_a_second_start_is_the_first_ones_server(launcher, plain):
    assert await launcher.start(plain.id) == await launcher.start(plain.id)


async def test_a_model_that_is_gone_from_the_list_starts_nothing(launcher, supervisor):
    assert await launcher.start(99) is None
    assert supervisor.servers == ()


@pytest.mark.parametrize("kind", [Sidecar.DRAFT_HEAD, Sidecar.IMATRIX, Sidecar.VOCABULARY])
async def test_what_is_no_model_is_not_started_and_says_why(launcher, library, files, supervisor, kind):
    facts = replace(some_facts("Head", mtp_layers=1), sidecar=kind)
    (model,) = await library.add([files.make("head.gguf", facts)])
    with pytest.raises(ConfigurationError, match=WHY_NOT_STARTED[kind].split(";")[0]):
        await launcher.start(model.id)
    assert not supervisor.servers
    assert model.capabilities == {}


async def test_an_ollama_model_is_served_with_its_adapter(launcher, library, files, supervisor, tmp_path):
    base, adapter = ollama(files, "tuned", ("model", "a"), ("adapter", "b"))
    (model,) = await library.add([base.parent.parent])
    server_id = await launcher.start(model.id)
    config = supervisor.server(server_id).config
    assert config.extra_args == ("--lora", str(adapter))
    plan = await launcher.plan(server_id)
    assert not plan.own
    assert launcher.leads_to_same(config, plan.options, plan.in_force)


async def test_an_adapter_that_was_chosen_takes_the_place_of_the_stores(launcher, library, files, supervisor):
    base, _adapter = ollama(files, "tuned", ("model", "a"), ("adapter", "b"))
    (model,) = await library.add([base.parent.parent])
    await library.save_launch_options(model.id, LaunchOptions(extra_args=("--lora-scaled", "/x.gguf:0.5")))
    server_id = await launcher.start(model.id)
    assert supervisor.server(server_id).config.extra_args == ("--lora-scaled", "/x.gguf:0.5")


async def test_without_an_engine_the_start_fails_in_its_panel(data_dir, bugs, library, plain):
    settings = SettingsKeeper(FakeSettingsStore(AppSettings(engine_path=Path("/nowhere/llama-server"))))
    environment = {name: value for name, value in os.environ.items() if name != "GGLIB_LLAMA_SERVER_PATH"}
    catalog = LlamaEngineCatalog(environment)
    runner = local_runner(data_dir, lambda: catalog.find(settings.current.engine_path), environment=environment)
    async with runner:
        supervisor = Supervisor(runner, runner, bugs)
        story = Story(supervisor)
        launcher = Launcher(library, supervisor, Engines(catalog, settings), settings, mtp_suppressed=False)
        server_id = await launcher.start(plain.id)
        assert server_id is not None
        failed = await story.reaches(server_id, "Failed")
        assert failed.failure.cause is FailureCause.ENGINE_UNUSABLE
        assert "there is no such file" in failed.failure.detail
        assert launcher.engines.problem is not None
        assert not list(data_dir.glob("servers/*"))
        await supervisor.aclose()


# -- restarting


async def test_a_restart_uses_what_is_saved_now(launcher, library, story, tiny):
    server_id = await launcher.start(tiny.id)
    await story.reaches(server_id, "Healthy")
    config = story.supervisor.server(server_id).config
    await launcher.save_choices(config, {"mtp": MtpChoice.ON, "spec_draft_n_max": 7})
    assert await library.launch_options(tiny.id) == LaunchOptions(mtp=MtpChoice.ON, spec_draft_n_max=7)
    assert story.supervisor.server(server_id).config == config
    await launcher.restart(server_id)
    await story.reaches_again(server_id, "Healthy")
    assert story.supervisor.server(server_id).config == config.replace(spec_draft_n_max=7)


async def test_choices_made_one_soon_after_the_other_are_all_saved(launcher, library, story, tiny):
    server_id = await launcher.start(tiny.id)
    config = story.supervisor.server(server_id).config
    await asyncio.gather(
        launcher.save_choices(config, {"mtp": MtpChoice.ON}),
        launcher.start(tiny.id, LaunchOptions(context_size=512), another=True, remember=True),
        launcher.save_choices(config, {"port": 9001}),
    )
    assert await library.launch_options(tiny.id) == LaunchOptions(mtp=MtpChoice.ON, context_size=512, port=9001)


async def test_a_restart_of_a_further_server_saves_nothing(launcher, library, story, plain):
    first = await launcher.start(plain.id)
    second = await launcher.start(plain.id, another=True)
    await story.reaches(second, "Healthy")
    await launcher.restart(second, {"context_size": 512})
    await story.reaches_again(second, "Healthy")
    assert story.supervisor.server(second).config.context_size == 512
    assert await library.launch_options(plain.id) == LaunchOptions()
    assert story.supervisor.server(first).config.context_size is None


async def restarted(launcher, story, server_id, **how):
    before = story.words(server_id).count("Healthy")
    await launcher.restart(server_id, **how)
    await story.reaches_again(server_id, "Healthy", before + 1)


async def test_a_restart_keeps_what_was_chosen_for_the_start_only_over_what_is_saved_meanwhile(
    launcher, library, settings, story, tiny
):
    server_id = await launcher.start(tiny.id, LaunchOptions(context_size=512).with_values(temperature=0.5))
    await story.reaches(server_id, "Healthy")
    await library.save_launch_options(tiny.id, LaunchOptions(context_size=4096, gpu_layers=3))
    await settings.change(defaults=LaunchOptions(threads=2).with_values(temperature=0.1))
    plan = await launcher.plan(server_id)
    assert plan.own == {"context_size", "temperature"}
    await restarted(launcher, story, server_id)
    config = story.supervisor.server(server_id).config
    assert (config.context_size, config.gpu_layers, config.threads) == (512, 3, 2)
    assert config.inference_config.temperature == 0.5
    await restarted(launcher, story, server_id)
    assert story.supervisor.server(server_id).config == config, "also in the restart after that"
    await restarted(launcher, story, server_id, keep_own=False)
    config = story.supervisor.server(server_id).config
    assert (config.context_size, config.inference_config.temperature) == (4096, 0.1)
    assert not (await launcher.plan(server_id)).own


async def test_what_a_start_chose_and_was_saved_later_is_no_choice_of_its_own(launcher, library, story, tiny):
    server_id = await launcher.start(tiny.id, LaunchOptions(context_size=512))
    await story.reaches(server_id, "Healthy")
    await library.save_launch_options(tiny.id, LaunchOptions(context_size=512))
    assert not (await launcher.plan(server_id)).own
    await restarted(launcher, story, server_id)
    await library.save_launch_options(tiny.id, LaunchOptions(context_size=1024))
    await restarted(launcher, story, server_id)
    assert story.supervisor.server(server_id).config.context_size == 1024


async def test_drafting_that_was_chosen_for_one_start_is_kept_by_its_restart(launcher, library, story, tiny):
    server_id = await launcher.start(tiny.id, LaunchOptions(mtp=MtpChoice.OFF))
    await story.reaches(server_id, "Healthy")
    await library.save_launch_options(tiny.id, LaunchOptions(spec_draft_n_max=5))
    plan = await launcher.plan(server_id)
    assert (plan.own, plan.options.spec_draft_n_max) == ({"mtp"}, 5)
    await restarted(launcher, story, server_id)
    assert story.supervisor.server(server_id).config.spec_draft_n_max is None
    await restarted(launcher, story, server_id, choices={"mtp": MtpChoice.AUTO})
    assert story.supervisor.server(server_id).config.spec_draft_n_max == 5


async def test_a_restart_after_a_stop_uses_what_is_saved_too(launcher, library, story, plain):
    server_id = await launcher.start(plain.id)
    await story.reaches(server_id, "Healthy")
    await library.save_launch_options(plain.id, LaunchOptions(context_size=4096))
    await story.supervisor.stop(server_id)
    await restarted(launcher, story, server_id)
    assert story.supervisor.server(server_id).config.context_size == 4096


async def test_a_further_server_restarts_with_what_is_saved_but_not_on_the_first_ones_port(
    launcher, library, story, plain
):
    first = await launcher.start(plain.id)
    second = await launcher.start(plain.id, another=True)
    await story.reaches(first, "Healthy")
    await story.reaches(second, "Healthy")
    await library.save_launch_options(plain.id, LaunchOptions(port=story.handle(first).port, context_size=512))
    await restarted(launcher, story, second)
    config = story.supervisor.server(second).config
    assert (config.port, config.context_size) == (None, 512)


async def test_a_restart_keeps_all_in_which_a_server_that_was_taken_over_differs(launcher, library, story, tiny):
    """What was chosen for its start, and by whom, is not known any more."""
    await library.save_launch_options(tiny.id, LaunchOptions(gpu_layers=3))
    config = story.supervisor.server(await launcher.start(tiny.id)).config
    taken_over = story.supervisor.start(config.replace(context_size=8192, spec_draft_n_max=4), another=True)
    await story.reaches(taken_over, "Healthy")
    assert (await launcher.plan(taken_over)).own == {"context_size", "spec_draft_n_max"}
    await library.save_launch_options(tiny.id, LaunchOptions(gpu_layers=5, context_size=512))
    await restarted(launcher, story, taken_over)
    config = story.supervisor.server(taken_over).config
    assert (config.context_size, config.spec_draft_n_max, config.gpu_layers) == (8192, 4, 5)


async def test_a_restart_that_fails_returns_and_the_next_one_tries_what_is_saved_again(launcher, library, story, plain):
    server_id = await launcher.start(plain.id)
    await story.reaches(server_id, "Healthy")
    good = story.supervisor.server(server_id).config
    await library.save_launch_options(plain.id, LaunchOptions(extra_args=("--nope",)))
    await launcher.restart(server_id)
    await story.reaches_again(server_id, "Healthy")
    assert story.supervisor.server(server_id).rejected is not None
    assert story.supervisor.server(server_id).config == good
    plan = await launcher.plan(server_id)
    assert (plan.options.extra_args, plan.own) == (("--nope",), frozenset())


async def test_a_server_restarts_as_it_was_when_nobody_can_tell_what_is_saved(
    launcher, library, story, plain, data_dir
):
    server_id = await launcher.start(plain.id, LaunchOptions(context_size=512))
    await story.reaches(server_id, "Healthy")
    config = story.supervisor.server(server_id).config
    with closing(sqlite3.connect(data_dir / "library.sqlite")) as stranger:
        stranger.execute("DROP TABLE models")
    with pytest.raises(LibraryError):
        await restarted(launcher, story, server_id)
    assert story.supervisor.server(server_id).config == config


async def test_restarting_a_panel_that_is_dismissed_meanwhile_does_nothing(launcher, story, plain):
    server_id = await launcher.start(plain.id)
    await story.reaches(server_id, "Healthy")
    await story.supervisor.stop(server_id)
    restart = asyncio.ensure_future(launcher.restart(server_id))
    await asyncio.sleep(0)
    story.supervisor.dismiss(server_id)
    await restart
    assert story.supervisor.servers == ()


async def test_a_server_whose_model_left_the_list_can_be_restarted(launcher, library, story, tiny):
    server_id = await launcher.start(tiny.id)
    await story.reaches(server_id, "Healthy")
    await library.remove(tiny.id)
    await launcher.restart(server_id, {"context_size": 512})
    await story.reaches_again(server_id, "Healthy")
    config = story.supervisor.server(server_id).config
    assert (config.model_path, config.model_name, config.context_size) == (tiny.path, "Tiny", 512)
    assert await library.launch_options(tiny.id) == LaunchOptions()


# -- what is in force


@pytest.mark.parametrize(
    "options",
    [
        LaunchOptions(),
        LaunchOptions(mtp=MtpChoice.OFF, spec_draft_n_max=9),
        LaunchOptions(port=9432, context_size=0),
        LaunchOptions(mtp=MtpChoice.ON, spec_draft_n_max=3, spec_draft_p_min=0.5),
    ],
)
async def test_saved_choices_that_lead_to_what_runs_are_in_force(launcher, supervisor, tiny, options):
    server_id = await launcher.start(tiny.id, options)
    in_force = launcher.options_in_force(supervisor.server(server_id).config, options)
    assert in_force == options.over(BUILT_IN)


async def test_other_choices_are_not_in_force(launcher, supervisor, tiny):
    server_id = await launcher.start(tiny.id, LaunchOptions(port=9432, spec_draft_n_max=3))
    config = supervisor.server(server_id).config
    in_force = launcher.options_in_force(config, LaunchOptions(spec_draft_n_max=4))
    assert in_force == LaunchOptions(port=9432, spec_draft_n_max=3).over(BUILT_IN), (
        "Auto leads to the same, so nobody need have chosen On"
    )
    engine_decides = launcher.options_in_force(config.replace(spec_draft_p_min=None), LaunchOptions())
    assert engine_decides.spec_draft_p_min == 0.0, "that is the engine's own"
    off = launcher.options_in_force(config.replace(spec_draft_n_max=None), LaunchOptions(spec_draft_n_max=4))
    assert (off.mtp, off.spec_draft_n_max) == (MtpChoice.OFF, 4)


async def test_a_changed_first_port_is_no_change_of_what_runs(launcher, supervisor, settings, tiny):
    server_id = await launcher.start(tiny.id)
    await settings.change(base_port=9500)
    assert launcher.options_in_force(supervisor.server(server_id).config, LaunchOptions()) == BUILT_IN


async def test_another_name_is_no_change_of_what_runs(launcher, library, supervisor, files, tiny):
    server_id = await launcher.start(tiny.id)
    config = supervisor.server(server_id).config
    await library.add([files.make("other.gguf", some_facts("Tiny", quantisation="Q8_0"))])
    assert library.model(tiny.id).name != config.model_name
    assert launcher.options_in_force(config, LaunchOptions()) == BUILT_IN


# -- drafting


@pytest.mark.parametrize(
    "case",
    [
        (MtpChoice.AUTO, 1, FOUND, False, MtpReason.MODEL_AND_ENGINE_CAN),
        (MtpChoice.AUTO, 0, FOUND, False, MtpReason.NO_LAYERS),
        (MtpChoice.AUTO, 1, WITHOUT_MTP, False, MtpReason.NO_ENGINE_SUPPORT),
        (MtpChoice.ON, 0, FOUND, False, MtpReason.CHOSEN),
        (MtpChoice.OFF, 1, FOUND, False, MtpReason.SWITCHED_OFF),
        (MtpChoice.ON, 1, FOUND, True, MtpReason.SUPPRESSED),
    ],
)
async def test_whether_a_start_drafts(library, files, supervisor, case):
    choice, layers, engine, suppressed, reason = case
    settings = SettingsKeeper(FakeSettingsStore())
    engines = Engines(FakeEngineCatalog(found=engine), settings)
    launcher = Launcher(library, supervisor, engines, settings, mtp_suppressed=suppressed)
    (model,) = await library.add([files.make("model.gguf", some_facts(mtp_layers=layers))])
    options = LaunchOptions(mtp=choice)
    server_id = await launcher.start(model.id, options)
    decision = launcher.decide_mtp(model, options)
    assert decision == MtpDecision(reason in {MtpReason.CHOSEN, MtpReason.MODEL_AND_ENGINE_CAN}, reason)
    config = supervisor.server(server_id).config
    assert (config.spec_draft_n_max, config.spec_draft_p_min) == ((2, 0.75) if decision.enabled else (None, None))


# -- measuring


async def test_what_is_measured_is_what_a_start_would_be_with_drafting(launcher, library, tiny):
    await library.save_launch_options(tiny.id, LaunchOptions(mtp=MtpChoice.OFF, threads=3))
    model, config, engine = await launcher.to_measure(tiny.id)
    assert (model.id, engine) == (tiny.id, FOUND)
    assert (config.threads, config.spec_draft_n_max) == (3, 2)
    assert await launcher.to_measure(tiny.id + 100) is None


async def test_nothing_is_measured_without_an_engine(library, supervisor, settings, tiny):
    launcher = Launcher(
        library, supervisor, Engines(FakeEngineCatalog(found=None), settings), settings, mtp_suppressed=False
    )
    with pytest.raises(ConfigurationError, match="no engine was found"):
        await launcher.to_measure(tiny.id)
