"""Presets beside the models in one file."""

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gglib_desktop.adapters.library.library_file import LibraryFile
from gglib_desktop.adapters.library.sqlite_models import SqliteModelRepository
from gglib_desktop.adapters.library.sqlite_presets import SqlitePresetStore
from gglib_desktop.domain.errors import LibraryError
from gglib_desktop.domain.launch.options import LaunchOptions, MtpChoice
from gglib_desktop.domain.launch.presets import Preset
from gglib_desktop.domain.models.model import ModelFile

CODING = Preset("coding", LaunchOptions(context_size=8192, mtp=MtpChoice.ON, extra_args=("--tags", "é")))


@pytest.fixture
async def repository(data_dir: Path) -> AsyncIterator[SqliteModelRepository]:
    repository = SqliteModelRepository(LibraryFile(data_dir / "library.sqlite"))
    yield repository
    await repository.file.aclose()


@pytest.fixture
def store(repository: SqliteModelRepository) -> SqlitePresetStore:
    return SqlitePresetStore(repository.file)


@pytest.fixture
async def model_id(repository: SqliteModelRepository) -> int:
    (model,) = await repository.save([(None, ModelFile(Path("/m/tiny.gguf")))])
    return model.id


async def test_what_is_saved_comes_back_also_after_a_restart(store, repository, model_id, data_dir):
    saved = await store.save([CODING, replace(CODING, model_id=model_id)])
    assert [each.id is not None for each in saved] == [True, True]
    again = SqliteModelRepository(LibraryFile(data_dir / "library.sqlite"))
    assert list(await SqlitePresetStore(again.file).presets(model_id)) == list(saved)
    await again.file.aclose()


async def test_a_model_has_its_own_and_those_for_all(store, model_id):
    common, own, others = await store.save(
        [replace(CODING, model_id=scope) for scope in (None, model_id, model_id + 1)]
    )
    assert set(await store.presets(model_id)) == {common, own}
    assert await store.presets(None) == [common]
    assert set(await store.presets(model_id + 1)) == {common, others}


async def test_changing_and_deleting(store):
    (saved,) = await store.save([CODING])
    changed = replace(saved, name="chat", options=LaunchOptions(parallel=1))
    assert list(await store.save([changed])) == [changed]
    assert await store.presets(None) == [changed]
    await store.delete(changed.id)
    assert await store.presets(None) == []


async def test_several_are_saved_together_or_not_at_all(store):
    with pytest.raises(LibraryError):
        await store.save([replace(CODING, name="chat"), CODING, CODING])
    assert await store.presets(None) == []


async def test_the_last_used_one_is_remembered_for_each_model(store, repository, model_id):
    (saved,) = await store.save([CODING])
    assert await store.last_used(model_id) is None
    await store.note_used(model_id, saved.id)
    assert await store.last_used(model_id) == saved.id
    await store.note_used(model_id, None)
    assert await store.last_used(model_id) is None
    assert await store.last_used(99) is None


async def test_a_models_presets_come_back_with_it(store, repository, model_id):
    presets = await store.save([CODING, replace(CODING, model_id=model_id)])
    (model,) = await repository.models()
    await repository.remove(model_id)
    await repository.bring_back(model.path)
    assert await store.presets(model_id) == list(presets)


async def test_what_another_version_stored_is_passed_over(store, repository, caplog):
    (saved,) = await store.save([CODING])
    (other,) = await store.save([replace(CODING, name="other")])
    statement = 'UPDATE presets SET options = \'{"context_size": "much"}\' WHERE id = ?'
    await repository.file.execute(statement, (other.id,))
    with caplog.at_level(logging.WARNING):
        assert await store.presets(None) == [saved]
    assert "other" in caplog.text
