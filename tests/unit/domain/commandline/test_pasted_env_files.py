"""Files of variables alone, as people write them for docker, compose, systemd and init scripts."""

import pytest

from gglib_desktop.domain.commandline.reading import read_command_line
from gglib_desktop.domain.errors import ConfigurationError
from tests.unit.domain.commandline.pasted import check_pasted

X = {"model": "/m/x.gguf"}
CTX = {**X, "context_size": 4096}
SAID = ["model: LLAMA_ARG_MODEL=/m/x.gguf"]
LINES = [
    ("LLAMA_ARG_MODEL=/m/x.gguf\nexport LLAMA_ARG_CTX_SIZE=4096\n", CTX, SAID),
    # the name of a program in a comment
    (
        "# /etc/default/llama-server\nLLAMA_ARG_MODEL=/m/x.gguf\n; more\n\n[env]\nLLAMA_ARG_CTX_SIZE=4096  # ok\n",
        CTX,
        SAID,
    ),
    # blanks around the sign, and a colon
    ("LLAMA_ARG_MODEL = /m/x.gguf\nLLAMA_ARG_CTX_SIZE =4096 # ok\n", CTX, SAID),
    ("LLAMA_ARG_MODEL: /m/x.gguf\nLLAMA_ARG_CTX_SIZE: '4096'\nTZ:\n", CTX, ["environment: TZ=", *SAID]),
    # values with blanks, as docker and systemd take them without quotation marks
    (
        "LLAMA_ARG_MODEL=/m/my model.gguf\nLLAMA_ARG_ALIAS=It's mine\n",
        {"model": "/m/my model.gguf", "alias": "It's mine"},
        ["model: 'LLAMA_ARG_MODEL=/m/my model.gguf'"],
    ),
    (
        'D=/m\nLLAMA_ARG_MODEL = "${D}/x.gguf"  # here\nLLAMA_ARG_CTX_SIZE = $CTX\n',
        X,
        ["environment: D=/m", *SAID, "unresolved: 'LLAMA_ARG_CTX_SIZE=$CTX'"],
    ),
    ("LLAMA_ARG_MODEL=/m/x.gguf\nLLAMA_ARG_CTX_SIZE=\n", X, ["empty: LLAMA_ARG_CTX_SIZE=", *SAID]),
    # all arguments in one value
    ('LLAMA_ARGS="-m /m/x.gguf -c 4096"\n', CTX, ["model: -m /m/x.gguf"]),
    (
        "DAEMON=/usr/bin/llama-server\nDAEMON_OPTS='--model=/m/x.gguf --ctx-size=4096'\nOTHER=--no-such\nMORE=\"-c 'x\"\n",
        CTX,
        [
            "environment: DAEMON=/usr/bin/llama-server",
            "environment: OTHER=--no-such",
            "environment: 'MORE=-c '\"'\"'x'",
            "model: --model=/m/x.gguf",
        ],
    ),
    # a command is no value
    ("LLAMA_ARG_CTX_SIZE=4096 ./llama-server -m /m/x.gguf", CTX, ["model: -m /m/x.gguf"]),
    ("LLAMA_ARG_CTX_SIZE=4096 server -m /m/x.gguf", CTX, ["model: -m /m/x.gguf"]),
]


@pytest.mark.parametrize(("text", "fields", "notes"), LINES, ids=lambda value: str(value)[:50])
def test_a_file_of_variables(text, fields, notes):
    check_pasted(text, fields, notes)


@pytest.mark.parametrize(
    "text", ["LLAMA_ARG_CTX_SIZE=4096 ./start.sh\n", "LLAMA_ARG_CTX_SIZE=4096 start -m\n", "A=llama-server\nB: 5\n"]
)
def test_a_file_of_others_is_none(text):
    with pytest.raises(ConfigurationError, match="no llama-server command"):
        read_command_line(text)


@pytest.mark.no_cover  # it is about length: counting its lines would double its time
@pytest.mark.parametrize(
    "piece",
    [
        *("LLAMA_ARG_A = a b\n", "A = " + " " * 99, "FROM x\n", "if exist ("),
        *("<!--", "<key>ProgramArguments</key><array>", "<string>"),
        *('["server -', '("llama-server ', "'server -"),
    ],
)
def test_a_long_text_of_pieces_ends(piece):
    with pytest.raises(ConfigurationError, match=r"no llama-server command|not closed"):
        read_command_line("A llama x\n" + piece * (20_000 // len(piece)))
