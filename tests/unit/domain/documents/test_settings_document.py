"""The settings file explains itself, and what is wrong in it takes nothing else away."""

import datetime
import re
import tomllib
from pathlib import Path

import pytest

from gglib_desktop.domain.documents.settings import AppSettings, EndpointSettings, OnQuit, PlaceSettings, Theme
from gglib_desktop.domain.documents.settings_document import (
    SettingsNews,
    SettingsReading,
    UnknownKey,
    differences,
    documented_settings,
    read_settings,
    values_of,
    with_differences,
)
from gglib_desktop.domain.errors import SettingProblem
from gglib_desktop.domain.launch.options import LaunchOptions, MtpChoice, choice_names
from gglib_desktop.domain.options.engine_options import engine_options
from gglib_desktop.domain.options.sampling import InferenceConfig

TEXT = documented_settings()


def test_a_new_file_changes_nothing():
    assert read_settings(tomllib.loads(TEXT)) == SettingsReading(AppSettings())


def test_every_key_stands_there_as_a_comment_that_could_be_set():
    live = re.sub(r"(?m)^#(?=\w+ = |\[)", "", TEXT)
    reading = read_settings(tomllib.loads(live))
    assert reading.problems == reading.left_out == ()
    assert reading.unknown == ()
    names = {key[-1] for key in values_of(reading.settings)}
    own = {"engine_path", "base_port", "stop_grace_s", "on_quit", "theme", "requests_keep_rows", "requests_keep_days"}
    own |= {"log_size_mib", "url", "name", "engine", "folders", "ssh_config", "path"}
    assert names == {*choice_names(), *own}


def test_every_option_says_its_meaning_its_range_and_its_default():
    said = " ".join(TEXT.replace("\n#", "").split())
    for option in engine_options():
        assert option.spec.help in said
    assert "Draft tokens. " in said
    assert "A whole number, from 0 to 16. Default: 2." in said
    assert "One of ask, stop all, leave running. Default: ask." in said
    assert "A whole number, at least -1; -1 is auto; 999 is all. Default: auto." in said
    assert "True or false. Default: true." in said
    assert max(map(len, TEXT.splitlines())) <= 120


def test_a_bad_key_takes_no_other_with_it():
    reading = read_settings(
        {
            "theme": "purple",
            "base_port": 9100,
            "on_quit": datetime.date(2026, 1, 1),
            "defaults": {
                "context_size": -1,
                "spec_draft_n_max": 4,
                "inference_config": {"top_p": "x" * 100, "top_k": 20},
            },
        },
        len,
    )
    defaults = LaunchOptions(spec_draft_n_max=4, inference_config=InferenceConfig(top_k=20))
    assert reading.settings == AppSettings(base_port=9100, defaults=defaults)
    assert [(problem.key, problem.line) for problem in reading.problems] == [
        ("theme", 1),
        ("on_quit", 1),
        ("defaults.context_size", 2),
        ("defaults.inference_config.top_p", 3),
    ]
    assert str(reading.problems[0]) == "line 1: theme: must be one of system, light, dark (got purple)"
    assert reading.problems[3].value == "x" * 59 + "…"


@pytest.mark.parametrize("document", [{"defaults": 5}, {"defaults": {"inference_config": "x"}}])
def test_what_should_be_a_table_and_is_none_is_told(document):
    (problem,) = read_settings(document).problems
    assert problem.reason == "must be a table"


@pytest.mark.parametrize(
    ("document", "key", "nearest"),
    [
        ({"them": "dark"}, "them", "theme"),
        ({"Base-Port": 9100}, "Base-Port", "base_port"),
        ({"context_size": 4096}, "context_size", "defaults.context_size"),
        ({"defaults": {"temperatur": 1}}, "defaults.temperatur", "defaults.inference_config.temperature"),
        ({"plugin": {"x": 1}}, "plugin", None),
    ],
)
def test_an_unknown_key_is_told_with_the_one_that_was_perhaps_meant(document, key, nearest):
    assert read_settings(document).unknown == (UnknownKey(key, nearest),)


def test_empty_tables_say_nothing():
    assert read_settings({"defaults": {"inference_config": {}}}).settings == AppSettings()


def test_differences_lead_from_one_to_the_other():
    before = AppSettings(
        engine_path=Path("/a"), defaults=LaunchOptions(mtp=MtpChoice.ON, inference_config=InferenceConfig(top_k=4))
    )
    after = AppSettings(theme=Theme.DARK, defaults=LaunchOptions(mtp=MtpChoice.ON, extra_args=("-x",)))
    changes = differences(before, after)
    assert changes == {
        ("theme",): "dark",
        ("engine_path",): None,
        ("defaults", "extra_args"): ["-x"],
        ("defaults", "inference_config", "top_k"): None,
    }
    assert with_differences(before, changes) == after
    assert with_differences(before.replace(on_quit=OnQuit.STOP_ALL), changes) == after.replace(on_quit=OnQuit.STOP_ALL)
    assert differences(after, after) == {}


def test_places_and_endpoints_are_read_by_their_ids():
    document = {
        "places": {"box": {"url": "podman:llama", "folders": ["/srv"], "on_quit": "stop all"}},
        "endpoints": {"lab-2": {"url": "https://lab/v1", "name": "Lab"}},
    }
    settings = read_settings(document).settings
    assert settings.places == {"box": PlaceSettings(url="podman:llama", folders=("/srv",), on_quit=OnQuit.STOP_ALL)}
    assert settings.endpoints == {"lab-2": EndpointSettings(url="https://lab/v1", name="Lab")}
    assert differences(AppSettings(), settings) == {
        ("places", "box", "url"): "podman:llama",
        ("places", "box", "folders"): ["/srv"],
        ("places", "box", "on_quit"): "stop all",
        ("endpoints", "lab-2", "url"): "https://lab/v1",
        ("endpoints", "lab-2", "name"): "Lab",
    }


@pytest.mark.parametrize(
    ("entry", "key", "reason", "value"),
    [
        ({"box": {"name": "Box"}}, "places.box.url", "is required", ""),
        ({"box": {"url": "-oProxyCommand=x"}}, "places.box.url", "must be an address", "-oProxyCommand=x"),
        (
            {"box": {"url": "x", "on_quit": "ask"}},
            "places.box.on_quit",
            "must be one of stop all, leave running",
            "ask",
        ),
        ({"Box": {"url": "x"}}, "places.Box", "must be up to 40 of a to z, 0 to 9 and -", ""),
        ({"local": {"url": "x"}}, "places.local", "is the program's own name", ""),
        ({"box": "x"}, "places.box", "must be a table", "x"),
    ],
)
def test_a_bad_place_is_left_out_alone(entry, key, reason, value):
    reading = read_settings({"theme": "dark", "places": {**entry, "other": {"url": "docker:llama"}}}, lambda key: 7)
    assert reading.left_out == (SettingProblem(key, reason, value, 7),)
    assert reading.problems == ()
    assert reading.settings == AppSettings(theme=Theme.DARK, places={"other": PlaceSettings(url="docker:llama")})


def test_a_place_of_an_unknown_kind_is_kept_and_told_of():
    """Another version may know it."""
    document = {"places": {"old": {"url": "gopher://x"}, "box": {"url": "podman:llama"}}}
    reading = read_settings(document, lambda key: 9 if key == ("places", "old", "url") else None)
    reason = "must begin with one of podman, docker, ssh"
    assert reading.left_out == (SettingProblem("places.old.url", reason, "gopher://x", 9),)
    assert reading.settings.places.keys() == {"old", "box"}


def test_a_password_in_an_address_is_not_told_of():
    reading = read_settings({"endpoints": {"lab": {"url": "http://me:secret@lab:8000/v1"}}})
    (problem,) = reading.left_out
    assert (problem.key, problem.value) == ("endpoints.lab.url", "http://…@lab:8000/v1")
    assert "secret" not in str(problem)


def test_what_is_missing_in_a_place_is_told_where_the_place_begins():
    box = ("places", "box")
    (problem,) = read_settings({"places": {"box": {}}}, lambda key: 3 if key == box else None).left_out
    assert problem.line == 3


def test_an_unknown_key_of_a_place_leaves_it_in_force():
    reading = read_settings({"places": {"box": {"url": "x", "urll": "y"}}})
    assert reading.unknown == (UnknownKey("places.box.urll", "url"),)
    assert "box" in reading.settings.places
    assert read_settings({"places": 5}).problems == (SettingProblem("places", "must be a table", "5"),)


def test_a_place_goes_as_a_whole_and_its_name_alone():
    box = PlaceSettings(url="podman:llama", name="Box")
    before = AppSettings(places={"box": box, "rest": PlaceSettings(url="docker:llama")})
    gone = before.replace(places={"rest": before.places["rest"]})
    assert differences(before, gone) == {("places", "box"): None}
    assert with_differences(before, differences(before, gone)) == gone
    unnamed = before.replace(places={**before.places, "box": box.replace(name=None)})
    assert differences(before, unnamed) == {("places", "box", "name"): None}
    assert with_differences(before, differences(before, unnamed)) == unnamed


def test_no_news_is_false():
    assert not SettingsNews()
    assert SettingsNews(mended=True)


def test_the_size_of_logs_is_kept_in_mib_and_counted_in_bytes():
    assert AppSettings(log_size_mib=3).log_bytes == 3 * 1024 * 1024


@pytest.mark.parametrize(
    ("place", "on_quit", "stops"),
    [
        ("local", OnQuit.STOP_ALL, True),
        ("mock", OnQuit.LEAVE_RUNNING, False),
        ("kept", OnQuit.STOP_ALL, False),
        ("ended", OnQuit.LEAVE_RUNNING, True),
        ("gone", OnQuit.STOP_ALL, False),
    ],
)
def test_quitting_ends_the_servers_of_this_computer_and_of_places_that_say_so(place, on_quit, stops):
    kept, ended = PlaceSettings(url="docker:a"), PlaceSettings(url="docker:a", on_quit=OnQuit.STOP_ALL)
    assert AppSettings(places={"kept": kept, "ended": ended}).stops_servers_at(place, on_quit) is stops


def test_container_engines_of_this_computer_share_its_files():
    places = {"box": PlaceSettings(url="podman:llama", name="Box"), "ship": PlaceSettings(url="docker:llama")}
    settings = AppSettings(places={**places, "far": PlaceSettings(url="ssh://far")})
    assert settings.places_sharing_files() == {"box": "Box", "ship": "ship"}
    assert settings.worker_places() == {"far": "far"}
