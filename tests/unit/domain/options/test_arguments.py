"""The line for a shell and for logs."""

import shlex

import pytest

from gglib_desktop.domain.options.arguments import shell_line


def test_the_line_for_a_shell_is_quoted_and_hides_keys():
    argv = ("/opt/llama server", "-m", "/m/it's.gguf", "--api-key", "secret", "--api-key-file=/x", "--api-key=x=y")
    line = shell_line(argv)
    assert shlex.split(line) == [*argv[:4], "[hidden]", "--api-key-file=[hidden]", "--api-key=[hidden]"]
    assert line.startswith("'/opt/llama server' -m ")


@pytest.mark.parametrize(
    "words",
    [
        ("--api_key", "SECRET"),
        ("--api_key=SECRET",),
        ("--hf_token", "SECRET"),
        ("--hf-token=SECRET",),
        ("-hft", "SECRET"),
        ("--api_key-file", "SECRET"),
    ],
)
def test_keys_are_hidden_in_every_spelling_that_the_engine_reads(words):
    line = shell_line(("llama-server", *words, "-m", "my model.gguf"))
    assert "SECRET" not in line
    assert words[0].partition("=")[0] in line
    assert line.endswith("-m 'my model.gguf'")


def test_which_flags_have_keys_is_for_the_engine_to_say():
    argv = ("parrot", "--secret", "x", "--api-key", "y", "--secret=z")
    assert shell_line(argv, {"--secret"}) == "parrot --secret '[hidden]' --api-key y '--secret=[hidden]'"
