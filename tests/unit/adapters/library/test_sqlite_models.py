"""The library's file: what is written stays, whatever happens to the program."""

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from gglib_desktop.adapters.library.library_file import MIGRATIONS, LibraryFile
from gglib_desktop.adapters.library.sqlite_models import SqliteModelRepository
from gglib_desktop.domain.errors import LibraryError
from gglib_desktop.domain.gguf.header import ModelFacts
from gglib_desktop.domain.launch.options import LaunchOptions, MtpChoice
from gglib_desktop.domain.models.model import Model, ModelFile, PassedOver
from tests.fakes.library import some_facts

FACTS_OF_VERSION_1 = (
    *("name", "architecture", "size_label", "parameter_count", "quantisation", "context_length", "mtp_layers"),
    *("block_count", "expert_count", "has_chat_template", "file_size_bytes"),
)


@pytest.fixture
def file(data_dir: Path) -> Path:
    return data_dir / "library.sqlite"


@pytest.fixture
async def repository(file) -> AsyncIterator[SqliteModelRepository]:
    repository = SqliteModelRepository(LibraryFile(file))
    yield repository
    await repository.file.aclose()


async def reopened(repository: SqliteModelRepository, file: Path) -> SqliteModelRepository:
    """Another repository over the same file, as after a restart."""
    await repository.file.aclose()
    repository.__init__(LibraryFile(file))  # type: ignore[misc]
    return repository


async def add(repository: SqliteModelRepository, path: Path, facts: ModelFacts | None, problem: str | None) -> Model:
    (model,) = await repository.save([(None, ModelFile(path, facts, problem))])
    return model


def execute(file: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    """Does something to the file behind the repository's back."""
    with closing(sqlite3.connect(file)) as connection, connection:
        return connection.execute(statement, values).fetchall()


# -- what is written is read


async def test_models_come_back_as_they_were_added(repository, file):
    facts = some_facts("Größe 日本", mtp_layers=2)
    one = await add(repository, Path("/models/ä 1.gguf"), facts, None)
    two = await add(repository, Path("/models/2.gguf"), None, "there is no such file")
    again = await reopened(repository, file)
    assert await again.models() == [one, two]
    assert (one.path, one.facts, one.problem) == (Path("/models/ä 1.gguf"), facts, None)
    assert (two.facts, two.problem) == (None, "there is no such file")


async def test_a_path_added_again_keeps_its_number_and_date(repository):
    first = await add(repository, Path("/m.gguf"), None, "unreadable")
    await repository.save_launch_options(first.id, LaunchOptions(port=9100))
    again = await add(repository, Path("/m.gguf"), some_facts(), None)
    assert again == replace(first, facts=some_facts(), problem=None)
    assert await repository.models() == [again]
    assert await repository.launch_options(first.id) == LaunchOptions(port=9100)


async def test_a_file_name_that_is_no_text_can_be_kept(repository, file):
    path = Path(os.fsdecode(b"/models/\xff\xfe.gguf"))
    model = await add(repository, path, some_facts(), None)
    assert model.path == path
    assert await add(repository, path, some_facts(), None) == model
    again = await reopened(repository, file)
    assert [model.path for model in await again.models()] == [path]


async def test_numbers_are_never_given_twice(repository, file):
    """Records of running servers name models by them."""
    model = await add(repository, Path("/m.gguf"), None, None)
    await repository.remove(model.id)
    again = await reopened(repository, file)
    assert (await add(again, Path("/other.gguf"), None, None)).id > model.id
    assert (await add(again, Path("/m.gguf"), None, None)).id == model.id, "it is the same model"


async def test_what_was_removed_comes_back_as_it_was(repository, file):
    path = Path("/m.gguf")
    model = await add(repository, path, some_facts(), None)
    await repository.save_launch_options(model.id, LaunchOptions(port=9100))
    await repository.describe(model.id, ["mine"], "notes")
    await repository.note_used(model.id, 5.0)
    (before,) = await repository.models()
    await repository.remove(model.id)
    again = await reopened(repository, file)
    assert await again.models() == []
    assert [(each.path, each.removed) for each in await again.passed_over()] == [(path, True)]
    assert await again.bring_back(path) == before
    assert await again.models() == [before]
    assert await again.launch_options(model.id) == LaunchOptions(port=9100)
    assert await again.passed_over() == []
    assert await again.bring_back(Path("/never.gguf")) is None


async def test_a_model_may_move_to_where_a_removed_one_was(repository):
    model, other = (
        await add(repository, Path("/m.gguf"), None, None),
        await add(repository, Path("/o.gguf"), None, None),
    )
    await repository.save_launch_options(other.id, LaunchOptions(port=9100))
    await repository.remove(other.id)
    (moved,) = await repository.save([(model.id, ModelFile(other.path))])
    assert (moved.id, moved.path) == (model.id, other.path)
    assert await repository.models() == [moved]


async def test_a_scan_under_way_brings_nothing_back(repository):
    model = await add(repository, Path("/m.gguf"), None, None)
    await repository.remove(model.id)
    assert await repository.save([(model.id, ModelFile(model.path))]) == []
    assert await repository.models() == []


async def test_large_numbers_survive(repository):
    facts = replace(some_facts(), file_size_bytes=2**62, parameter_count=2**62)
    await add(repository, Path("/m.gguf"), facts, None)
    assert [model.facts for model in await repository.models()] == [facts]


async def test_what_was_chosen_is_kept_until_the_model_goes(repository, file):
    model = await add(repository, Path("/m.gguf"), None, None)
    assert await repository.launch_options(model.id) == LaunchOptions()
    options = LaunchOptions(port=9100, context_size=0, mtp=MtpChoice.OFF, spec_draft_n_max=9, spec_draft_p_min=0.05)
    await repository.save_launch_options(model.id, options)
    again = await reopened(repository, file)
    assert await again.launch_options(model.id) == options
    await again.remove(model.id)
    assert await again.launch_options(model.id) == LaunchOptions()


async def test_options_for_a_model_that_is_gone_are_for_nobody(repository):
    await repository.save_launch_options(99, LaunchOptions(port=9100))
    await repository.remove(99)
    assert await repository.launch_options(99) == LaunchOptions()


@pytest.mark.parametrize("stored", ["{broken", '{"mtp": "sometimes"}', '{"port": 80}', "[]", ""])
async def test_saved_options_that_cannot_be_read_give_way_to_the_defaults(repository, file, stored, caplog):
    model = await add(repository, Path("/m.gguf"), None, None)
    execute(file, "UPDATE models SET launch_options = ?", stored)
    assert await repository.launch_options(model.id) == LaunchOptions()
    assert "passed over the saved launch settings" in caplog.text


@pytest.mark.parametrize("stored", ["{broken", "{}", '{"name": "only"}', "[1]", "null"])
async def test_facts_that_cannot_be_read_are_unknown(repository, file, stored):
    model = await add(repository, Path("/m.gguf"), some_facts(), None)
    execute(file, "UPDATE models SET facts = ?", stored)
    assert await repository.models() == [replace(model, facts=None)]


async def test_everything_about_a_file_comes_back(repository, file):
    parts = (Path("/m-1.gguf"), Path(os.fsdecode(b"/\xff.gguf")))
    known = ModelFile(Path("/m-1.gguf"), some_facts(), "odd", 2**62, 2**62, "abc", True, parts, "label")
    (model,) = await repository.save([(None, known)])
    await repository.note_used(model.id, 5.5)
    again = await reopened(repository, file)
    (kept,) = await again.models()
    assert kept == replace(model, last_used=5.5)
    for name in ModelFile.__dataclass_fields__:
        assert getattr(kept, name) == getattr(known, name)


async def test_the_user_s_own_words_stay_whatever_becomes_of_the_file(repository, file):
    model = await add(repository, Path("/a.gguf"), some_facts(), None)
    assert (model.tags, model.notes) == ((), "")
    await repository.describe(model.id, ["Größe", 'a "tag"'], "two\nlines 日本")
    await repository.save([(model.id, ModelFile(Path("/b.gguf"), None, "broken", missing=True))])
    again = await reopened(repository, file)
    (kept,) = await again.models()
    assert (kept.path, kept.tags, kept.notes) == (Path("/b.gguf"), ("Größe", 'a "tag"'), "two\nlines 日本")
    await again.describe(model.id, [], "")
    assert [(each.tags, each.notes) for each in await again.models()] == [((), "")]


async def test_words_about_a_model_taken_off_the_list_come_back_with_it(repository, file):
    for path, words in (("/a.gguf", (["a"], "about a")), ("/b.gguf", ([], ""))):
        model = await add(repository, Path(path), some_facts(), None)
        await repository.describe(model.id, *words)
        await repository.remove(model.id)
    again = await reopened(repository, file)
    one, two = [await add(again, Path(path), None, None) for path in ("/a.gguf", "/b.gguf")]
    assert (one.tags, one.notes, two.tags, two.notes) == (("a",), "about a", (), "")
    await again.describe(one.id, ["new"], "")
    assert (await add(again, Path("/a.gguf"), some_facts(), None)).tags == ("new",)
    assert await again.passed_over() == []


async def test_words_that_are_no_text_are_refused(repository):
    model = await add(repository, Path("/m.gguf"), None, None)
    with pytest.raises(LibraryError, match="surrogates not allowed"):
        await repository.describe(model.id, ["half"], "\ud83d")


async def test_words_about_a_model_that_is_gone_are_refused(repository):
    with pytest.raises(LibraryError, match="not in the library any more"):
        await repository.describe(99, ["a"], "")


async def test_a_model_can_move(repository):
    (model,) = await repository.save([(None, ModelFile(Path("/a.gguf"), some_facts()))])
    await repository.save_launch_options(model.id, LaunchOptions(port=9100))
    (moved,) = await repository.save([(model.id, ModelFile(Path("/b.gguf"), some_facts()))])
    assert moved == replace(model, path=Path("/b.gguf"))
    assert await repository.launch_options(model.id) == LaunchOptions(port=9100)
    assert await repository.save([(99, ModelFile(Path("/c.gguf")))]) == []


async def test_saving_is_all_or_nothing(repository):
    (one, two) = await repository.save([(None, ModelFile(Path("/1.gguf"))), (None, ModelFile(Path("/2.gguf")))])
    with pytest.raises(LibraryError):
        await repository.save([(None, ModelFile(Path("/3.gguf"))), (one.id, ModelFile(one.path, problem="\ud800"))])
    assert await repository.models() == [one, two]


async def test_a_model_that_moves_takes_the_place_of_what_seemed_new(repository):
    (one, two) = await repository.save([(None, ModelFile(Path("/1.gguf"))), (None, ModelFile(Path("/2.gguf")))])
    (moved,) = await repository.save([(one.id, ModelFile(two.path))])
    assert (moved.id, moved.path) == (one.id, two.path)
    # A third scan may have begun before and know the other alone.
    assert await repository.save([(two.id, ModelFile(two.path))]) == []
    assert await repository.models() == [moved]


@pytest.mark.parametrize("said", ["chosen", "used", "described"])
async def test_a_model_about_which_something_was_said_keeps_its_place(repository, said):
    (one, two) = await repository.save([(None, ModelFile(Path("/1.gguf"))), (None, ModelFile(Path("/2.gguf")))])
    if said == "chosen":
        await repository.save_launch_options(two.id, LaunchOptions())
    elif said == "used":
        await repository.note_used(two.id, 1.0)
    else:
        await repository.describe(two.id, [], "mine")
    assert await repository.save([(one.id, ModelFile(two.path))]) == []
    assert [(model.id, model.path) for model in await repository.models()] == [(one.id, one.path), (two.id, two.path)]


async def test_folders_and_files_passed_over_come_back(repository, file):
    odd = Path(os.fsdecode(b"/\xff"))
    for folder in (odd, Path("/models"), odd):
        await repository.add_folder(folder)
    companion = PassedOver(Path("/mmproj.gguf"), False, 2**62, 2**62, "label")
    await repository.save([], [companion])
    model = await add(repository, odd, None, None)
    await repository.remove(model.id)
    again = await reopened(repository, file)
    assert await again.folders() == [odd, Path("/models")]
    assert set(await again.passed_over()) == {companion, PassedOver(odd, True)}
    await add(again, odd, None, None)
    await again.remove_folder(odd)
    assert await again.folders() == [Path("/models")]
    assert await again.passed_over() == [companion]


async def test_paused_folders_come_back_until_they_are_resumed_or_removed(repository, file):
    odd, plain, store = Path(os.fsdecode(b"/\xff")), Path("/models"), Path("/store")
    for folder in (odd, plain):
        await repository.add_folder(folder)
    for folder in (odd, plain, store, store):
        await repository.pause_folder(folder, True)
    again = await reopened(repository, file)
    assert set(await again.paused_folders()) == {odd, plain, store}
    assert await again.folders() == [odd, plain], "a store is no folder that somebody added"
    await again.pause_folder(store, False)
    await again.remove_folder(odd)
    assert await again.paused_folders() == [plain]


# -- versions of the file


async def test_a_new_file_has_the_newest_format(repository, file):
    await repository.models()
    assert execute(file, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert execute(file, "PRAGMA journal_mode") == [("wal",)]


async def test_an_empty_file_of_version_0_is_filled(repository, file):
    file.parent.mkdir(parents=True)
    execute(file, "CREATE TABLE something_else (x)")
    assert await repository.models() == []
    assert execute(file, "PRAGMA user_version") == [(len(MIGRATIONS),)]


async def test_each_older_format_keeps_its_models(repository, file):
    file.parent.mkdir(parents=True)
    with closing(sqlite3.connect(file)) as old:
        old.executescript(f"{MIGRATIONS[0]} PRAGMA user_version = 1;")
        old.execute("INSERT INTO models (path, added_at) VALUES ('/old.gguf', 12.5)")
        old.commit()
    (model,) = await repository.models()
    assert (model.path, model.added_at) == (Path("/old.gguf"), 12.5)


@pytest.mark.parametrize("version", range(len(MIGRATIONS)))
async def test_every_older_format_becomes_the_newest(repository, file, version):
    file.parent.mkdir(parents=True)
    with closing(sqlite3.connect(file)) as old:
        for script in MIGRATIONS[:version]:
            old.executescript(script)
        old.execute(f"PRAGMA user_version = {version}")
        if version:
            facts = json.dumps({name: getattr(some_facts(), name) for name in FACTS_OF_VERSION_1})
            options = LaunchOptions(port=9123).to_json()
            values = ("/old.gguf", facts, "odd", 12.5, options)
            old.execute(
                "INSERT INTO models (path, facts, problem, added_at, launch_options) VALUES (?, ?, ?, ?, ?)", values
            )
        old.commit()
    models = await repository.models()
    assert execute(file, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert await repository.folders() == await repository.passed_over() == []
    if version:
        (model,) = models
        assert model == Model(model.id, Path("/old.gguf"), some_facts(), "odd", 12.5)
        assert await repository.launch_options(model.id) == LaunchOptions(port=9123)


async def test_a_migration_that_fails_changes_nothing(repository, file):
    file.parent.mkdir(parents=True)
    with closing(sqlite3.connect(file)) as old:
        old.executescript(f"{MIGRATIONS[0]} PRAGMA user_version = 1; CREATE TABLE passed_over (x);")
    before = execute(file, "SELECT sql FROM sqlite_master ORDER BY name")
    with pytest.raises(LibraryError, match="already exists"):
        await repository.models()
    assert execute(file, "SELECT sql FROM sqlite_master ORDER BY name") == before
    assert execute(file, "PRAGMA user_version") == [(1,)]


async def test_a_newer_format_is_refused_and_left_alone(repository, file):
    file.parent.mkdir(parents=True)
    execute(file, "PRAGMA user_version = 999")
    before = file.read_bytes()
    for _time in range(2):
        with pytest.raises(LibraryError, match="newer version of this program"):
            await repository.models()
    assert file.read_bytes() == before


# -- a place that cannot be used


async def test_a_folder_in_its_place_is_said(repository, file):
    file.mkdir(parents=True)
    with pytest.raises(LibraryError, match="cannot be used"):
        await repository.models()


async def test_a_place_that_became_usable_is_used(repository, file):
    file.parent.parent.mkdir(exist_ok=True)
    file.parent.write_text("a file where the folder should be")
    with pytest.raises(LibraryError):
        await repository.models()
    file.parent.unlink()
    assert await repository.models() == []


async def test_closing_without_use_makes_no_file(file):
    await LibraryFile(file).aclose()
    assert not file.exists()


# -- death


_WRITER = """
import asyncio, sys
from pathlib import Path
from gglib_desktop.adapters.library.library_file import LibraryFile
from gglib_desktop.adapters.library.sqlite_models import SqliteModelRepository
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.models.model import ModelFile

async def main():
    repository = SqliteModelRepository(LibraryFile(Path(sys.argv[1])))
    for number in range(1_000_000):
        model = (await repository.save([(None, ModelFile(Path(f"/models/{number}.gguf")))]))[0]
        await repository.save_launch_options(model.id, LaunchOptions(context_size=number))
        print(model.id, number, flush=True)

asyncio.run(main())
"""


def what_a_killed_writer_said(file: Path) -> list[str]:
    """Whole lines of a program that saves and tells, until it is killed in the middle of it."""
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(file)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    first = [writer.stdout.readline() for _ in range(50)]
    os.kill(writer.pid, signal.SIGKILL)
    rest = writer.stdout.readlines()
    writer.stdout.close()
    writer.wait()
    return [line for line in first + rest if line.endswith("\n")]


async def test_a_killed_program_loses_nothing_that_was_saved(repository, file):
    said = await asyncio.to_thread(what_a_killed_writer_said, file)
    saved = {model.id: model.path for model in await repository.models()}
    assert len(said) >= 50
    for line in said:
        model_id, number = (int(word) for word in line.split())
        assert saved[model_id] == Path(f"/models/{number}.gguf")
        assert await repository.launch_options(model_id) == LaunchOptions(context_size=number)
    assert execute(file, "PRAGMA integrity_check") == [("ok",)]


# -- models belong to a place


def old_library(file: Path, version: int, models: int = 2) -> None:
    """As that version would have left it: the last model was removed, and a preset is for the first."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as old:
        old.executescript("PRAGMA journal_mode = WAL;" + "".join(MIGRATIONS[:version]))
        old.execute(f"PRAGMA user_version = {version}")
        facts = json.dumps({name: getattr(some_facts(), name) for name in FACTS_OF_VERSION_1})
        rows = ((f"/m/{number}.gguf", facts, float(number)) for number in range(models + 1))
        old.executemany("INSERT INTO models (path, facts, added_at) VALUES (?, ?, ?)", rows)
        old.execute("DELETE FROM models WHERE id = ?", (models + 1,))
        if version >= 4:
            old.execute("INSERT INTO presets (name, model_id, options) VALUES ('Long', 1, '{}')")
        old.commit()


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
async def test_models_of_every_earlier_version_are_of_this_computer(repository, file, version):
    old_library(file, version)
    before = execute(file, "SELECT id, path, facts, added_at FROM models")
    models = await repository.models()
    assert [(model.id, model.path, model.place) for model in models] == [
        (1, Path("/m/0.gguf"), "local"),
        (2, Path("/m/1.gguf"), "local"),
    ]
    (new,) = await repository.save([(None, ModelFile(Path("/new.gguf")))])
    assert new.id == 4, "ids are never used again"
    kept = file.with_name(f"{file.name}.format-{version}")
    assert execute(kept, "SELECT id, path, facts, added_at FROM models") == before
    assert execute(kept, "PRAGMA user_version") == [(version,)]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    execute(file, "DELETE FROM models WHERE id = 1")
    assert execute(file, "SELECT count(*) FROM presets") == [(0,)], "presets go with their model"


@pytest.mark.parametrize("version", [1, 5, len(MIGRATIONS) - 1])
async def test_a_program_that_is_killed_while_it_updates_the_library_loses_nothing(tmp_path, version):
    whole, killed = tmp_path / "whole.sqlite", tmp_path / "killed" / "library.sqlite"
    old_library(whole, version)
    killed.parent.mkdir()
    # What lies on the disk in the middle of the transaction, and of the copy.
    with closing(sqlite3.connect(whole, isolation_level=None)) as dying:
        dying.execute("PRAGMA cache_spill = 1")
        dying.execute("PRAGMA cache_size = 1")
        dying.execute("BEGIN IMMEDIATE")
        statement = ""
        for line in "".join(MIGRATIONS[version:]).splitlines():
            statement += f"{line}\n"
            if sqlite3.complete_statement(statement):
                dying.execute(statement)
                statement = ""
        for ending in ("", "-wal"):
            shutil.copy(f"{whole}{ending}", f"{killed}{ending}")
    killed.with_name(f"{killed.name}.format-{version}.tmp").write_bytes(b"half of it")
    repository = SqliteModelRepository(LibraryFile(killed))
    assert [model.id for model in await repository.models()] == [1, 2]
    assert execute(killed, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert not killed.with_name(f"{killed.name}.format-{version}.tmp").exists()
    await repository.file.aclose()


async def test_the_same_path_at_two_places_is_two_models(repository):
    path = Path("/srv/models/tiny.gguf")
    (here,) = await repository.save([(None, ModelFile(path))])
    (there,) = await repository.save([(None, ModelFile(path, problem="odd"))], place="attic")
    assert (here.place, there.place) == ("local", "attic")
    assert [(model.id, model.problem) for model in await repository.models()] == [(here.id, None), (there.id, "odd")]
    (again,) = await repository.save([(None, ModelFile(path))], place="attic")
    assert again.id == there.id
    await repository.remove(there.id)
    assert await repository.passed_over() == [], "scans look at this computer only"
    await repository.remove(here.id)
    assert [file.path for file in await repository.passed_over()] == [path]
    assert await repository.bring_back(path) == here
