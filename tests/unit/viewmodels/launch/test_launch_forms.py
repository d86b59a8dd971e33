"""What the dialogs about launch choices do, without the dialogs."""

import asyncio
import threading
from pathlib import Path

import pytest
from typing_extensions import override

from gglib_desktop.domain.engine.capabilities import EngineDevice
from gglib_desktop.domain.errors import InvalidDraft, InvalidModelFile, LibraryError
from gglib_desktop.domain.gguf.forecast import Fit, Memory
from gglib_desktop.domain.gguf.header import GgufHeader
from gglib_desktop.domain.launch.options import LaunchOptions, Source
from gglib_desktop.domain.llama_cpp.dialect import LlamaCppDialect
from gglib_desktop.domain.servers.restart import RestartPolicy
from gglib_desktop.viewmodels.launch.option_form import OptionForecastViewModel, OptionFormViewModel
from tests.fakes.forms import MODEL, form_launcher, option_form
from tests.fakes.ports import some_base_port
from tests.fakes.settings import FakeEngineCatalog
from tests.fakes.waiting import poll, tasks_done
from tests.unit.domain.gguf.test_forecast import header as metadata


def told_by(view_model) -> list[object]:
    news: list[object] = []
    view_model.done.connect(lambda: news.append("done"))
    view_model.failed.connect(news.append)
    return news


# -- starting


async def test_a_start_uses_the_choices_of_the_form_over_those_of_the_model(program):
    await program.open()
    model = await program.add()
    await program.library.save_launch_options(model.id, LaunchOptions(threads=3))
    start = await program.app.launch.forms.to_start(model.id)
    assert start.form.state.fields["threads"].inherited == 3
    start.form.edit(context_size=4096)
    news = told_by(start)
    start.accept.trigger()
    await poll(lambda: news)
    assert news == ["done"]
    (server,) = program.supervisor.servers
    assert (server.config.context_size, server.config.threads) == (4096, 3)
    assert await program.library.launch_options(model.id) == LaunchOptions(threads=3), "nothing was to be remembered"
    start.close()


async def test_choices_are_remembered_for_the_model_when_wanted(program):
    await program.open()
    model = await program.add()
    start = await program.app.launch.forms.to_start(model.id)
    port = some_base_port()
    start.form.edit(context_size=4096, port=port)
    start.set_remember(True)
    start.accept.trigger()
    await poll(lambda: program.supervisor.servers)
    assert await program.library.launch_options(model.id) == LaunchOptions(context_size=4096, port=port)
    start.close()
    again = await program.app.launch.forms.to_start(model.id)
    assert again.runs
    assert again.form.state.fields["port"].inherited is None, "the port of the model is its first server's"
    again.form.edit(threads=2, port=port + 1)
    again.set_remember(True)
    again.accept.trigger()
    await poll(lambda: len(program.supervisor.servers) == 2)
    remembered = LaunchOptions(context_size=4096, port=port, threads=2)
    assert await program.library.launch_options(model.id) == remembered
    again.close()


async def test_nothing_is_started_while_a_field_has_a_problem(program):
    await program.open()
    start = await program.app.launch.forms.to_start((await program.add()).id)
    start.form.type_text("extra_args", "--alias 'x")
    news = told_by(start)
    start.accept.trigger()
    await poll(lambda: news)
    (error,) = news
    assert isinstance(error, InvalidDraft)
    assert error.fields == {"extra_args": "a quotation mark is not closed"}
    assert not program.supervisor.servers
    start.close()


# -- defaults


async def test_the_defaults_of_a_model_are_saved_and_its_panels_told(program):
    await program.open()
    model = await program.add()
    server = program.app.servers.panels[program.start(model)]
    defaults = await program.app.launch.forms.of_model(model.id)
    defaults.form.edit(context_size=2048, restart=RestartPolicy.ON_CRASH)
    news = told_by(defaults)
    defaults.accept.trigger()
    await poll(lambda: news)
    assert news == ["done"]
    saved = LaunchOptions(context_size=2048, restart=RestartPolicy.ON_CRASH)
    assert await program.library.launch_options(model.id) == saved
    await poll(lambda: server.options.form.draft.restart is RestartPolicy.ON_CRASH)
    assert server.state.saved_changed, "until the next restart"
    defaults.close()
    assert (await program.app.launch.forms.of_model(model.id)).form.draft == saved


async def test_what_was_typed_stays_when_it_cannot_be_saved(program, monkeypatch):
    await program.open()
    defaults = await program.app.launch.forms.of_model((await program.add()).id)
    defaults.form.edit(context_size=2048)

    async def refuse(*_args: object) -> None:
        raise LibraryError("disk full")

    monkeypatch.setattr(program.library, "save_launch_options", refuse)
    news = told_by(defaults)
    defaults.accept.trigger()
    await poll(lambda: news)
    assert isinstance(news[0], LibraryError)
    assert defaults.form.draft == LaunchOptions(context_size=2048)
    defaults.close()


async def test_there_is_no_form_for_a_model_that_is_gone(program):
    assert await program.app.launch.forms.to_start(99) is None
    assert await program.app.launch.forms.of_model(99) is None


async def test_the_devices_of_the_engine_are_asked_for(program):
    await program.open()
    program.catalog.cards = (EngineDevice("CUDA0", "A card", 8 * 2**30),)
    start = await program.app.launch.forms.to_start((await program.add()).id)
    found: list[object] = []
    start.form.devicesFound.connect(found.append)
    await poll(lambda: found)
    assert found == [program.catalog.cards]
    start.close()


async def test_all_models_may_be_started_again_after_a_crash_unless_one_says_no(program):
    model = await program.add()
    yes, no = RestartPolicy.ON_CRASH, RestartPolicy.NEVER
    assert await program.library.restart_policy(model.id) is no
    assert await program.library.restart_policy(model.id, yes) is yes
    await program.library.save_launch_options(model.id, LaunchOptions(restart=no))
    assert await program.library.restart_policy(model.id, yes) is no


async def test_panels_show_at_once_what_all_models_do_after_a_crash(program):
    await program.open()
    follows, says_no = await program.add("Follows"), await program.add("Says no")
    await program.library.save_launch_options(says_no.id, LaunchOptions(restart=RestartPolicy.NEVER))
    panels = [program.app.servers.panels[program.start(model)] for model in (follows, says_no)]
    await tasks_done("launch options")
    await program.settings.change(defaults=LaunchOptions(restart=RestartPolicy.ON_CRASH))
    await tasks_done("launch options")
    assert [panel.options.form.draft.restart for panel in panels] == [RestartPolicy.ON_CRASH, RestartPolicy.NEVER]


# -- memory


class FixedMemory:
    def __init__(self, free_bytes: int) -> None:
        self.free_bytes = free_bytes

    def read(self) -> Memory:
        return Memory(64 * 2**30, self.free_bytes)


def header(_path: Path) -> GgufHeader:
    return GgufHeader(3, "little", 0, metadata())


@pytest.fixture
def outlook(qapp, scope):
    made: list[OptionForecastViewModel] = []

    def outlook(form, read_header=header, *, free_bytes: int = 2**40) -> OptionForecastViewModel:
        memory = FixedMemory(free_bytes)
        made.append(OptionForecastViewModel(MODEL, form, read_header, memory, scope))
        return made[-1]

    yield outlook
    for view_model in made:
        view_model.close()


async def test_the_forecast_follows_the_form(outlook):
    form = option_form(Source.LAUNCH)
    memory = outlook(form)
    assert memory.state.loading
    await poll(lambda: not memory.state.loading)
    before = memory.state.forecast.total
    assert (memory.state.fit, memory.state.fitting_context) == (Fit.FITS, memory.state.longest_context)
    form.edit(context_size=256)
    await poll(lambda: memory.state.forecast.total != before)
    assert memory.state.forecast.total.high < before.high
    smaller = memory.state.forecast.total
    form.edit(context_size=None, cache_type_k="q8_0")
    await poll(lambda: memory.state.forecast.total not in (before, smaller))
    assert memory.state.forecast.total.high < before.high


async def test_it_warns_when_there_is_too_little(outlook):
    memory = outlook(option_form(), free_bytes=1024)
    await poll(lambda: not memory.state.loading)
    assert (memory.state.fit, memory.state.fitting_context) == (Fit.DOES_NOT_FIT, 0)


async def test_choices_made_during_a_forecast_count_in_the_next(outlook):
    gate, form = threading.Event(), option_form()

    def slowly(path: Path) -> GgufHeader:
        gate.wait(10)
        return header(path)

    memory = outlook(form, slowly)
    await asyncio.sleep(0)
    form.edit(context_size=256)
    gate.set()
    reference = outlook(option_form(draft={"context_size": 256}))
    await poll(lambda: not reference.state.loading and memory.state.forecast == reference.state.forecast)


class _OfAnotherEngine(LlamaCppDialect):
    @override
    def serving(self, config):
        return None


async def test_how_much_another_engine_takes_is_not_known(outlook):
    catalog = FakeEngineCatalog()
    catalog.dialect = _OfAnotherEngine()
    memory = outlook(OptionFormViewModel(form_launcher(catalog), Source.LAUNCH, MODEL))
    await poll(lambda: not memory.state.loading)
    assert (memory.state.is_foreign, memory.state.forecast) == (True, None)


async def test_a_file_that_cannot_be_read_leaves_it_unknown(outlook):
    def broken(path: Path) -> GgufHeader:
        raise InvalidModelFile(path, "is not a GGUF file", offset=0)

    form = option_form()
    memory = outlook(form, broken)
    await poll(lambda: not memory.state.loading)
    assert (memory.state.fit, memory.state.forecast) == (Fit.UNKNOWN, None)
    form.edit(context_size=256)
    memory._look()
    assert memory.state.forecast is None
