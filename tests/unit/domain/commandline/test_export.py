"""A command line as something to run elsewhere, without any key in it."""

import shlex
import subprocess

import pytest
import yaml

from gglib_desktop.domain.commandline.exports.export import ExportFormat, export, formats_for
from gglib_desktop.domain.commandline.reading import read_command_line

ARGV = ("/opt/llama server", "-m", "/m/it's 100%.gguf", "--host", "127.0.0.1", "--port", "9001", "--alias", 'a "b" $c')
IN_FRONT = {ExportFormat.LLAMA_SWAP, ExportFormat.ROUTER_PRESET}
WEIRD = [
    "a b",
    "it's",
    '"',
    "\\",
    "$x",
    "`y`",
    "%z%",
    "# no",
    "",
    "tab\t",
    "line\nbreak",
    "é 😀",
    "\x7f\x85\u2028",
    "*",
    "!",
]


def test_a_line_for_sh():
    assert export(ARGV, ExportFormat.SH) == (
        "'/opt/llama server' -m '/m/it'\"'\"'s 100%.gguf' --host 127.0.0.1 --port 9001 --alias 'a \"b\" $c'"
    )


def test_a_line_for_powershell():
    assert export(ARGV, ExportFormat.POWERSHELL) == (
        "& '/opt/llama server' -m '/m/it''s 100%.gguf' --host '127.0.0.1' --port 9001 --alias 'a \"b\" $c'"
    )


def test_a_script_runs_what_it_says(tmp_path):
    argv = ("/usr/bin/printf", "%s\\n", *WEIRD)
    script = tmp_path / "run.sh"
    script.write_text(export(argv, ExportFormat.SCRIPT), encoding="utf-8")
    shown = subprocess.run(["/bin/sh", str(script)], capture_output=True, check=True).stdout.decode()
    assert shown == "".join(f"{word}\n" for word in WEIRD)
    line = export(argv, ExportFormat.SH)
    assert subprocess.run(["/bin/sh", "-c", line], capture_output=True, check=True).stdout.decode() == shown
    assert shlex.split(line) == list(argv)


def test_a_script_has_a_line_for_each_flag():
    assert export(("/e", "-m", "x", "-c", "-1", "--jinja"), ExportFormat.SCRIPT) == (
        "#!/bin/sh\nexec /e \\\n  -m x \\\n  -c -1 \\\n  --jinja\n"
    )


def test_a_systemd_unit():
    assert export(ARGV, ExportFormat.SYSTEMD) == (
        "[Unit]\nDescription=llama-server as GGLib Desktop would start it\n\n[Service]\n"
        'ExecStart="/opt/llama server" \\\n'
        '  -m "/m/it\'s 100%%.gguf" \\\n'
        "  --host 127.0.0.1 \\\n"
        "  --port 9001 \\\n"
        '  --alias "a \\"b\\" $$c"\n'
        "Restart=on-failure\n\n[Install]\nWantedBy=default.target\n"
    )


def test_a_unit_escapes_what_cannot_be_seen():
    assert '"\\x7f" "\\u2028" "\\U000e0001"' in export(("/e", "\x7f", "\u2028", "\U000e0001"), ExportFormat.SYSTEMD)


def test_a_compose_file_is_yaml_and_mounts_the_folders():
    argv = (*ARGV, "--chat-template-file", "/t/a.jinja", *WEIRD)
    service = yaml.safe_load(export(argv, ExportFormat.COMPOSE))["services"]["llama-server"]
    assert service == {
        "image": "ghcr.io/ggml-org/llama.cpp:server",
        "ports": ["127.0.0.1:9001:9001"],
        "volumes": [
            {"type": "bind", "source": "/m", "target": "/models", "read_only": True},
            {"type": "bind", "source": "/t", "target": "/templates", "read_only": True},
        ],
        "command": [
            "-m", "/models/it's 100%.gguf", "--host", "0.0.0.0", "--port", "9001", "--alias", 'a "b" $$c',
            "--chat-template-file", "/templates/a.jinja", *(word.replace("$", "$$") for word in WEIRD),
        ],
    }  # fmt: skip


@pytest.mark.parametrize(("host", "published"), [("0.0.0.0", "0.0.0.0:9001:9001"), ("::1", "[::1]:9001:9001")])
def test_a_container_is_reached_where_the_server_would_be(host, published):
    argv = ("/e", "-m", "/m/x.gguf", "--host", host, "--port", "9001")
    service = yaml.safe_load(export(argv, ExportFormat.COMPOSE))["services"]["llama-server"]
    assert service["ports"] == [published]
    assert "0.0.0.0" in service["command"]


ONE_FOR_ALL = ("/opt/llama", "serve", "-m", "/m/tiny.gguf", "--host", "127.0.0.1", "--port", "9001")


def test_the_image_of_a_container_is_not_told_to_serve_twice():
    service = yaml.safe_load(export(ONE_FOR_ALL, ExportFormat.COMPOSE))["services"]["llama-server"]
    assert service["command"][0] == "-m"


@pytest.mark.parametrize("form", [*formats_for("another"), ExportFormat.LLAMA_SWAP])
def test_the_server_of_the_one_program_is_copied_as_it_starts(form):
    text = " ".join(export(ONE_FOR_ALL, form).replace("\\\n", " ").replace("`\n", " ").split())
    assert "/opt/llama serve -m /m/tiny.gguf" in text.replace("'", "")


@pytest.mark.parametrize("form", ExportFormat)
def test_what_was_copied_of_the_one_program_is_read_again(form):
    read = read_command_line(export(ONE_FOR_ALL, form))
    port = None if form in IN_FRONT else 9001
    assert (read.model, read.options.port) == ("/m/tiny.gguf", port)


def test_a_template_beside_the_model_needs_no_second_folder():
    argv = ("/e", "-m", "/m/x.gguf", "--chat-template-file", "/m/x.jinja")
    service = yaml.safe_load(export(argv, ExportFormat.COMPOSE))["services"]["llama-server"]
    assert [volume["target"] for volume in service["volumes"]] == ["/models"]
    assert service["command"] == ["-m", "/models/x.gguf", "--chat-template-file", "/models/x.jinja"]
    assert service["ports"] == ["127.0.0.1:8080:8080"]


@pytest.mark.parametrize("form", ExportFormat)
@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (("--api-key", "s3cr3t"), {}),
        (("--api_key=s3cr3t",), {}),
        ((), {"LLAMA_API_KEY": "s3cr3t"}),
        (("--api-key", "s3cr3t", "--api-key=s3cr3t"), {"LLAMA_API_KEY": "s3cr3t"}),
    ],
)
def test_no_key_is_in_any_form_but_each_says_where_it_goes(form, words, environment):
    text = export(("/e", "-m", "/m/x.gguf", *words, "-c", "5"), form, environment)
    assert "s3cr3t" not in text
    assert "LLAMA_API_KEY" in text
    read = read_command_line(text)
    assert (read.options.context_size, read.model, read.api_key) == (5, "/m/x.gguf", None)


def test_a_token_for_the_network_is_a_key_too():
    assert export(("/e", "--hf-token", "s3cr3t", "-hft"), ExportFormat.SH) == 'HF_TOKEN="$HF_TOKEN" /e'


@pytest.mark.parametrize("form", set(ExportFormat) - {ExportFormat.ROUTER_PRESET})
def test_the_environment_comes_along(form):
    text = export(("/e", "-m", "/m/x.gguf", "-c", "5"), form, {"GGML_X": "a 'b' %c $d"})
    notes = [note.words for note in read_command_line(text).notes]
    assert ("GGML_X=a 'b' %c $d",) in notes


@pytest.mark.parametrize("form", ExportFormat)
def test_what_others_reach_asks_for_a_key_wherever_it_runs(form):
    exposed = ("llama-server", "-m", "/m/x.gguf", "--host", "0.0.0.0", "--port", "9001")
    assert "LLAMA_API_KEY" in export(exposed, form)
    assert "LLAMA_API_KEY" not in export((*exposed[:4], "127.0.0.1", *exposed[5:]), form)
