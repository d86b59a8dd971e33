"""Which names presets can have, and what they never hold."""

import pytest

from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.launch.presets import LONGEST_NAME, Preset, check_is_free, free_name, preset_name


@pytest.mark.parametrize(
    "name", ["coding", "long context", "長い文脈", "👩‍💻", "x" * LONGEST_NAME, "No preset?", "ا", "0"]
)
def test_names_of_all_languages(name):
    assert preset_name(name) == name
    assert Preset(f"  {name}\n", LaunchOptions()).name == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        ("   \t", "empty"),
        ("\u200b", "empty"),
        ("x" * (LONGEST_NAME + 1), "64 characters"),
        ("two\nlines", "control"),
        ("a\x00b", "control"),
        ("a\x7fb", "control"),
        ("a\u2028b", "control"),
        ("a\u202eb", "control"),
        ("a\udcffb", "control"),
    ],
)
def test_names_that_cannot_be(name, reason):
    with pytest.raises(ConfigurationError, match=reason) as caught:
        Preset(name, LaunchOptions())
    assert caught.value.field == "preset_name"


@pytest.mark.parametrize("taken", ["coding", "Coding", "CODING "])
def test_a_name_is_taken_however_it_is_written(taken):
    with pytest.raises(ConfigurationError, match="another preset has this name"):
        check_is_free("coding", ["chat", taken])


def test_composed_and_decomposed_letters_are_the_same():
    with pytest.raises(ConfigurationError):
        check_is_free("Café", ["cafe\u0301"])
    check_is_free("Cafe", ["Café"])


def test_a_free_name_is_like_the_one_that_was_wanted():
    assert free_name("coding", []) == "coding"
    assert free_name("coding", ["Coding"]) == "coding (2)"
    assert free_name("coding", ["coding", "coding (2)"]) == "coding (3)"
    longest = "x" * LONGEST_NAME
    other = free_name(longest, [longest])
    assert preset_name(other) == "x" * 60 + " (2)"


@pytest.mark.parametrize(
    "words", [("--api-key", "s3cret"), ("--api-key=s3cret",), ("--verbose", "--hf-token", "s3cret"), ("-hft", "s3cret")]
)
def test_a_key_is_refused_and_not_repeated(words):
    with pytest.raises(ConfigurationError, match="no place for a key") as caught:
        Preset("coding", LaunchOptions(extra_args=words))
    assert caught.value.field == "extra_args"
    assert "s3cret" not in str(caught.value)


def test_other_arguments_are_kept():
    options = LaunchOptions(extra_args=("--cache-ram", "0", "--alias", "my model"))
    assert Preset("coding", options).options == options
