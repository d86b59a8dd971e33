"""What the output of --help and --version says of an engine."""

import pytest

from gglib_desktop.domain.engine.capabilities import EngineCapabilities, EngineDevice
from gglib_desktop.domain.llama_cpp.help import parse_devices, parse_help, parse_version
from tests.fakes.recorded import HELP


@pytest.fixture(scope="module")
def capabilities():
    return parse_help(HELP)


@pytest.mark.parametrize(
    "group",
    [
        "-h --help --usage",
        "-m --model",
        "-c --ctx-size",
        "-ngl --gpu-layers --n-gpu-layers",
        "--temp --temperature",
        "-n --predict --n-predict",
        "--jinja --no-jinja",
        "-kvu --kv-unified -no-kvu --no-kv-unified",
        "--spec-draft-p-min --draft-p-min",
        "--port",
        "--metrics",
        "--cors-origins",
        "--spec-type",
    ],
)
def test_all_spellings_of_an_option_are_one(capabilities, group):
    names = frozenset(group.split())
    for name in names:
        assert capabilities.supports(name)
        assert capabilities.same_option(name) == names


@pytest.mark.parametrize("flag", ["--draft", "--draft-max", "--draft-min", "--draft-n"])
def test_removed_flags_are_not_supported(capabilities, flag):
    assert not capabilities.supports(flag)
    assert flag in capabilities.removed


@pytest.mark.parametrize("flag", ["--nope", "-", "--", "-----", "", "N", "mo"])
def test_what_is_no_flag_is_not_supported(capabilities, flag):
    assert not capabilities.supports(flag)
    assert capabilities.same_option(flag) == {flag}


def test_every_line_of_the_recorded_help_that_begins_an_option_is_understood(capabilities):
    for line in HELP.splitlines():
        if line.startswith("-") and not line.startswith("---"):
            flag = line.split()[0].rstrip(",")
            assert capabilities.supports(flag) or flag in capabilities.removed, line


def test_the_kinds_of_drafting_are_read(capabilities):
    assert capabilities.has_mtp
    assert {"none", "draft-mtp", "ngram-cache"} <= capabilities.spec_types


@pytest.mark.parametrize(
    ("line", "types"),
    [
        ("--spec-type none,draft-mtp   comma-separated", {"none", "draft-mtp"}),
        ("--spec-type [none|draft-mtp]   one of", {"none", "draft-mtp"}),
        ("--spec-type TYPE   the kind", {"TYPE"}),
        ("--spec-type", set()),
    ],
)
def test_the_kinds_of_drafting_in_other_builds(line, types):
    assert parse_help(line).spec_types == types


@pytest.mark.parametrize(
    ("flag", "placeholder", "count"),
    [
        ("--metrics", "", 0),
        ("-c", "N", 1),
        ("--ctx-size", "N", 1),
        ("-h", "", 0),
        ("-nkvo", "", 0),
        ("-fa", "[on|off|auto]", 1),
        ("-ot", "<tensor name pattern>=<buffer type>,...", 1),
        ("--control-vector-scaled", "FNAME:SCALE,...", 1),
        ("--control-vector-layer-range", "START END", 2),
        ("--draft-max", "N", 1),
        ("--nope", None, None),
    ],
)
def test_how_many_values_a_flag_takes(capabilities, flag, placeholder, count):
    assert capabilities.placeholders.get(flag) == placeholder
    assert capabilities.value_count(flag) == count


@pytest.mark.parametrize(
    ("variable", "flags"),
    [
        ("LLAMA_ARG_CTX_SIZE", "-c --ctx-size"),
        ("LLAMA_ARG_JINJA", "--jinja --no-jinja"),
        ("LLAMA_API_KEY", "--api-key"),
        ("LLAMA_ARG_LOAD_MODE", "-lm --load-mode"),
        ("LLAMA_ARG_DRAFT_MAX", "--draft --draft-n --draft-max"),
        ("LLAMA_ARG_PREFILL_ASSISTANT", "--prefill-assistant --no-prefill-assistant"),
    ],
)
def test_which_variable_says_the_same_as_a_flag(capabilities, variable, flags):
    assert capabilities.environment[variable] == frozenset(flags.split())


def test_nothing_is_read_from_nothing():
    assert parse_help("") == EngineCapabilities()
    assert parse_help("  an indented line\nhello") == EngineCapabilities()
    assert not EngineCapabilities().has_mtp


def test_an_option_that_ends_in_a_comma_is_still_one():
    assert parse_help("-x,").supports("-x")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("version: 0.1.0-dev (build 1, commit 7e4c0a9)\nbuilt with GNU 11.4.0", "0.1.0-dev (build 1, commit 7e4c0a9)"),
        ("ggml_cuda_init: found 1 device\nversion: 6789 (abc)  \n", "6789 (abc)"),
        ("no such thing", None),
        ("", None),
    ],
)
def test_the_version_is_what_it_says(text, version):
    assert parse_version(text) == version


def test_devices_are_told_from_what_is_logged_around_them():
    text = """ggml_cuda_init: found 1 CUDA devices:
  Device 0: NVIDIA RTX, compute capability 8.9
Available devices:
  CUDA0: NVIDIA GeForce RTX 4090 (24080 MiB, 23513 MiB free)
  Vulkan1: Intel(R) Graphics (RPL-S) (32000 MiB, 1 MiB free)
"""
    assert parse_devices(text) == (
        EngineDevice("CUDA0", "NVIDIA GeForce RTX 4090", 24080 * 2**20),
        EngineDevice("Vulkan1", "Intel(R) Graphics (RPL-S)", 32000 * 2**20),
    )
    assert parse_devices("Available devices:\n  (none)\n") == ()
    assert parse_devices("  CUDA0: x (1 MiB, 1 MiB free)") == (), "that was no list"
