"""What cannot be read as a command line, what stays secret, and odd corners of shells and files."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gglib_desktop.domain.commandline.posix_words import sh_words
from gglib_desktop.domain.commandline.reading import CommandLine, read_command_line
from gglib_desktop.domain.commandline.variables import Variables
from gglib_desktop.domain.commandline.windows_words import cmd_words, powershell_words
from gglib_desktop.domain.commandline.words import Operator, Unclosed, Word
from gglib_desktop.domain.errors import ConfigurationError
from tests.unit.domain.commandline.pasted import CAPABILITIES, check_pasted

NOTHING = "there is no llama-server command in this text"
UNCLOSED = "a quotation mark is not closed"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", NOTHING),
        ("hello world", NOTHING),
        ("ls -l /opt", NOTHING),
        ("docker compose up -d", NOTHING),
        ("docker run", NOTHING),
        ("docker run nginx -g x", NOTHING),
        ("pip install llama-cpp-python", NOTHING),
        ("environment:\n  A: b", NOTHING),
        ("command:", NOTHING),
        ("Start-Process notepad.exe -ArgumentList a", NOTHING),
        ("FOO=bar", NOTHING),
        ('run(["llama-server", "-m" "x.gguf"])', NOTHING),
        ("llama-server -m 'x.gguf -c 4096", UNCLOSED),
        ('llama-server -m "x.gguf', UNCLOSED),
        ("llama-server -m $(ls", UNCLOSED),
        ("llama-server -m `ls", UNCLOSED),
        ("$env:A='b'; llama-server -m 'x.gguf", UNCLOSED),
        ('$env:A="b"; llama-server -m "x.gguf', UNCLOSED),
        ('set A=b&& llama-server -m "x.gguf', UNCLOSED),
    ],
)
def test_what_cannot_be_read_is_said_without_the_text(text, reason):
    with pytest.raises(ConfigurationError) as caught:
        read_command_line(text, CAPABILITIES)
    assert (caught.value.field, caught.value.value, caught.value.reason) == ("command_line", "", reason)


@pytest.mark.parametrize(
    "text",
    [
        "llama-server --api-key s3cr3t -m x.gguf --api-key=s3cr3t",
        "LLAMA_API_KEY=s3cr3t llama-server -m x.gguf",
        "export OPENAI_API_KEY=s3cr3t DB_PASSWORD=s3cr3t\nllama-server -m x.gguf --hf-token s3cr3t",
        "llama-server -m x.gguf\ncurl -H 'Authorization: Bearer s3cr3t' localhost",
        "llama-server -m x.gguf\nllama-server --api-key s3cr3t\nMY_TOKEN: s3cr3t",
        "docker run -e HF_TOKEN=s3cr3t -e LLAMA_API_KEY=s3cr3t image:server -m x.gguf",
    ],
)
def test_secrets_are_in_no_note_and_in_no_extra_argument(text):
    read = read_command_line(text, CAPABILITIES)
    assert "s3cr3t" not in repr(read)
    assert read.options.extra_args == ()


PIECES = [
    *(
        "llama-server",
        "-m",
        "x.gguf",
        "--api-key",
        "--flag=",
        "-1",
        "A=b",
        "set ",
        "export",
        "docker",
        "run",
        "-v",
        "-e",
        "<a>",
        "${A:-",
        "A=(",
        "@(",
        "@A",
        "param(",
        "if ",
        "fi",
        "B+=",
        "$B = ",
    ),
    *(
        "'",
        '"',
        "`",
        "$",
        "$(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "\\",
        "\n",
        "  ",
        "- ",
        ": ",
        "#",
        "^",
        "%A%",
        "${B",
        "%i",
        "~",
    ),
    *(
        "cmd",
        "command:",
        "ExecStart=",
        "[Container]",
        "Exec=",
        "Volume=",
        "macros:",
        "Environment=",
        "PS C:\\>",
        "> ",
        "&",
        "&&",
        ">",
        "2>",
        ";",
        "|",
        "=",
        ",",
        "!",
    ),
    *("\r", "\0"),
]


@pytest.mark.no_cover  # what happened to be tried is no proof
@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(PIECES) | st.text(max_size=5),
        max_size=30,
    ).map("".join)
)
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(ConfigurationError):
        assert isinstance(read_command_line(text, CAPABILITIES), CommandLine)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a 2>b c3>d", ["a", Operator("2>"), "b", "c3", Operator(">"), "d"]),
        ("a\\\nb c\\\n d", ["ab", "c", "d"]),
        ('"a\\\nb" "\\$x" "$" "${" a#b ~x x~', ["ab", "$x", "$", "${", "a#b", "~x", "x~"]),
        ("'' \"\" $'\\n'", ["", "", "\n"]),
        ("a\\", ["a"]),
        ("$EMPTY$A x${A}y", ["1", "2", "x1", "2y"]),
        ("$((1+(2))) $1", [Word("$((1+(2)))", True), Word("$1", True)]),
    ],
)
def test_words_of_sh(text, words):
    expected = [Word(each) if isinstance(each, str) else each for each in words]
    assert sh_words(text, Variables({"EMPTY": "", "A": "1 2"})) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('a \'b\'\'c\' "d""e`"f" g`nh', ["a", "b'c", 'd"e"f', "g\nh"]),
        ("a ~/x b~ `", ["a", "/h/x", "b~", ""]),
        ('"$A $" $(1) 2>&1', ["1 $", Word("$(1)", True), Operator("2>&"), "1"]),
        ("$A = 5; $env:B = 'c'", ["A=5", Operator(";"), "export", "B=c"]),
    ],
)
def test_words_of_powershell(text, words):
    expected = [Word(each) if isinstance(each, str) else each for each in words]
    assert powershell_words(text, Variables({"A": "1", "HOME": "/h"})) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('a "b c" "" "d\\"e" "f""g" ^"', ["a", "b c", "", 'd"e', 'f"g', '"']),
        ("a %A% !A! %B% 2>nul", ["a", "1", "1", Word("%B%", True), Operator("2>"), "nul"]),
        ("set X=a %B% & @set Y=z", ["export", Word("X=a %B%", True), Operator("&"), "export", "Y=z"]),
        ("a ^\r\n  b", ["a", "b"]),
        ("x(y) 50%", ["x(y)", "50%"]),
    ],
)
def test_words_of_cmd(text, words):
    expected = [Word(each) if isinstance(each, str) else each for each in words]
    assert cmd_words(text, Variables({"A": "1"})) == expected


@pytest.mark.parametrize("text", ["'a", '"a', "$(a", "`a"])
def test_open_quotes_of_sh(text):
    with pytest.raises(Unclosed):
        sh_words(text, Variables())


def test_a_compose_file_with_odd_parts():
    text = """
services:
  llm:
    image: llama.cpp:server
    volumes: here
    environment:
      - LLAMA_ARG_CTX_SIZE=4096
      - PASSED_ON
      - {odd: 1}
    command: -m /m/x.gguf
  other:
    image: x
    volumes:
      - ${NOWHERE}:/m
"""
    around = "around: 'image: llama.cpp:server' 'volumes: here' 'image: x' 'volumes: ${NOWHERE}:/m'"
    told = ["environment: 'PASSED_ON=$PASSED_ON'", "model: -m /m/x.gguf", around]
    check_pasted(text, {"model": "/m/x.gguf", "context_size": 4096}, told)


def test_a_volume_that_nobody_knows_the_place_of_changes_no_path():
    text = (
        "services:\n  llm:\n    image: i\n    command: -m /m/x.gguf\n    volumes:\n      - $NOWHERE:/m\n      - [odd]\n"
    )
    check_pasted(text, {"model": "/m/x.gguf"}, ["model: -m /m/x.gguf", "around: 'image: i' 'volumes: $NOWHERE:/m'"])


def test_each_path_is_in_the_volume_that_holds_it():
    text = "docker run -v /srv/cache:/models/cache -v /srv/models:/models image:server -m /models/x.gguf"
    around = "around: docker run -v /srv/cache:/models/cache -v /srv/models:/models image:server"
    check_pasted(text, {"model": "/srv/models/x.gguf"}, ["model: -m /models/x.gguf", around])


def test_an_inner_quote_does_not_hide_the_command_after_it():
    text = "I'd say llama-server's fine\nllama-server -m x.gguf --alias 'a\nb' -c 5"
    fields = {"model": "x.gguf", "context_size": 5, "alias": "a b"}
    check_pasted(text, fields, ["model: -m x.gguf", "around: 'Id say llama-servers fine'"])


def test_variables_that_hold_each_other_come_to_an_end():
    check_pasted("HOME=$HOME/x; A=$HOME; llama-server -m x.gguf", {"model": "x.gguf"}, ["model: -m x.gguf"])


def test_variables_next_to_other_lines():
    check_pasted("cat .env\nLLAMA_ARG_CTX_SIZE=5", {"context_size": 5}, ["around: 'cat .env'"])


def test_a_container_without_an_image_starts_nothing():
    with pytest.raises(ConfigurationError):
        read_command_line("docker run --rm -v /srv/m:/models")
