"""The settings file belongs to the person: what they wrote stays, and what is wrong is said and left alone."""

import re
import stat
import tomllib
from pathlib import Path

import pytest

from gglib_desktop.adapters.documents.toml_settings import TomlSettingsStore
from gglib_desktop.domain.documents.settings import AppSettings, EndpointSettings, OnQuit, PlaceSettings, Theme
from gglib_desktop.domain.documents.settings_document import UnknownKey, documented_settings
from gglib_desktop.domain.errors import InvalidSettings, SettingProblem, SettingsError
from gglib_desktop.domain.launch.options import LaunchOptions, MtpChoice
from gglib_desktop.domain.options.sampling import InferenceConfig

DARK = AppSettings(theme=Theme.DARK)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.toml"


@pytest.fixture
def store(file) -> TomlSettingsStore:
    return TomlSettingsStore(file)


def write(file: Path, text: str | bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())


def settings(store: TomlSettingsStore) -> AppSettings:
    reading = store.load()
    assert reading.problems == ()
    return reading.settings


def problem(store: TomlSettingsStore) -> SettingProblem:
    (problem,) = store.load().problems
    return problem


def change(store: TomlSettingsStore, **changes: object) -> AppSettings:
    before = settings(store)
    return store.save(before, before.replace(**changes)).settings


def test_without_a_file_there_are_defaults_and_none_is_made(store, file):
    assert settings(store) == AppSettings()
    assert not file.exists()


@pytest.mark.parametrize(
    "wanted",
    [
        AppSettings(engine_path=Path("/opt/ä b/llama-server"), base_port=9100, stop_grace_s=2.5),
        AppSettings(engine_path=Path('/opt/"quoted\\\x7f\t'), on_quit=OnQuit.LEAVE_RUNNING, theme=Theme.DARK),
        AppSettings(defaults=LaunchOptions(context_size=8192, jinja=False, extra_args=("--flag", "a b"))),
        AppSettings(defaults=LaunchOptions(mtp=MtpChoice.ON, inference_config=InferenceConfig(temperature=0.5))),
    ],
)
@pytest.mark.parametrize("start", [None, "# mine\n", "theme = 'light'\n[defaults]\nparallel = 4\n"])
def test_what_is_saved_is_loaded(store, file, wanted, start):
    if start is not None:
        write(file, start)
    before = settings(store)
    assert store.save(before, wanted).settings == wanted
    assert settings(TomlSettingsStore(file)) == wanted
    assert [path.name for path in file.parent.iterdir()] == ["settings.toml"]
    store.save(wanted, before)
    assert settings(store) == before


def test_a_value_goes_below_the_comment_that_explains_it(store, file):
    change(
        store, theme=Theme.DARK, defaults=LaunchOptions(context_size=4096, inference_config=InferenceConfig(top_k=3))
    )
    text = file.read_text()
    assert re.findall(r"(?m)^#(.*) = .*\n(\w+ = .*)$", text) == [
        ("theme", 'theme = "dark"'),
        ("context_size", "context_size = 4096"),
        ("top_k", "top_k = 3"),
    ]
    change(store, theme=Theme.SYSTEM, defaults=LaunchOptions())
    assert [line for line in file.read_text().splitlines() if line and line[0] not in "#["] == ['theme = "system"']


def test_a_comment_in_the_midst_of_a_text_is_none(store, file):
    write(file, 'engine_path = """\n#theme = 1\n"""\n')
    change(store, theme=Theme.DARK)
    assert tomllib.loads(file.read_text()) == {"engine_path": "#theme = 1\n", "theme": "dark"}


def test_the_documented_file_is_made_once(store, file):
    store.create()
    assert file.read_text() == documented_settings()
    write(file, "# mine\n")
    store.create()
    assert file.read_text() == "# mine\n"


def test_comments_order_and_unknown_keys_survive(store, file):
    write(
        file,
        '# mine\nfuture_setting = "kept"  # of a newer version\n\ntheme = "dark"  # easy on the eyes\n'
        "base_port = 9_000\n\n[plugin]\nx = [1, 2]\n",
    )
    assert store.load().unknown == (UnknownKey("future_setting", None, 2), UnknownKey("plugin", None, 7))
    change(store, theme=Theme.LIGHT, stop_grace_s=7.5)
    text = file.read_text()
    for line in (
        "# mine",
        'future_setting = "kept"  # of a newer version',
        'theme = "light"  # easy on the eyes',
        "base_port = 9_000",
        "[plugin]",
        "x = [1, 2]",
    ):
        assert line in text.splitlines()
    assert settings(store) == AppSettings(theme=Theme.LIGHT, base_port=9000, stop_grace_s=7.5)


@pytest.mark.parametrize(
    "text",
    [
        "defaults.context_size = 5\n",
        "defaults = { context_size = 5, future = 1 }\n",
        "[defaults]\ncontext_size = 5\n[other]\nx = 1\n[defaults.inference_config]\ntop_k = 1\n",
        "\ufefftheme = 'light'\r\n# mine\r\n[defaults]\r\ncontext_size = 5\r\n",
    ],
)
def test_however_tables_are_written_nothing_is_lost(store, file, text):
    write(file, text)
    before = tomllib.loads(text.lstrip("\ufeff"))
    defaults = settings(store).defaults.with_values(context_size=6, parallel=2, top_p=0.5)
    change(store, defaults=defaults)
    after = tomllib.loads(file.read_text().lstrip("\ufeff"))
    assert settings(store).defaults == defaults
    assert {name: value for name, value in after.items() if name != "defaults"} == {
        name: value for name, value in before.items() if name != "defaults"
    }
    assert after["defaults"].get("future") == before["defaults"].get("future")


def test_what_another_hand_wrote_since_is_kept(store, file):
    before = settings(store)
    write(file, "# new\nbase_port = 9300\n")
    assert store.save(before, DARK).settings == DARK.replace(base_port=9300)
    assert file.read_text() == '# new\nbase_port = 9300\ntheme = "dark"\n'


def test_what_is_written_between_our_reading_and_our_writing_is_kept(file):
    class Raced(TomlSettingsStore):
        left = 1

        def _with_changes(self, text, changes):
            if self.left:
                self.left -= 1
                write(file, "base_port = 9300\n")
            return super()._with_changes(text, changes)

    store = Raced(file)
    assert store.save(AppSettings(), DARK).settings == DARK.replace(base_port=9300)
    store.left = 100
    assert store.save(DARK, AppSettings()).settings == AppSettings(base_port=9300), "same content: no race"


def test_a_file_that_is_changed_all_the_time_is_given_up(file):
    class Raced(TomlSettingsStore):
        tries = 0

        def _with_changes(self, text, changes):
            self.tries += 1
            write(file, f"base_port = {9300 + self.tries}\n")
            return super()._with_changes(text, changes)

    with pytest.raises(SettingsError, match="all the time"):
        Raced(file).save(AppSettings(), DARK)
    assert "theme" not in file.read_text()
    assert [path.name for path in file.parent.iterdir()] == ["settings.toml"]


def test_a_link_and_its_rights_stay(store, file, tmp_path):
    real = tmp_path / "dotfiles" / "gglib.toml"
    write(real, "# mine\n")
    real.chmod(0o600)
    file.parent.mkdir()
    file.symlink_to(real)
    change(store, theme=Theme.DARK)
    assert file.is_symlink()
    assert real.read_text() == '# mine\ntheme = "dark"\n'
    assert stat.S_IMODE(real.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("# mine\nbase_port = 9100\ntheme = dark\n", 3, "Invalid value: theme = dark"),
        ("base_port = 9100\nbase_port = 9200\n", 2, "Cannot overwrite a value"),
        ('theme = "dark"\n[defaults\n', 2, "Expected ']'"),
        ('theme = """dark\n\n', 1, "Unterminated string"),
        ("\ntags = " + "[" * 100_000, 2, "Too many tables or lists"),
        (b"base_port = 9100\ntheme = '\xff\xfe'\n", 2, "is not UTF-8 text"),
    ],
)
def test_a_broken_file_is_said_with_its_line_and_left_alone(store, file, text, line, reason):
    write(file, text)
    content = file.read_bytes()
    assert problem(store).line == line
    assert problem(store).reason.startswith(reason)
    assert "(at" not in problem(store).reason or "end of document" in problem(store).reason
    assert store.load().settings == AppSettings()
    with pytest.raises(InvalidSettings, match=f"line {line}.*nothing was saved"):
        store.save(AppSettings(), DARK)
    assert file.read_bytes() == content
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
        ("on_quit = 2026-01-01", "on_quit"),
        ("engine_path = [\n1]", "engine_path"),
        ("defaults = 3", "defaults"),
        ("[defaults]\ncontext_size = -1", "defaults.context_size"),
        ("[defaults]\nextra_args = 'x'", "defaults.extra_args"),
        ("[defaults.inference_config]\ntop_p = 2", "defaults.inference_config.top_p"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_and_the_others_count(store, file, line, key):
    text = f'# mine\nengine_path = "/opt"\n{line}\n' if "engine" not in line else f"# mine\n\n{line}\n"
    write(file, text)
    assert problem(store).key == key
    assert problem(store).line == 2 + len(line.splitlines())
    if "engine" not in line:
        assert store.load().settings == AppSettings(engine_path=Path("/opt"))
    with pytest.raises(InvalidSettings, match=re.escape(key)):
        store.save(AppSettings(), DARK)
    assert file.read_text() == text


def test_text_that_no_file_can_hold_is_refused(store, file):
    write(file, "# mine\n")
    with pytest.raises(SettingsError, match="not saved"):
        change(store, engine_path=Path("/opt/\udcff"))
    assert file.read_text() == "# mine\n"


def test_a_place_that_cannot_be_used_is_said(store, file):
    file.parent.write_text("a file where the folder should be")
    with pytest.raises(SettingsError, match="cannot be"):
        store.save(AppSettings(), DARK)
    file.parent.unlink()
    file.mkdir(parents=True)
    assert problem(store) == SettingProblem("", "cannot be read: Is a directory")
    with pytest.raises(SettingsError):
        store.save(AppSettings(), DARK)


def test_places_come_and_go_as_tables_and_a_bad_one_stays_as_it_was_typed(store, file):
    typed = '# mine\ntheme = "dark"\n\n[places.bad]\nname = "no address"\n'
    write(file, typed)
    (left_out,) = store.load().left_out
    assert (left_out.key, left_out.line) == ("places.bad.url", 4)
    box = PlaceSettings(url="podman:llama", name="Box", folders=("/srv/models",))
    assert change(store, places={"box": box}).places == {"box": box}
    added = '\n[places.box]\nurl = "podman:llama"\nname = "Box"\nfolders = ["/srv/models"]\n'
    assert file.read_text() == typed + added
    assert change(store, places={"box": box.replace(name="Bigger")}).places["box"].name == "Bigger"
    assert change(store, places={}) == DARK
    assert file.read_text().rstrip("\n") == typed.rstrip("\n")


def test_the_first_place_of_a_new_file_gets_its_table(store, file):
    change(store, endpoints={"lab": EndpointSettings(url="http://lab:8000/v1")})
    assert '\n[endpoints.lab]\nurl = "http://lab:8000/v1"\n' in file.read_text()
    assert "[endpoints]" not in file.read_text()
