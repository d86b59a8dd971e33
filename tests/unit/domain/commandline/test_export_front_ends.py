"""A command line for programs that start servers when they are asked for: llama-swap, and llama-server as a router."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gglib_desktop.domain.commandline.exports.export import ExportFormat, export
from gglib_desktop.domain.commandline.exports.router_preset import model_files, models_preset, most_loaded
from gglib_desktop.domain.commandline.reading import read_command_line
from gglib_desktop.domain.errors import ConfigurationError

ARGV = ("/opt/llama server", "-m", "/m/it's 100%.gguf", "--host", "0.0.0.0", "--port", "9001", "--jinja")
NAMED = (*ARGV, "--alias", "Tiny,other,a: b")


def swap(*argv: str) -> Any:
    return yaml.safe_load(export(argv, ExportFormat.LLAMA_SWAP))["models"]


def preset(*argv: str) -> str:
    return export(argv, ExportFormat.ROUTER_PRESET)


def test_a_model_of_llama_swap():
    assert export(NAMED, ExportFormat.LLAMA_SWAP, {"GGML_X": "a b"}) == (
        "# Set LLAMA_API_KEY in the environment of llama-swap.\n"
        "models:\n"
        "  Tiny:\n"
        "    cmd: |\n"
        "      '/opt/llama server'\n"
        "      -m '/m/it'\"'\"'s 100%.gguf'\n"
        "      --host 127.0.0.1\n"
        "      --port ${PORT}\n"
        "      --jinja\n"
        "      --alias 'Tiny,other,a: b'\n"
        "    aliases:\n"
        "    - other\n"
        '    - "a: b"\n'
        "    env:\n"
        '    - "GGML_X=a b"\n'
        '    - "LLAMA_API_KEY=${env.LLAMA_API_KEY}"\n'
    )


def test_a_model_without_a_name_gets_one():
    assert list(swap("/e", "-m", "/m/x.gguf")) == ["llama-server"]
    assert "[llama-server]\n" in preset("/e", "-m", "/m/x.gguf")


@pytest.mark.parametrize("text", ["${X}", "a ${env.A} b", "x\n# y\n  # z", "back\\\nslash", "it's\n'${Y}'", "\u2028"])
def test_llama_swap_finds_no_macro_comment_or_continuation_in_a_value(text):
    argv = ("/e", "-m", "/m/x.gguf", "--chat-template", text)
    [model] = swap(*argv).values()
    assert "${" not in model["cmd"].replace("--port ${PORT}", "")
    lines = [line.strip() for line in model["cmd"].split("\n")]
    assert not any(line.startswith("#") or line.endswith("\\") for line in lines)
    assert read_command_line(export(argv, ExportFormat.LLAMA_SWAP)).options.chat_template == text


def test_a_router_preset():
    assert preset(*NAMED, "-c", "4096", "--no-mmap", "-ot", "exps=CPU", "--nope") == (
        "# Set LLAMA_API_KEY in the environment of llama-server.\n"
        "# llama-server --models-preset FILE --host 0.0.0.0 --port 9001\n"
        "version = 1\n"
        "\n"
        "[Tiny]\n"
        "model = /m/it's 100%.gguf\n"
        "jinja = true\n"
        "alias = Tiny,other,a: b\n"
        "ctx-size = 4096\n"
        "no-mmap = true\n"
        "ot = exps=CPU\n"
        "nope = true\n"
    )


def test_a_preset_of_several_models():
    commands = [("/e", "-m", f"/m/{name}.gguf", "--port", "9", "--alias", "Tiny") for name in "ab"]
    text = models_preset([*commands, ("/e", "serve", "-m", "/m/c.gguf", "--alias", "C:D,c")], stop_s=5)
    assert text == (
        "version = 1\n\n[*]\nstop-timeout = 5\n"
        "\n[Tiny]\nmodel = /m/a.gguf\nalias = Tiny\n"
        "\n[Tiny (2)]\nmodel = /m/b.gguf\nalias = Tiny\n"
        "\n[C-D]\nmodel = /m/c.gguf\nalias = C:D,c\n"
    )
    assert model_files(text) == (Path("/m/a.gguf"), Path("/m/b.gguf"), Path("/m/c.gguf"))
    assert most_loaded(2) == ("--models-max", "2")
    assert most_loaded(None) == ()


@pytest.mark.parametrize(("name", "section"), [("a]b", "a-b"), ("a:b c", "a-b c"), ("*", "-")])
def test_a_section_has_a_name_that_the_router_leaves_as_it_is(name, section):
    text = preset("/e", "-m", "/m/x.gguf", "--alias", name)
    assert f"[{section}]\n" in text
    assert read_command_line(text).options.alias == name


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("-m", "/m/#1.gguf"), "model_path"),
        (("-m", "/m/x.gguf", "--chat-template", "a;b"), "chat_template"),
        (("-m", "/m/x.gguf", "--chat-template", "a\nb"), "chat_template"),
        (("-m", "/m/x.gguf", "--device", " a"), "device"),
        (("-m", "/m/x.gguf", "--tags", "a "), "extra_args"),
        (("-m", "/m/x.gguf", "-ot", "a=b", "-ot", "c=d"), "extra_args"),
        (("-m", "/m/x.gguf", "--control-vector-layer-range", "1", "2"), "extra_args"),
    ],
)
def test_what_a_preset_cannot_hold_is_refused_with_its_field(words, field):
    with pytest.raises(ConfigurationError, match=r"no router preset|more than on") as caught:
        preset("/e", *words)
    assert caught.value.field == field
