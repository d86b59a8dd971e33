"""What web pages, word processors and terminals put into a command line."""

import pytest

from gglib_desktop.domain.commandline.reading import read_command_line
from tests.unit.domain.commandline.pasted import CAPABILITIES, check_pasted

X = {"model": "/m/x.gguf"}
SAID = ["model: -m /m/x.gguf"]
CTX = {**X, "context_size": 4096}
THINKING = "--chat-template-kwargs '{\"enable_thinking\":false}'"
KWARGS = {**X, "extra_args": ("--chat-template-kwargs", '{"enable_thinking":false}')}
NOTES = [*SAID, f"extra: {THINKING}"]

TYPED = [
    # dashes
    ("llama-server –m /m/x.gguf —ctx-size 4096 ––jinja −ngl −1", {**CTX, "jinja": True, "gpu_layers": -1}, SAID),
    ("llama-server -m /m/x.gguf --ctx‑size 4096 –-gpu–layers=9", {**CTX, "gpu_layers": 9}, SAID),
    (
        "llama-server –model /m/x.gguf —nope-at-all 1",
        {**X, "extra_args": ("--nope-at-all", "1")},
        ["model: --model /m/x.gguf", "unknown: --nope-at-all 1"],
    ),
    (
        "llama-server -m '/m/A –b — c.gguf' -a 1–2",
        {"model": "/m/A –b — c.gguf", "alias": "1–2"},
        ["model: -m '/m/A –b — c.gguf'"],
    ),
    # quotation marks
    (
        "llama-server -m “/my models/x.gguf” --alias ‘two words’",
        {"model": "/my models/x.gguf", "alias": "two words"},
        ["model: -m '/my models/x.gguf'"],
    ),
    ("llama-server -m /m/x.gguf --chat-template-kwargs ‘{“enable_thinking”:false}’", KWARGS, NOTES),
    ("I’m using llama-server -m /m/x.gguf -c 4096", CTX, [*SAID, "around: 'I’m' using"]),
    ('llama-server -m /m/x.gguf --alias "“a” ‘b’"', {**X, "alias": "“a” ‘b’"}, SAID),
    # HTML
    (
        "llama-server -m /m/x.gguf --chat-template-kwargs &#39;{&quot;enable_thinking&quot;:false}&#39; &gt; log 2&gt;&amp;1",
        KWARGS,
        [*NOTES, "around: '>log' '2>&1'"],
    ),
    ("cd x &amp;&amp;&nbsp;llama-server&nbsp;-m /m/x.gguf -c 4096", CTX, [*SAID, "around: 'cd x'"]),
    ("llama-server -m /m/x.gguf --alias 'a &amp; b'", {**X, "alias": "a &amp; b"}, SAID),
    # invisible characters
    ("\ufeffllama-server\u200b -m /m/x.gguf \u200b-c\u00a04096", CTX, SAID),
    ("\x1b[1;32muser@box\x1b[0m:~$ llama-server -m /m/x.gguf\u2028-c 4096", CTX, SAID),
    ("llama-server -m '/m/a\u200db.gguf'", {"model": "/m/a\u200db.gguf"}, ["model: -m '/m/a\u200db.gguf'"]),
    # numbers of lines
    (" 9  llama-server \\\n10    -m /m/x.gguf \\\n11\n12    -c 4096", CTX, SAID),
    ("1| services:\n2|   a:\n3|     image: llama\n4|     command: -m /m/x.gguf", X, [*SAID, "around: 'image: llama'"]),
    ("  501  cd x\n  502  llama-server -m /m/x.gguf -c 4096", CTX, [*SAID, "around: 'cd x'"]),
    ("llama-server -m /m/x.gguf -c \\\n4096 -ngl \\\n20", {**CTX, "gpu_layers": 20}, SAID),
]


@pytest.mark.parametrize(("text", "fields", "notes"), TYPED)
def test_a_command_is_read_as_it_was_typed(text, fields, notes):
    check_pasted(text, fields, notes)


def test_one_dash_stands_for_two_where_no_flag_has_one():
    read = read_command_line("llama-server –m x –port 8081 –z 1 –fit off", None)
    assert (read.options.port, read.options.extra_args) == (8081, ("-z", "1", "--fit", "off"))


JSON = [
    ('llama-server -m /m/x.gguf --chat-template-kwargs {"enable_thinking":false}', KWARGS, NOTES),
    (
        'llama-server -m /m/x.gguf --chat-template-kwargs {"a": {"b": [1, "c d"]}} -c 4096',
        {**CTX, "extra_args": ("--chat-template-kwargs", '{"a": {"b": [1, "c d"]}}')},
        [*SAID, 'extra: --chat-template-kwargs \'{"a": {"b": [1, "c d"]}}\''],
    ),
    (
        'LLAMA_ARG_MODEL=/m/x.gguf\nLLAMA_ARG_CHAT_TEMPLATE_KWARGS={"enable_thinking":false}',
        KWARGS,
        [
            "model: LLAMA_ARG_MODEL=/m/x.gguf",
            (
                "translated: 'LLAMA_ARG_CHAT_TEMPLATE_KWARGS={\"enable_thinking\":false}' -> "
                '--chat-template-kwargs {"enable_thinking":false}'
            ),
        ],
    ),
    (r"C:\>llama-server.exe -m /m/x.gguf --chat-template-kwargs {\"enable_thinking\":false}", KWARGS, NOTES),
    (r".\llama-server.exe -m /m/x.gguf --chat-template-kwargs '{\"enable_thinking\":false}'", KWARGS, NOTES),
    ('.\\llama-server.exe -m /m/x.gguf --chat-template-kwargs {"enable_thinking":false}', KWARGS, NOTES),
    # no JSON, or more than that
    ('[ "x" ] && llama-server -m /m/x.gguf -c 4096', CTX, [*SAID, "around: '[ x ]'"]),
    ('llama-server -m /m/x.gguf --tags {"a"}', {**X, "extra_args": ("--tags", "{a}")}, [*SAID, "extra: --tags '{a}'"]),
    (
        'llama-server -m /m/x.gguf --tags {"a":1}b',
        {**X, "extra_args": ("--tags", "{a:1}b")},
        [*SAID, "extra: --tags '{a:1}b'"],
    ),
    ('llama-server -m /m/x.gguf --tags {"a":"$B"}', X, [*SAID, "unresolved: --tags '{a:$B}'"]),
]


@pytest.mark.parametrize(("text", "fields", "notes"), JSON)
def test_json_keeps_its_own_quotes(text, fields, notes):
    check_pasted(text, fields, notes)


@pytest.mark.no_cover  # it is about length: counting its lines would double its time
@pytest.mark.parametrize(
    "text", ['{"a":' * 4000, '"\\' * 9000, "– " * 9000, "1 \n2 \n" * 4000, "'“" * 9000, '[{"a":[' * 3000]
)
def test_a_long_text_of_such_marks_comes_to_an_end(text):
    read = read_command_line(f"llama-server -m /m/x.gguf -c 4096\n{text}", CAPABILITIES)
    assert read.options.context_size == 4096
