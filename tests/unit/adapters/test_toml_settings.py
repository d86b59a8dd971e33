"""The settings file belongs to the person: what they wrote stays, and what is wrong is said and left alone."""

from pathlib import Path

import pytest

from gglib_desktop.adapters.toml_settings import TomlSettingsStore
from gglib_desktop.domain.errors import SettingsError
from gglib_desktop.domain.settings import AppSettings, OnQuit, Theme


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.toml"


@pytest.fixture
def store(file) -> TomlSettingsStore:
    return TomlSettingsStore(file)


def write(file: Path, text: str | bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())


def test_without_a_file_there_are_defaults_and_none_is_made(store, file):
    assert store.load() == AppSettings()
    assert not file.exists()


@pytest.mark.parametrize(
    "settings",
    [
        AppSettings(),
        AppSettings(engine_path=Path("/opt/ä b/llama-server"), base_port=9100, stop_grace_s=2.5),
        AppSettings(on_quit=OnQuit.LEAVE_RUNNING, theme=Theme.DARK),
    ],
)
def test_what_is_saved_is_loaded(store, file, settings):
    store.save(settings)
    assert store.load() == settings
    assert TomlSettingsStore(file).load() == settings
    assert [path.name for path in file.parent.iterdir()] == ["settings.toml"]


def test_a_new_file_says_what_it_is(store, file):
    store.save(AppSettings(theme=Theme.DARK))
    assert file.read_text().startswith("# Settings of GGLib Desktop.")


def test_an_absent_key_has_its_default(store, file):
    write(file, "base_port = 9100\n")
    assert store.load() == AppSettings(base_port=9100)


def test_comments_order_and_unknown_keys_survive(store, file):
    write(
        file,
        '# mine\nfuture_setting = "kept"  # of a newer version\n\ntheme = "dark"  # easy on the eyes\n'
        "base_port = 9_000\n\n[plugin]\nx = [1, 2]\n",
    )
    store.save(store.load().replace(base_port=9100, stop_grace_s=7.5))
    text = file.read_text()
    for line in (
        "# mine",
        'future_setting = "kept"  # of a newer version',
        'theme = "dark"  # easy on the eyes',
        "[plugin]",
        "x = [1, 2]",
    ):
        assert line in text.splitlines()
    assert store.load() == AppSettings(theme=Theme.DARK, base_port=9100, stop_grace_s=7.5)


def test_values_that_did_not_change_stay_as_they_were_written(store, file):
    write(file, "base_port = 9_050\nstop_grace_s = 5\n")
    store.save(store.load().replace(theme=Theme.DARK))
    assert "base_port = 9_050" in file.read_text()
    assert "stop_grace_s = 5\n" in file.read_text()


def test_an_engine_that_is_no_longer_set_leaves_the_file(store, file):
    store.save(AppSettings(engine_path=Path("/opt/llama-server")))
    store.save(AppSettings())
    assert "engine_path" not in file.read_text()
    assert store.load().engine_path is None


def test_a_broken_file_is_said_with_its_line_and_left_alone(store, file):
    broken = "# mine\nbase_port = 9100\ntheme = dark\n"
    write(file, broken)
    with pytest.raises(SettingsError, match=r"settings\.toml.*line 3"):
        store.load()
    with pytest.raises(SettingsError, match="not saved"):
        store.save(AppSettings(theme=Theme.LIGHT))
    assert file.read_text() == broken
    assert [path.name for path in file.parent.iterdir()] == ["settings.toml"]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('base_port = "9100"', "base_port"),
        ("base_port = 80", "base_port"),
        ("base_port = 9100.5", "base_port"),
        ("stop_grace_s = true", "stop_grace_s"),
        ("stop_grace_s = nan", "stop_grace_s"),
        ('theme = "purple"', "theme"),
        ("on_quit = 1", "on_quit"),
        ("engine_path = [1]", "engine_path"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(store, file, line, key):
    write(file, line)
    with pytest.raises(SettingsError, match=key):
        store.load()
    assert file.read_text() == line


def test_a_file_that_is_no_text_is_said_and_left_alone(store, file):
    write(file, b"theme = '\xff\xfe'\n")
    with pytest.raises(SettingsError, match="cannot be read"):
        store.load()
    with pytest.raises(SettingsError):
        store.save(AppSettings())
    assert file.read_bytes() == b"theme = '\xff\xfe'\n"


def test_a_place_that_cannot_be_used_is_said(store, file):
    file.parent.write_text("a file where the folder should be")
    with pytest.raises(SettingsError, match="cannot be written"):
        store.save(AppSettings())
    file.parent.unlink()
    file.mkdir(parents=True)
    with pytest.raises(SettingsError, match="cannot be read"):
        store.load()
    with pytest.raises(SettingsError):
        store.save(AppSettings())
