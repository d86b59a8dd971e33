"""What the program makes is for its user alone, whatever the user's mask says, and what earlier versions made too."""

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from gglib_desktop import startup
from gglib_desktop.adapters.documents.preset_files import TomlPresetFiles
from gglib_desktop.adapters.documents.toml_settings import TomlSettingsStore
from gglib_desktop.adapters.files import private
from gglib_desktop.adapters.files.text_files import DiskTextFiles
from gglib_desktop.adapters.gguf.demo_model import DemoSpec, write_demo_model
from gglib_desktop.adapters.keys.key_store import KeyFile
from gglib_desktop.adapters.library.library_file import LibraryFile
from gglib_desktop.adapters.library.sqlite_models import SqliteModelRepository
from gglib_desktop.adapters.machine.log_files import LogFolder
from gglib_desktop.adapters.machine.single_instance import SingleInstance
from gglib_desktop.adapters.records.data_lock import DataLock
from gglib_desktop.adapters.records.record_store import RecordStore
from gglib_desktop.adapters.runner.simulated import MockRunner
from gglib_desktop.domain.documents.settings import AppSettings, Theme
from gglib_desktop.domain.models.model import ModelFile
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.program_paths import Places

RUN = "20261130-154700-tiny-0123abcd"
RECORD = ServerRecord(RUN, ServerConfig(1, "Tiny", Path("/m/tiny.gguf"), 9000), 9000, "llama-server")


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def mask(request) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def open_to_others(folder: Path) -> dict[str, str]:
    """What others may do anything with, by name."""
    modes = {path: mode_of(path) for path in (folder, *folder.rglob("*")) if not path.is_symlink()}
    assert all(mode & 0o600 == 0o600 for mode in modes.values())
    return {str(path.relative_to(folder)): oct(mode) for path, mode in modes.items() if mode & 0o077}


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


# -- what is made now


def test_records_and_logs_are_private(mask, tmp_path):
    records, logs = RecordStore(tmp_path / "new/data/servers"), LogFolder(tmp_path / "new/data/logs")
    records.write(RECORD)
    records.rewrite(RECORD.replace(port=9001))
    os.close(logs.open_for_append(RUN))
    (tmp_path / f"new/data/servers/{RUN}.tmp").touch(0o666)
    records.write(RECORD)
    assert open_to_others(tmp_path / "new") == {}
    records.set_aside(RUN)
    assert open_to_others(tmp_path / "new") == {}
    assert files_in(tmp_path / "new") == {f"data/servers/{RUN}.unreadable", f"data/logs/{RUN}.log"}


async def test_the_library_is_private_with_what_sqlite_puts_beside_it(mask, tmp_path):
    repository = SqliteModelRepository(LibraryFile(tmp_path / "data/library.sqlite"))
    await repository.save([(None, ModelFile(Path("/m/tiny.gguf")))])
    assert files_in(tmp_path / "data") == {"library.sqlite", "library.sqlite-wal", "library.sqlite-shm"}
    assert open_to_others(tmp_path / "data") == {}
    await repository.file.aclose()
    assert open_to_others(tmp_path / "data") == {}


def test_settings_are_private(mask, tmp_path):
    store = TomlSettingsStore(tmp_path / "config/gglib/settings.toml")
    store.create()
    assert open_to_others(tmp_path / "config") == {}
    (tmp_path / "config/gglib/settings.toml.tmp").touch(0o666)
    store.save(AppSettings(), AppSettings(theme=Theme.DARK))
    assert open_to_others(tmp_path / "config") == {}
    assert files_in(tmp_path / "config") == {"gglib/settings.toml"}


async def test_the_socket_and_the_lock_are_private(mask, tmp_path):
    data_dir = tmp_path / "data"
    lock, instance = DataLock(data_dir), SingleInstance(data_dir)
    lock.acquire()
    await instance.listen(lambda _paths: None)
    assert files_in(data_dir) == {"lock", "app.socket"}
    assert open_to_others(data_dir) == {}
    await instance.aclose()
    lock.release()


async def test_simulated_servers_the_key_and_the_demo_model_are_private(mask, tmp_path):
    data_dir = tmp_path / "data"
    KeyFile(data_dir / "api-key").write("k" * 32)
    write_demo_model(data_dir / "models/demo-model-F32.gguf", DemoSpec())
    async with MockRunner(data_dir) as runner:
        await runner.start(ServerConfig(1, "Tiny", data_dir / "models/demo-model-F32.gguf", 9000))
        assert open_to_others(data_dir) == {}
        assert any(name.startswith("servers/") for name in files_in(data_dir))


def test_the_programs_log_is_private_also_when_it_is_rotated(mask, tmp_path):
    handler = startup._LogFile(tmp_path / "app.log", maxBytes=40, backupCount=2, encoding="utf-8")
    for number in range(5):
        handler.emit(logging.makeLogRecord({"msg": f"line {number} " * 4}))
    handler.close()
    tmp_path.chmod(0o700)
    assert files_in(tmp_path) == {"app.log", "app.log.1", "app.log.2"}
    assert open_to_others(tmp_path) == {}


def test_a_file_that_people_export_is_as_their_mask_says(mask, tmp_path):
    TomlPresetFiles().write(tmp_path / "presets.toml", [])
    DiskTextFiles().write(tmp_path / "start.sh", "llama-server\n", executable=True)
    assert mode_of(tmp_path / "presets.toml") == 0o666 & ~mask
    assert mode_of(tmp_path / "start.sh") == 0o777 & ~mask


# -- what earlier versions made

OLD = (
    *("library.sqlite", "library.sqlite-wal", "library.sqlite.unreadable", "requests.sqlite", "requests.sqlite-wal"),
    *("app.log", "app.log.1", "settings.toml"),
    *("window.ini", "lock", "mock-servers.json", "models/demo-model-F32.gguf"),
    *(f"servers/{RUN}.json", f"servers/{RUN}.unreadable", f"logs/{RUN}.log"),
)


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("kept")
        path.chmod(0o644)
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)


def close(data_dir: Path, *own: Path) -> list[str]:
    return private.close_to_others(data_dir, [data_dir / "settings.toml"], own)


def test_what_earlier_versions_made_is_closed_to_others(tmp_path):
    data_dir = tmp_path / "data"
    make(data_dir, *OLD)
    assert close(data_dir, data_dir) == []
    assert open_to_others(data_dir) == {}
    assert {path.read_text() for path in data_dir.rglob("*") if path.is_file()} == {"kept"}


def test_a_chosen_data_directory_is_not_changed_and_nothing_else_in_it(tmp_path):
    others = ("notes.txt", "app.log.old", "logs/nginx.log", "servers.json", "models/mine.gguf", "servers/list.json")
    make(tmp_path, *OLD, *others)
    assert close(tmp_path) == []
    assert set(open_to_others(tmp_path)) == {".", "logs", "models", "servers", *others}


def test_links_are_not_followed(tmp_path):
    elsewhere, data_dir = tmp_path / "elsewhere", tmp_path / "data"
    make(elsewhere, "settings.toml", "app.log", f"{RUN}.log", "twin")
    make(data_dir, "window.ini")
    (data_dir / "settings.toml").symlink_to(elsewhere / "settings.toml")
    (data_dir / "app.log").symlink_to(elsewhere / "app.log")
    (data_dir / "logs").symlink_to(elsewhere)
    (data_dir / "library.sqlite").hardlink_to(elsewhere / "twin")
    (tmp_path / "linked").symlink_to(elsewhere)
    assert close(data_dir, data_dir, tmp_path / "linked") == []
    assert set(open_to_others(elsewhere)) == {".", "settings.toml", "app.log", f"{RUN}.log", "twin"}
    assert open_to_others(data_dir).keys() == {"library.sqlite"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_other_users_files_are_not_touched(tmp_path):
    make(tmp_path, "app.log", "window.ini")
    os.chown(tmp_path / "app.log", 65534, 65534)
    assert close(tmp_path) == []
    assert mode_of(tmp_path / "app.log") == 0o644
    assert mode_of(tmp_path / "window.ini") == 0o600


def test_what_cannot_be_changed_is_said_and_the_rest_is_changed(tmp_path, monkeypatch):
    make(tmp_path, "settings.toml", "window.ini")
    change = os.fchmod

    def refuse_settings(descriptor: int, mode: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == "settings.toml":
            raise PermissionError(1, "Operation not permitted")
        change(descriptor, mode)

    monkeypatch.setattr(os, "fchmod", refuse_settings)
    assert close(tmp_path) == [f"{tmp_path / 'settings.toml'}: Operation not permitted"]
    assert mode_of(tmp_path / "window.ini") == 0o600


@pytest.mark.parametrize("closed", ["others'", "ours, closed"])
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_cannot_be_opened_is_said_only_where_it_is_ours_and_open_to_others(tmp_path, monkeypatch, closed):
    """A program that once ran as root has left files that this user may not read."""
    make(tmp_path, "app.log", "window.ini")
    if closed == "others'":
        os.chown(tmp_path / "app.log", 65534, 65534)
    else:
        (tmp_path / "app.log").chmod(0o200)

    def refuse(path: Path, flags: int) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert close(tmp_path) == [f"{tmp_path / 'window.ini'}: Permission denied"]


@pytest.mark.parametrize("name", ["n" * 300, "file/below"])
def test_nothing_is_said_of_what_cannot_be_looked_at(tmp_path, name):
    (tmp_path / "file").touch()
    assert close(tmp_path / name, tmp_path / name) == []


def test_without_anything_made_there_is_nothing_to_say(tmp_path):
    assert close(tmp_path / "data", tmp_path / "data") == []


def test_only_the_programs_own_folders_are_changed_themselves(monkeypatch, tmp_path):
    monkeypatch.delenv("GGLIB_DATA_DIR", raising=False)
    for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    own = Places.of_this_user().own_folders
    assert {folder.parts[-1] for folder in own} <= {"gglib-desktop", "log"}
    assert Places.of_this_user().data_dir in own
    monkeypatch.setenv("GGLIB_DATA_DIR", str(tmp_path))
    assert Places.of_this_user().own_folders == ()
