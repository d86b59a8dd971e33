"""Presets of a router, as people write them by hand."""

import pytest

from gglib_desktop.domain.commandline.reading import NoteKind, read_command_line
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.llama_cpp.help import parse_help
from tests.fakes.recorded import HELP

CAPABILITIES = parse_help(HELP)
TEXT = """\
; my models
version = 1
[*]
ctx-size = 4096   ; for all
t = 3
stop-timeout = 5

[Qwen 3]
model = /m/qwen.gguf
threads = 5
no-mmap = on
mlock = true
cont-batching = false
verbose = false
metrics = true
LLAMA_ARG_N_GPU_LAYERS = 7
nope = true
rpc = host:1

[other]\r
m = /m/other.gguf
"""


def read(text: str, capabilities=CAPABILITIES):
    return read_command_line(text, capabilities)


def test_the_first_model_with_what_is_for_all():
    line = read(TEXT)
    assert line.model == "/m/qwen.gguf"
    assert line.options == LaunchOptions(
        context_size=4096, threads=5, mmap=False, mlock=True, gpu_layers=7,
        extra_args=("--no-cont-batching", "--nope", "--rpc", "host:1"),
    )  # fmt: skip
    notes = {note.kind: note.words for note in line.notes}
    assert notes[NoteKind.REPEATED] == ("t", "=", "3")
    assert notes[NoteKind.AROUND] == ("stop-timeout = 5", "[other]")


@pytest.mark.parametrize(
    ("entry", "choice"),
    [
        ("mmap = off", {"mmap": False}),
        ("no-mmap = false", {"mmap": True}),
        ("c = 5", {"context_size": 5}),
        ("chat-template =", {"chat_template": ""}),
        ("verbose = true", {"extra_args": ("--verbose",)}),
        ("verbose = false", {}),
        ("chat-template = “a” — b", {"chat_template": "“a” — b"}),
        ("# c = 5", {}),
        ("= 5", {}),
    ],
)
def test_one_entry(entry, choice):
    assert read(f"[x]\nmodel = /m/x.gguf\n{entry}\n").options == LaunchOptions().with_values(**choice)


def test_flags_of_an_engine_that_is_not_known():
    text = "[x]\nmodel = /m/x.gguf\not = a=b\nverbose = true\nkv-offload = false\ntags = a\n"
    words = ("-ot", "a=b", "--verbose", "--no-kv-offload", "--tags", "a")
    assert read(text, None).options == LaunchOptions(extra_args=words)


@pytest.mark.parametrize(
    "text", ["[a]\nmodel = gpt\n", "version = 1\n[*]\nctx-size = 5\n", "version = 1\nmodel = x.gguf\n"]
)
def test_other_files_of_that_kind_are_none(text):
    with pytest.raises(ConfigurationError, match="no llama-server command"):
        read(text)
