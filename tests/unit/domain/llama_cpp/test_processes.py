"""What the command line of another program's llama-server says."""

from pathlib import Path

import pytest

from gglib_desktop.domain.llama_cpp.processes import (
    is_llama_server,
    may_sleep,
    server_port,
    stated_key,
    stated_model,
    stated_settings,
)
from gglib_desktop.domain.servers.foreign import StatedSettings


@pytest.mark.parametrize(
    ("program", "argv", "serves"),
    [
        ("llama-server", ["llama-server", "-m", "a.gguf"], True),
        ("llama-server", ["my-server"], True),
        ("Llama-Server.EXE", ["llama-server.exe"], True),
        ("llama", ["llama", "server", "-m", "a.gguf"], True),
        ("llama", ["llama", "serve"], True),
        ("llama", ["llama", "cli"], False),
        ("llama", ["llama"], False),
        ("llama-cli", ["llama-cli", "-m", "a.gguf"], False),
        ("llama-server-monitor", ["llama-server-monitor"], False),
        ("python3", ["python3", "llama-server"], False),
        ("llama-server", ["llama-server", "--help"], False),
        ("llama-server", ["llama-server", "--version"], False),
        ("llama-server", [], True),
    ],
)
def test_a_program_counts_by_its_file_name(program, argv, serves):
    assert is_llama_server(program, argv) is serves


@pytest.mark.parametrize(
    ("words", "environment", "model"),
    [
        (["-m", "/models/a.gguf"], {}, "/models/a.gguf"),
        (["--model", "a.gguf", "--port", "1"], {}, "a.gguf"),
        (["--model=/models/a.gguf"], {}, "/models/a.gguf"),
        (["-m=a=b.gguf"], {}, "a=b.gguf"),
        (["-m", "a.gguf", "-m", "b.gguf"], {}, "b.gguf"),
        (["-hf", "someone/model"], {}, None),
        (["--alias", "-m"], {}, None),
        (["-m"], {}, None),
        ([], {"LLAMA_ARG_MODEL": "c.gguf"}, "c.gguf"),
        (["-m", "a.gguf"], {"LLAMA_ARG_MODEL": "c.gguf"}, "a.gguf"),
    ],
)
def test_the_model_is_the_file_that_was_named(words, environment, model):
    assert stated_model(["llama-server", *words], environment) == (None if model is None else Path(model))


@pytest.mark.parametrize(
    ("words", "environment", "listening", "port"),
    [
        (["--port", "9000"], {}, {9000}, 9000),
        (["--port=9000"], {}, {9000, 8080}, 9000),
        (["--port", "9000"], {}, set(), 9000),
        (["--port", "9000"], {}, {9100}, 9100),
        ([], {"LLAMA_ARG_PORT": "9000"}, set(), 9000),
        ([], {}, {8080}, 8080),
        ([], {}, {9931, 7000}, 9931),
        ([], {}, {7001, 7000}, 7000),
        ([], {}, set(), None),
        (["--port", "many"], {}, set(), None),
        (["--port", "0"], {}, {40000}, 40000),
        (["--port", "70000"], {}, set(), None),
    ],
)
def test_the_port_is_the_one_that_it_listens_on(words, environment, listening, port):
    assert server_port(["llama-server", *words], environment, listening) == port


@pytest.mark.parametrize(
    ("line", "settings"),
    [
        ("", StatedSettings()),
        ("--alias coder -a more", StatedSettings(alias="coder,more")),
        ("-c 2048 -ngl 99", StatedSettings(2048, 99)),
        ("--ctx-size=0 --n-gpu-layers auto", StatedSettings(0)),
        ("-c -1 -c 1e400", StatedSettings()),
        ("--spec-draft-n-max 4 --spec-draft-p-min 0.5", StatedSettings()),
        ("--spec-type draft-mtp", StatedSettings(spec_draft_n_max=3)),
        (
            "--spec-type ngram-mod,draft-mtp --spec-draft-n-max 4 --spec-draft-p-min 0.5",
            StatedSettings(spec_draft_n_max=4, spec_draft_p_min=0.5, spec_type="ngram-mod,draft-mtp"),
        ),
        ("--spec-type none -md /m/d.gguf", StatedSettings()),
        ("--spec-type Any -md /m/d.gguf", StatedSettings()),
        (
            "--spec-type draft-simple -md /m/d.gguf",
            StatedSettings(spec_draft_n_max=3, spec_draft_model=Path("/m/d.gguf")),
        ),
        (
            "--spec-type draft-mtp -md /m/d.gguf",
            StatedSettings(spec_draft_n_max=3, spec_draft_model=Path("/m/d.gguf"), spec_type="draft-mtp"),
        ),
        ("--spec-type ngram-mod", StatedSettings(spec_draft_n_max=3, spec_type="ngram-mod")),
        ("--spec-type draft-mtp --spec-draft-n-max 64 --draft-p-min 2", StatedSettings(spec_draft_n_max=3)),
    ],
)
def test_settings_that_we_have_too_are_read(line, settings):
    assert stated_settings(["llama-server", *line.split()]) == settings


def test_flags_are_read_in_every_spelling_that_the_engine_reads():
    assert stated_settings(["llama-server", "--ctx_size", "512", "--n_gpu_layers=3"]) == StatedSettings(
        context_size=512, gpu_layers=3
    )
    assert stated_model(["llama-server", "--mo=x", "-m=a=b", "no.gguf"], {}) == Path("a=b")


def test_a_key_that_a_command_line_gives_away_is_read():
    assert stated_key(("llama-server", "--api-key", "one,two"), {}) == "one"
    assert stated_key(("llama-server", "--api-key", "one"), {"LLAMA_API_KEY": "two,three"}) == "two"
    assert stated_key(("llama-server", "--api-key-file", "/k"), {}) is None


def test_a_name_may_be_said_by_the_environment():
    said = stated_settings(["llama-server", "-a", "two"], {"LLAMA_ARG_ALIAS": "one"})
    assert said == StatedSettings(alias="one,two")


@pytest.mark.parametrize(
    ("line", "sleeps"),
    [
        ("llama-server --sleep-idle-seconds 300", True),
        ("llama-server --sleep-idle-seconds=2 -m 'a model.gguf'", True),
        ("llama-server --sleep-idle-seconds -1", False),
        ("llama-server --sleep-idle-seconds 300 --sleep-idle-seconds -1", False),
        ("llama-server -m tiny.gguf", False),
        ("llama-server --sleep-idle-seconds 300 'unclosed", False),
        ("", False),
    ],
)
def test_a_command_line_says_whether_the_server_may_sleep(line, sleeps):
    assert may_sleep(line) is sleeps
