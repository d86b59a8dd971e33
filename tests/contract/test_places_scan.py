"""Folders of another computer in the library, over a real ssh."""

import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copyfile
from typing import TypeAlias

import psutil
import pytest

from gglib_desktop.adapters.library.library_file import LibraryFile
from gglib_desktop.adapters.library.model_files import DiskModelFiles
from gglib_desktop.adapters.library.model_reading import read_model
from gglib_desktop.adapters.library.placed_files import PlacedModelFiles
from gglib_desktop.adapters.library.sqlite_models import SqliteModelRepository
from gglib_desktop.adapters.places.ssh.model_files import SshModelFiles
from gglib_desktop.adapters.runner.machines import ssh_machine
from gglib_desktop.domain.documents.settings import PlaceSettings
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.models.scan import FoundModel
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.models.places_scan import PlacesScan
from gglib_desktop.tasks import LogReporter, TaskScope
from tests.fakes.processes import kill
from tests.fakes.sshd import Sshd
from tests.fakes.waiting import poll

Copied: TypeAlias = Callable[[Path], Path]
_ODD = 'it\'s "a"\nmodel.gguf'


@dataclass
class Scanned:
    library: Library
    scan: PlacesScan
    files: SshModelFiles
    settings: dict[str, PlaceSettings]

    def models(self) -> dict[Path, Model]:
        return {model.path: model for model in self.library.models}


@pytest.fixture
def there(tmp_path: Path) -> Path:
    folder = tmp_path / "there"
    folder.mkdir()
    return folder


@pytest.fixture
def copied(tiny_model: Path) -> Copied:
    return lambda path: Path(copyfile(tiny_model, path))


@pytest.fixture
async def scanned(sshd: Sshd, tmp_path: Path, there: Path) -> AsyncIterator[Scanned]:
    repository = SqliteModelRepository(LibraryFile(tmp_path / "library.sqlite"))
    library = Library(repository, DiskModelFiles(tmp_path / "models"))
    await library.load()
    settings = {"box": PlaceSettings(url="ssh://box", folders=(str(there),))}
    machine = ssh_machine("ssh://box", "", str(sshd.config), os.environ)
    async with TaskScope(LogReporter()) as scope:
        scan = PlacesScan(library, lambda: settings, PlacedModelFiles, scope)
        yield Scanned(library, scan, SshModelFiles(machine), settings)
    await machine.aclose()
    await repository.file.aclose()


async def test_models_there_are_listed_with_the_same_facts(scanned: Scanned, there: Path, copied: Copied) -> None:
    paths = [copied(there / name) for name in ("plain.gguf", "-x.GGUF", _ODD)]
    (there / "hidden").mkdir()
    paths.append(copied(there / "hidden" / ".m.gguf"))
    (there / "hidden" / "up").symlink_to(there)
    (there / "link.gguf").symlink_to(there / "plain.gguf")
    (there / "broken.gguf").write_bytes(b"GGUF")
    scanned.scan.follow("box", scanned.files)
    await poll(lambda: len(scanned.models()) == len(paths) + 1)
    models = scanned.models()
    assert {model.place for model in models.values()} == {"box"}
    for path in paths:
        stat = path.stat()
        here = read_model(FoundModel(path, (path,), (stat.st_size, stat.st_mtime_ns)))
        assert {name: getattr(models[path], name) for name in here.__dataclass_fields__} == vars(here)
    assert models[there / "broken.gguf"].problem


async def test_what_is_gone_is_missing_and_what_has_not_changed_is_not_read(
    scanned: Scanned, there: Path, copied: Copied
) -> None:
    stays, goes = copied(there / "stays.gguf"), copied(there / "goes.gguf")
    os.truncate(goes, goes.stat().st_size - 1)
    scanned.scan.follow("box", scanned.files)
    await poll(lambda: len(scanned.models()) == 2)
    before = scanned.models()[stays]
    goes.unlink()
    read: list[Path] = []
    files = scanned.files.read

    async def counted(path: Path, offset: int, count: int) -> bytes:
        read.append(path)
        return await files(path, offset, count)

    scanned.files.read = counted  # type: ignore[method-assign]
    scanned.scan.look()
    await poll(lambda: scanned.models()[goes].missing)
    assert scanned.models()[stays] == before
    assert read == []


async def test_folders_are_scanned_when_they_are_named_and_not_while_the_computer_is_away(
    scanned: Scanned, there: Path, sshd: Sshd, copied: Copied
) -> None:
    path = copied(there / "one.gguf")
    named = scanned.settings["box"]
    scanned.settings["box"] = replace(named, folders=())
    scanned.scan.follow("box", scanned.files)
    assert not scanned.models()
    scanned.settings["box"] = named
    scanned.scan.settings_changed()
    await poll(lambda: path in scanned.models())
    before = scanned.models()
    connections = psutil.Process(sshd.pid).children()
    sshd.kill()
    kill(connections)
    await poll(lambda: scanned.files.is_lost)
    path.unlink()
    scanned.scan.look()
    assert scanned.models() == before
    sshd.start()
    await poll(lambda: scanned.models()[path].missing)
