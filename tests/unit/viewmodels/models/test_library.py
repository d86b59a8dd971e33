"""What comes onto the list of models and leaves it."""

from gglib_desktop.domain.errors import (
    LibraryError,
    LibrarySetAside,
    ModelInUse,
)
from tests.fakes.library import some_facts
from tests.fakes.waiting import poll, tasks_done


async def test_the_first_of_what_was_added_is_selected(program):
    told = program.told()
    paths = [program.files.make(f"{name}.gguf", some_facts(name)) for name in ("A", "B")]
    program.app.library.add(paths)
    await poll(lambda: any(name == "select" for name, _ in told))
    await tasks_done("add models")
    assert told == [("select", program.library.models[0].id)]


async def test_the_demo_model_is_selected(program):
    told = program.told()
    program.app.library.create_demo.trigger()
    assert program.app.library.create_demo.is_busy
    await poll(lambda: told)
    assert told == [("select", program.library.models[0].id)]


async def test_models_are_looked_for_at_the_start_and_on_demand(program):
    seen: list[object] = []
    program.app.library.progressChanged.connect(seen.append)
    folder = program.files.make("deep/a.gguf", some_facts("A")).parent
    await program.open(folder)
    await poll(lambda: not program.app.library.scan.is_busy)
    program.files.make("deep/b.gguf", some_facts("B"))
    program.app.library.scan.trigger()
    await poll(lambda: not program.app.library.scan.is_busy)
    assert [model.name for model in program.library.models] == ["A", "B"]
    assert program.app.library.progress is None
    assert seen == [] or seen[-1] is None
    program.app.library.stop_scan()


async def test_a_library_that_cannot_be_written_is_said(program, tmp_path):
    told = program.told()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "library.sqlite").mkdir()
    program.app.library.add([program.files.make("a.gguf", some_facts("A"))])
    await poll(lambda: told)
    await tasks_done("add models")
    assert isinstance(told[0][1], LibraryError)


async def test_a_library_that_is_no_database_is_set_aside_and_what_was_to_be_opened_is(program, tmp_path):
    told = program.told()
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
    await program.healthy(server_id)
    told = program.told()
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
