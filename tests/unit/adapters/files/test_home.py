"""A user without a home folder: no HOME, and no entry in the system's list of users."""

import os
import stat
from pathlib import Path

import pytest

from gglib_desktop.adapters.files.home import folder_without_home, home_folder
from gglib_desktop.adapters.library.model_files import well_known_stores
from gglib_desktop.program_paths import Places
from tests.fakes.ports import some_base_port


@pytest.fixture
def name():
    name = f"gglib-test-{os.getpid()}-{some_base_port()}"
    yield name
    for folder in (Path("/var/tmp"), Path("/tmp")):
        path = folder / f"{name}-{os.getuid()}"
        if path.is_symlink():
            path.unlink()
        elif path.is_dir():
            path.rmdir()


def refuse_writing(monkeypatch, folder: Path) -> None:
    """Also to root, to whom the system refuses nothing."""
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != folder and access(path, mode))


def test_no_home_is_none(homeless, monkeypatch):
    assert home_folder() is None
    monkeypatch.setenv("HOME", "somewhere")
    assert home_folder() is None, "not an absolute path"
    monkeypatch.setenv("HOME", "")
    assert home_folder() is None
    monkeypatch.setenv("HOME", "/home/me")
    assert home_folder() == Path("/home/me")


def test_without_a_home_things_are_kept_where_they_last_for_this_user_alone(homeless):
    places = Places.of_this_user()
    assert places == Places.of_this_user(), "servers are found again"
    assert places.data_dir.is_absolute()
    assert stat.S_IMODE(places.data_dir.stat().st_mode) == 0o700
    assert places.settings.is_relative_to(places.data_dir)
    assert places.log.is_relative_to(places.data_dir)
    if not any(places.data_dir.iterdir()):
        places.data_dir.rmdir()


def test_with_xdg_folders_and_no_home_those_are_used(homeless, monkeypatch, tmp_path):
    for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    places = Places.of_this_user()
    assert places.data_dir == tmp_path / "XDG_DATA_HOME" / "gglib-desktop"
    assert places.settings == tmp_path / "XDG_CONFIG_HOME" / "gglib-desktop" / "settings.toml"


@pytest.mark.parametrize("kind", ["missing", "file", "dangling link", "not ours"])
def test_a_home_that_cannot_hold_things_counts_as_none(homeless, monkeypatch, tmp_path, kind):
    """Missing is that of a service's user, which only root could make."""
    outer, home = tmp_path / "outer", tmp_path / "outer" / "home"
    outer.mkdir()
    if kind == "file":
        home.touch()
    elif kind == "dangling link":
        home.symlink_to(tmp_path / "gone")
    elif kind == "not ours":
        home.mkdir()
    if kind in ("missing", "not ours"):
        refuse_writing(monkeypatch, outer if kind == "missing" else home)
    monkeypatch.setenv("HOME", str(home))
    places = Places.of_this_user()
    assert not places.data_dir.is_relative_to(tmp_path)
    assert places.settings.is_relative_to(places.data_dir)
    if not any(places.data_dir.iterdir()):
        places.data_dir.rmdir()


def test_a_home_that_can_be_made_is_used(homeless, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "new" / "home"))
    assert Places.of_this_user().data_dir.is_relative_to(tmp_path / "new" / "home")


def test_what_is_there_already_is_kept_although_it_cannot_be_written(homeless, monkeypatch, tmp_path):
    """Such as on a disk that the system has made read-only: the library must not seem to be lost."""
    folder = tmp_path / ".local" / "share" / "gglib-desktop"
    folder.mkdir(parents=True)
    refuse_writing(monkeypatch, folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Places.of_this_user().data_dir == folder


@pytest.mark.parametrize("named", ["~/data", "~nobody-of-this-name/data"])
def test_a_data_directory_below_an_unknown_home_is_a_sentence(homeless, monkeypatch, named):
    monkeypatch.setenv("GGLIB_DATA_DIR", named)
    with pytest.raises(SystemExit, match=f"GGLIB_DATA_DIR is {named}, but no home folder is known"):
        Places.of_this_user()


def test_without_a_home_no_folder_of_the_name_tilde_is_scanned(homeless):
    assert well_known_stores({}) == (Path("/usr/share/ollama/.ollama/models"),)


@pytest.mark.parametrize("taken", ["link", "open to others", "file"])
def test_a_folder_that_is_not_ours_alone_is_not_used(name, tmp_path, taken):
    """Anyone can make files in the folder for temporary files, and wait for this user."""
    planted = Path("/var/tmp") / f"{name}-{os.getuid()}"
    if taken == "link":
        planted.symlink_to(tmp_path)
    elif taken == "file":
        planted.touch()
    else:
        planted.mkdir()
        planted.chmod(0o777)
    folder = folder_without_home(name)
    assert folder not in {planted, tmp_path}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    if taken == "file":
        planted.unlink()
