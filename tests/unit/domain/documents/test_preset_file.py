"""Files of presets: what is written can be read, and what cannot be used is told line by line."""

import tomllib
from pathlib import Path

import pytest

from gglib_desktop.adapters.documents.toml_text import line_of
from gglib_desktop.domain.documents.preset_file import FiledPreset, PresetReading, preset_text, read_presets
from gglib_desktop.domain.launch.options import LaunchOptions, MtpChoice
from gglib_desktop.domain.options.sampling import InferenceConfig
from gglib_desktop.domain.servers.restart import RestartPolicy

EVERYTHING = LaunchOptions(
    context_size=131072,
    gpu_layers=-1,
    jinja=False,
    mmap=True,
    mtp=MtpChoice.ON,
    spec_draft_n_max=4,
    spec_draft_p_min=0.5,
    restart=RestartPolicy.ON_CRASH,
    cache_type_k="q8_0",
    chat_template='{% for m in messages %}\n\t"{{ m.content }}" \\ \x01\x7f é 👩‍💻\r\n{% endfor %}',
    chat_template_file=Path("/templates/mine.jinja"),
    extra_args=("--tags", 'my "model"', "--cache-ram=0"),
    inference_config=InferenceConfig(temperature=0.2, top_k=20, min_p=0.05),
)


def read(text: str) -> PresetReading:
    return read_presets(tomllib.loads(text), lambda place: line_of(text, place))


@pytest.mark.parametrize(
    "presets",
    [
        [FiledPreset("coding", EVERYTHING, "Tiny “demo”")],
        [FiledPreset("all", LaunchOptions())],
        [
            FiledPreset("coding", LaunchOptions(context_size=8192), "Tiny"),
            FiledPreset("coding", LaunchOptions(inference_config=InferenceConfig(temperature=1))),
            FiledPreset("MTP off", LaunchOptions(mtp=MtpChoice.OFF)),
        ],
    ],
)
def test_what_is_written_is_read(presets):
    assert read(preset_text(presets)) == PresetReading(tuple(presets))


def test_a_file_is_for_people():
    options = LaunchOptions(context_size=8192, inference_config=InferenceConfig(temperature=0.2))
    text = preset_text([FiledPreset("coding", options, "Tiny")])
    assert text.startswith("# Presets of GGLib Desktop")
    assert text.endswith(
        """
format = 1

[[preset]]
name = "coding"
model = "Tiny"

[preset.options]
context_size = 8192

[preset.options.inference_config]
temperature = 0.2
"""
    )


def test_unknown_keys_are_told_and_the_rest_is_read():
    reading = read(
        """
format = 1
author = "me"

[[preset]]
name = "coding"
colour = "red"

[preset.options]
context_sise = 8192
parallel = 2

[preset.options.inference_config]
temprature = 0.2
"""
    )
    assert reading.presets == (FiledPreset("coding", LaunchOptions(parallel=2)),)
    assert not reading.problems
    assert [(each.key, each.line, each.nearest) for each in reading.unknown] == [
        ("author", 3, None),
        ("preset.colour", 7, None),
        ("preset.options.context_sise", 10, "context_size"),
        ("preset.options.inference_config.temprature", 14, "inference_config.temperature"),
    ]


HEAD = "format = 1\n[[preset]]\nname = 'good'\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is no file of presets: it does not say format = 1"),
        ("[defaults]\ncontext_size = 1\n", "is no file of presets: it does not say format = 1"),
        ("format = '1'\n", "line 1: format: is no file of presets: it does not say format = 1 (got 1)"),
        ("format = true\n", "line 1: format: is no file of presets: it does not say format = 1 (got True)"),
        ("format = 0\n", "line 1: format: is no file of presets: it does not say format = 1 (got 0)"),
        ("\nformat = 2\npreset = 7", "line 2: format: was written by a newer version of this program (got 2)"),
        ("format = 1\n", "holds no presets: a preset begins with [[preset]]"),
        ("format = 1\npreset = []\n", "holds no presets: a preset begins with [[preset]]"),
        ("format = 1\n[preset]\nname = 'x'\n", "line 2: preset: must be written as [[preset]]"),
        ("format = 1\npreset = ['x']\n", "line 2: preset: must be a table (got x)"),
        (HEAD + "[[preset]]\n", "line 4: preset: needs a name, as text"),
        (HEAD + "[[preset]]\nname = 3\n", "line 5: preset.name: needs a name, as text (got 3)"),
        (HEAD + "[[preset]]\nname = ''\n", "line 5: preset.name: must not be empty"),
        (HEAD + "model = 1\n", "line 4: preset.model: must be text (got 1)"),
        (HEAD + "options = 1\n", "line 4: preset.options: must be a table (got 1)"),
        (
            HEAD + "[preset.options]\ncontext_size = 'much'\n",
            "line 5: preset.options.context_size: must be a whole number (got much)",
        ),
        (HEAD + "[preset.options]\ninference_config = 1\n", "line 5: preset.options.inference_config: must be a table"),
        (
            HEAD + "[preset.options.inference_config]\ntemperature = 9\n",
            "line 5: preset.options.inference_config.temperature: must be from 0 to 2 (got 9)",
        ),
        (
            HEAD + "[preset.options]\nextra_args = ['--api-key', 's3cret']\n",
            "line 5: preset.options.extra_args: a preset is no place for a key",
        ),
    ],
)
def test_what_cannot_be_used_is_told_by_line_and_nothing_is_read(text, problem):
    reading = read(text)
    assert reading.presets == ()
    assert [str(each)[: len(problem)] for each in reading.problems] == [problem]
    assert "s3cret" not in str(reading.problems)


def test_all_problems_are_told_at_once():
    text = HEAD + "[preset.options]\nparallel = 'x'\nmtp = 'maybe'\n[[preset]]\nname = 1\nmodel = 2\noptions = 3\n"
    assert [problem.line for problem in read(text).problems] == [5, 6, 8, 9, 10]
