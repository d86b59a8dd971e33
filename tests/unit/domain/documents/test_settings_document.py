"""The settings file explains itself, and what is wrong in it takes nothing else away."""

import datetime
import re
import tomllib
from pathlib import Path

import pytest

from gglib_desktop.domain.documents.settings import AppSettings, OnQuit, Theme
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
from gglib_desktop.domain.launch.options import LaunchOptions, MtpChoice, choice_names
from gglib_desktop.domain.options.engine_options import engine_options
from gglib_desktop.domain.options.sampling import InferenceConfig

TEXT = documented_settings()


def test_a_new_file_changes_nothing():
    assert read_settings(tomllib.loads(TEXT)) == SettingsReading(AppSettings())


def test_every_key_stands_there_as_a_comment_that_could_be_set():
    live = re.sub(r"(?m)^#(?=\w+ = )", "", TEXT)
    reading = read_settings(tomllib.loads(live))
    assert reading.problems == ()
    assert reading.unknown == ()
    names = {key[-1] for key in values_of(reading.settings)}
    own = {"engine_path", "base_port", "stop_grace_s", "on_quit", "theme", "requests_keep_rows", "requests_keep_days"}
    own |= {"log_size_mib"}
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


def test_no_news_is_false():
    assert not SettingsNews()
    assert SettingsNews(mended=True)


def test_the_size_of_logs_is_kept_in_mib_and_counted_in_bytes():
    assert AppSettings(log_size_mib=3).log_bytes == 3 * 1024 * 1024
