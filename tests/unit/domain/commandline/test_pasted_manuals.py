"""What manuals write in place of a value, and commands for other programs."""

import pytest

from gglib_desktop.domain.commandline.reading import read_command_line
from gglib_desktop.domain.errors import ConfigurationError
from tests.unit.domain.commandline.pasted import CAPABILITIES, check_pasted

PLACEHOLDERS = [
    (
        "llama-server -hf <user>/<repo> -c <context> --port 8070 -ngl <layers>",
        {"port": 8070},
        ["placeholder: -hf '<user>/<repo>'", "placeholder: -c '<context>'", "placeholder: -ngl '<layers>'"],
    ),
    (
        "llama-server -m <path to the model> -c <n> -t <threads>-1 --jinja > log < in",
        {"jinja": True},
        [
            "model: -m '<path to the model>'",
            "placeholder: -c '<n>'",
            "placeholder: -t '<threads>-1'",
            "around: '>log' '<in'",
        ],
    ),
    (
        "llama-server -m \"<model>\" -c N -ngl '{layers}' --temp '{{ temp }}' --top-k [k] --n-cpu-moe N [options] ... -np …",
        {},
        [
            "model: -m '<model>'",
            "placeholder: -c N",
            "placeholder: -ngl '{layers}'",
            "placeholder: --temp '{{ temp }}'",
            "placeholder: --top-k '[k]'",
            "placeholder: --n-cpu-moe N",
            "placeholder: '[options]'",
            "placeholder: ...",
            "placeholder: -np '…'",
        ],
    ),
    (
        "llama-server -m x.gguf --api-key <your key> --port PORT --host <ip> --mmproj <mmproj.gguf>",
        {"model": "x.gguf"},
        [
            "model: -m x.gguf",
            "placeholder: --api-key '<your key>'",
            "owned: --port PORT",
            "owned: --host '<ip>'",
            "placeholder: --mmproj '<mmproj.gguf>'",
        ],
    ),
    # text that may well be meant
    (
        "llama-server -m x.gguf --chat-template '<s>' --tags '<think>' --grammar '{x}'",
        {"model": "x.gguf", "chat_template": "<s>", "extra_args": ("--tags", "<think>", "--grammar", "{x}")},
        ["model: -m x.gguf", "extra: --tags '<think>'", "extra: --grammar '{x}'"],
    ),
    (
        "llama-server -m '/srv/<x>.gguf' --chat-template-file '/srv/{x}' --slot-save-path /srv/<x>",
        {"model": "/srv/<x>.gguf", "chat_template_file": "/srv/{x}"},
        ["model: -m '/srv/<x>.gguf'", "placeholder: --slot-save-path '/srv/<x>'"],
    ),
    # redirections all the same
    (
        "llama-server -m x.gguf <in.txt >out.txt; cat <<EOF; tr a b <in 2>err",
        {"model": "x.gguf"},
        ["model: -m x.gguf", "around: '<in.txt' '>out.txt' 'cat <<EOF' 'tr a b <in 2>err'"],
    ),
    (
        ".\\llama-server.exe -m <path to model.gguf> -c <n> -t 4",
        {"threads": 4},
        ["model: -m '<path to model.gguf>'", "placeholder: -c '<n>'"],
    ),
    (
        'C:\\llama>llama-server.exe -m "<model>" -c <n> -t 4 <in',
        {"threads": 4},
        ["model: -m '<model>'", "placeholder: -c '<n>'", "around: '<in'"],
    ),
    (
        'command: ["-m", "<model>", "-c", "<n>", "-t", "4"]',
        {"threads": 4},
        ["model: -m '<model>'", "placeholder: -c '<n>'"],
    ),
    (
        "ExecStart=/usr/bin/llama-server -m <model> -c <n> -t 4",
        {"threads": 4},
        ["model: -m '<model>'", "placeholder: -c '<n>'"],
    ),
]
OTHERS = [
    (
        "koboldcpp.exe --model a.Q6_K.gguf --port 5001 --contextsize 4096 --gpulayers 15",
        {"model": "a.Q6_K.gguf", "port": 5001, "extra_args": ("--contextsize", "4096", "--gpulayers", "15")},
        [
            "model: --model a.Q6_K.gguf",
            "unknown: --contextsize 4096",
            "unknown: --gpulayers 15",
            "around: koboldcpp.exe",
        ],
    ),
    (
        "nohup ./llama-tts -m x.gguf --no-such-flag -c 512 'a word'",
        {"model": "x.gguf", "context_size": 512, "extra_args": ("--no-such-flag", "a word")},
        ["model: -m x.gguf", "unknown: --no-such-flag", "unknown: 'a word'", "around: nohup ./llama-tts"],
    ),
    (
        "llama-server -m x.gguf -fmoe -amb 512 -rtr",
        {"model": "x.gguf", "extra_args": ("-fmoe", "-amb", "512", "-rtr")},
        ["model: -m x.gguf", "unknown: -fmoe", "unknown: -amb 512", "unknown: -rtr"],
    ),
]


BRACKETS = [
    (
        "llama-server -m x.gguf [-c 4096] [--port 8070] [--jinja] [options]",
        {"model": "x.gguf", "context_size": 4096, "port": 8070, "jinja": True},
        ["model: -m x.gguf", "placeholder: '[options]'"],
    ),
    (
        "llama-server [ -m x.gguf ] [-c <context>] [ -t 4 ]",
        {"model": "x.gguf", "threads": 4},
        ["model: -m x.gguf", "placeholder: -c '<context>'"],
    ),
    (
        "llama-server -m x.gguf [--port PORT] --tags [a] --grammar ]",
        {"model": "x.gguf", "extra_args": ("--tags", "[a]", "--grammar", "]")},
        ["model: -m x.gguf", "owned: --port PORT", "extra: --tags '[a]'", "extra: --grammar ']'"],
    ),
]


@pytest.mark.parametrize(
    ("text", "fields", "notes"), PLACEHOLDERS + OTHERS + BRACKETS, ids=lambda value: str(value)[:50]
)
def test_a_line_that_is_not_quite_one(text, fields, notes):
    check_pasted(text, fields, notes)


@pytest.mark.parametrize(
    "text",
    [
        "python -m llama_cpp.server --model /m/x.gguf --n_ctx 4096 --port 8000",
        "python3.11 koboldcpp.py --model x.gguf --port 5001",
        "vllm serve org/model --port 8000",
        "ollama run x",
    ],
)
def test_a_line_for_a_program_that_takes_other_arguments_is_none_for_llama_server(text):
    with pytest.raises(ConfigurationError, match="no llama-server command"):
        read_command_line(text, CAPABILITIES)


def test_without_an_engine_nobody_says_that_it_does_not_list_a_flag():
    check_pasted(
        "llama-server --new-flag 1",
        {"extra_args": ("--new-flag", "1")},
        ["extra: --new-flag 1"],
        None,
    )
