"""Presets of a model and of all, and files of them."""

from pathlib import Path

import pytest

from gglib_desktop.adapters.documents.preset_files import TomlPresetFiles
from gglib_desktop.adapters.library.sqlite_presets import SqlitePresetStore
from gglib_desktop.domain.documents.preset_file import ImportedPresets
from gglib_desktop.domain.errors import ConfigurationError, PresetFileError
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.services.launch.presets import Presets
from tests.fakes.library import some_facts

LONG, SHORT = LaunchOptions(context_size=131072), LaunchOptions(context_size=2048)


@pytest.fixture
def presets(repository) -> Presets:
    return Presets(SqlitePresetStore(repository.file), TomlPresetFiles())


@pytest.fixture
async def model_id(library, files) -> int:
    (model,) = await library.add([files.make("tiny.gguf", some_facts("Tiny"))])
    return int(model.id)


async def names(presets: Presets, model_id: int | None) -> list[str]:
    return [each.name for each in await presets.listed(model_id)]


async def test_a_models_own_come_first_each_by_name(presets, model_id):
    for name, scope in (("zeta", None), ("Beta", None), ("alpha", None), ("own b", model_id), ("Own a", model_id)):
        await presets.create(name, LONG, scope)
    assert await names(presets, model_id) == ["Own a", "own b", "alpha", "Beta", "zeta"]
    assert await names(presets, None) == ["alpha", "Beta", "zeta"]


async def test_a_name_is_unique_among_those_of_one_model(presets, model_id):
    await presets.create("coding", LONG, None)
    await presets.create("coding", SHORT, model_id)
    for scope in (None, model_id):
        with pytest.raises(ConfigurationError, match="another preset has this name"):
            await presets.create("Coding", LONG, scope)
    assert await names(presets, model_id) == ["coding", "coding"]


async def test_updating_keeps_the_name_and_renaming_the_options(presets):
    coding = await presets.create("coding", LONG, None)
    coding = await presets.update(coding, SHORT)
    renamed = await presets.rename(coding, " Coding ")
    assert (renamed.name, renamed.options, renamed.id) == ("Coding", SHORT, coding.id)
    assert await presets.listed(None) == (renamed,)
    await presets.create("chat", LONG, None)
    with pytest.raises(ConfigurationError, match="another preset"):
        await presets.rename(renamed, "chat")
    with pytest.raises(ConfigurationError, match="empty"):
        await presets.rename(renamed, "")
    with pytest.raises(ConfigurationError, match="no place for a key"):
        await presets.update(renamed, LaunchOptions(extra_args=("--api-key=x",)))
    assert await names(presets, None) == ["chat", "Coding"]


async def test_the_last_used_one_is_known_as_long_as_it_is_there(presets, model_id):
    assert await presets.last_used(model_id) is None
    coding = await presets.create("coding", LONG, None)
    await presets.note_used(model_id, coding)
    assert await presets.last_used(model_id) == coding
    await presets.delete(coding)
    assert await presets.last_used(model_id) is None
    await presets.note_used(model_id, None)
    assert await presets.last_used(model_id) is None


# -- files


async def test_what_is_exported_can_be_imported_elsewhere(presets, model_id, tmp_path):
    own = await presets.create("own", LONG, model_id)
    common = await presets.create("common", SHORT, None)
    file = tmp_path / "presets.toml"
    await presets.export(file, [own, common], "Tiny")
    assert 'model = "Tiny"' in file.read_text()
    assert list(tmp_path.glob("*.part")) == []
    for each in (own, common):
        await presets.delete(each)

    imported = await presets.import_from(file, model_id)
    assert [(each.name, each.options, each.model_id) for each in imported.added] == [
        ("own", LONG, model_id),
        ("common", SHORT, None),
    ]
    assert set(await presets.listed(model_id)) == set(imported.added)


async def test_importing_changes_nothing_that_is_there(presets, model_id, tmp_path):
    file = tmp_path / "presets.toml"
    coding = await presets.create("coding", LONG, None)
    await presets.export(file, [coding], None)
    assert await presets.import_from(file, model_id) == ImportedPresets(same=("coding",))
    await presets.update(coding, SHORT)
    imported = await presets.import_from(file, model_id)
    assert [each.name for each in imported.added] == ["coding (2)"]
    assert {(each.name, each.options) for each in await presets.listed(None)} == {
        ("coding", SHORT),
        ("coding (2)", LONG),
    }


async def test_two_of_a_file_may_have_one_name(presets, tmp_path):
    file = tmp_path / "presets.toml"
    file.write_text("format = 1\n[[preset]]\nname = 'a'\noptions.parallel = 1\n[[preset]]\nname = 'A'\n")
    imported = await presets.import_from(file, None)
    assert [each.name for each in imported.added] == ["a", "A (2)"]


async def test_unknown_keys_are_told(presets, tmp_path):
    file = tmp_path / "presets.toml"
    file.write_text("format = 1\n[[preset]]\nname = 'a'\noptions.paralel = 1\n")
    imported = await presets.import_from(file, None)
    assert [(each.key, each.line, each.nearest) for each in imported.unknown] == [
        ("preset.options.paralel", 4, "parallel")
    ]


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"format = 1\n[[preset]]\nname = \n", 3, "Invalid value: name ="),
        (b"format = 1\n\xff\xfe\n", 2, "is not UTF-8 text"),
        (b"# " + b"x" * 2**20, None, "is too large"),
        (
            b"format = 1\n[[preset]]\nname = 'good'\n[[preset]]\nname = 'bad'\noptions.parallel = 'x'\n",
            6,
            "whole number",
        ),
    ],
)
async def test_a_bad_file_changes_nothing(presets, tmp_path, content, line, reason):
    file = tmp_path / "presets.toml"
    file.write_bytes(content)
    with pytest.raises(PresetFileError, match=reason) as caught:
        await presets.import_from(file, None)
    assert caught.value.problems[0].line == line
    assert caught.value.path == file
    assert await presets.listed(None) == ()


async def test_files_that_cannot_be_read_or_written(presets, tmp_path):
    with pytest.raises(PresetFileError, match="No such file"):
        await presets.import_from(tmp_path / "none.toml", None)
    with pytest.raises(PresetFileError, match="directory"):
        await presets.import_from(tmp_path, None)
    coding = await presets.create("coding", LONG, None)
    with pytest.raises(PresetFileError, match="cannot be written"):
        await presets.export(tmp_path / "no folder" / "presets.toml", [coding], None)
    there = tmp_path / "there"
    (there / "x").mkdir(parents=True)
    with pytest.raises(PresetFileError, match="cannot be written"):
        await presets.export(there, [coding], None)
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


async def test_a_path_that_is_no_text_is_told_before_anything_is_written(presets, tmp_path):
    odd = await presets.create("odd", LaunchOptions(chat_template_file=Path("/t/\udcff.jinja")), None)
    file = tmp_path / "presets.toml"
    with pytest.raises(PresetFileError, match="no text"):
        await presets.export(file, [odd], None)
    assert list(tmp_path.glob("*.toml")) == []
