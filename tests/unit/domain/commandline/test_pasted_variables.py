"""Names and their values: in scripts for sh, PowerShell and cmd.exe, in llama-swap's file, compose files and Kubernetes."""

import pytest

from gglib_desktop.domain.commandline.posix_words import sh_words
from gglib_desktop.domain.commandline.reading import read_command_line
from gglib_desktop.domain.commandline.variables import (
    MOST_TEXT,
    Variables,
    assignments,
    exports,
    interpolated,
    with_macros,
)
from gglib_desktop.domain.commandline.words import Word
from tests.unit.domain.commandline.pasted import check_pasted

X = "model: -m x.gguf"
SH = [
    (
        'llama-server --model "${MODEL_PATH}" --host "${HOST:=0.0.0.0}" --port "${PORT:=8001}" --gpu_layers "${GPU_LAYERS:=0}" "${CHAT_FORMAT}"',
        {"host": "0.0.0.0", "port": 8001, "gpu_layers": 0},
        ["model: --model '${MODEL_PATH}'", "unresolved: '${CHAT_FORMAT}'"],
    ),
    (
        ': "${CTX:=8192}" "${MODEL:=$HOME/m.gguf}"\nllama-server -m "$MODEL" -c $CTX -ngl ${NGL:-${LAYERS-99}} ${EXTRA:+--jinja} ${KEY:?set it}',
        {"model": "/home/me/m.gguf", "context_size": 8192, "gpu_layers": 99},
        [
            "model: -m /home/me/m.gguf",
            "unresolved: '${EXTRA:+--jinja}'",
            "unresolved: '${KEY:?set it}'",
            "around: ': 8192 /home/me/m.gguf'",
        ],
    ),
    (
        "#!/bin/sh\nMODEL=${1:-x.gguf}\nCTX=$2\nFA=on\nEMPTY=\ncd /m\nllama-server -m $MODEL -c ${CTX:-4096} ${FA:+-fa on} ${EMPTY:+--jinja} ${EMPTY:-} -np ${EMPTY:-2}",
        {"model": "x.gguf", "context_size": 4096, "flash_attn": "on", "parallel": 2},
        [X, "around: 'cd /m'"],
    ),
    (
        'OPTS="-c 4096 -t $(nproc --all) -ngl 99"\nOPTS+=\' --jinja\'\nOPTS="$OPTS -np 2"\nllama-server -m $DIR/x.gguf $OPTS',
        {"context_size": 4096, "gpu_layers": 99, "jinja": True, "parallel": 2},
        ["model: -m '$DIR/x.gguf'", "unresolved: -t '$(nproc --all)'"],
    ),
    (
        'set -e\nARGS=(\n  -m "/my models/x.gguf"   # the model\n  -c 4096\n)\nARGS+=(--jinja -t $(nproc))\nexec llama-server "${ARGS[@]}" "${MORE[@]}" -np ${NP[0]}',
        {"model": "/my models/x.gguf", "context_size": 4096, "jinja": True},
        [
            "model: -m '/my models/x.gguf'",
            "unresolved: -t '$(nproc)'",
            "unresolved: '${MORE[@]}'",
            "unresolved: -np '${NP[0]}'",
            "around: 'set -e' exec",
        ],
    ),
    (
        'A=(-m x.gguf) E=() N=(7 8); B=("${A[@]}" -np 2); declare -a C=(${B[*]} -t 4); llama-server ${C[@]+"${C[@]}"} "${E[@]}" --tags "${A[1]}" --seed "$N"',
        {"model": "x.gguf", "parallel": 2, "threads": 4, "extra_args": ("--seed", "7")},
        [X, "unresolved: --tags '${A[1]}'", "extra: --seed 7"],
    ),
    # the value counts that a name has at the place
    (
        "A=1; llama-server -m x.gguf -c $A; A=2; echo $A",
        {"model": "x.gguf", "context_size": 1},
        [X, "around: A=2 'echo 2'"],
    ),
    (
        'run() {\n  llama-server -m "$MODEL" -c $CTX\n}\nCTX=4096\nMODEL=$BASE/x.gguf\nBASE=/m\nrun',
        {"model": "/m/x.gguf", "context_size": 4096},
        ["model: -m /m/x.gguf", "around: run '{' '}' CTX=4096 MODEL=/m/x.gguf BASE=/m run"],
    ),
    (
        'if [ "$1" = big ]; then CTX=32768; NGL=99; else CTX=4096; NGL=99; fi\nAFTER=1; AFTER=2\nllama-server -m x.gguf -c $CTX -ngl $NGL -np $AFTER',
        {"model": "x.gguf", "gpu_layers": 99, "parallel": 2},
        [X, "unresolved: -c '$CTX'", "around: 'if [ $1 = big ]' 'then CTX=32768' 'else CTX=4096' fi"],
    ),
    (
        "A=xx; A=$A$A; B=$B$A; llama-server -m x.gguf --tags $A --grammar $B",
        {"model": "x.gguf", "extra_args": ("--tags", "xxxx")},
        [X, "extra: --tags xxxx", "unresolved: --grammar '$Bxxxx'"],
    ),
    (
        "A=xxxxxxxxxx" + "; A=$A$A$A$A" * 40 + "; llama-server -m x.gguf --tags $A -t 2",
        {"model": "x.gguf", "threads": 2},
        [X, "unresolved: --tags '$A'"],
    ),
    (
        "llama-server -m x.gguf -t " + "${A:-" * 40 + "4" + "}" * 40,
        {"model": "x.gguf"},
        [X, "unresolved: -t '" + "${A:-" * 40 + "4" + "}" * 40 + "'"],
    ),
    (
        'llama-server -m x.gguf --tags "${T:-a b}" --grammar "${G:-it\'s}" --media-path ${P:-a;b} --log-file ${L:-"c d"}',
        {
            "model": "x.gguf",
            "extra_args": ("--tags", "a b", "--grammar", "it's", "--media-path", "a;b", "--log-file", "c d"),
        },
        [
            X,
            "extra: --tags 'a b'",
            "extra: --grammar 'it'\"'\"'s'",
            "extra: --media-path 'a;b'",
            "extra: --log-file 'c d'",
        ],
    ),
]
FISH = [
    (
        "set -gx LLAMA_ARG_CTX_SIZE 8192\nset -x CUDA_VISIBLE_DEVICES 0\nset OPTS -np 2 --jinja\nset -l M x.gguf\nllama-server -m $M $OPTS",
        {"model": "x.gguf", "context_size": 8192, "parallel": 2, "jinja": True},
        ["environment: CUDA_VISIBLE_DEVICES=0", X],
    ),
]
SWAP = [
    (
        'macros:\n  "latest-llama": >\n    /opt/llama-server --port ${PORT}\n  "default_ctx": 4096\n  "default_args": "--ctx-size ${default_ctx} --jinja"\nmodels:\n  q:\n    cmd: |\n      ${latest-llama}\n      ${default_args}\n      -m /m/q.gguf\n',
        {"model": "/m/q.gguf", "context_size": 4096, "jinja": True},
        ["owned: --port '${PORT}'", "model: -m /m/q.gguf"],
    ),
    (
        "macros:\n  ctx: 4096\n  a: -c ${ctx} ${b}\n  b: --jinja ${a}\n  list: [x]\nmodels:\n  q:\n    macros:\n      ctx: 8192\n    cmd: llama-server -m /m/${MODEL_ID}.gguf ${a} -ngl ${env.NGL} --tags ${no-such}\n    env:\n      - LLAMA_ARG_THREADS=${t}\n  r:\n    macros: {}\n    cmd: other\n",
        {"model": "/m/q.gguf", "context_size": 8192, "jinja": True},
        [
            "unresolved: 'LLAMA_ARG_THREADS=${t}'",
            "model: -m /m/q.gguf",
            "unresolved: '${a}'",
            "unresolved: -ngl '${env.NGL}'",
            "unresolved: --tags '${no-such}'",
            "around: 'cmd: other'",
        ],
    ),
    (
        "macros:\n  models-dir: /srv/m\n  gpu: --device ${which-gpu} -ngl 99\n  which-gpu: CUDA0\nmodels:\n  q:\n    cmd: llama-server -m '${models-dir}/q.gguf' ${gpu}\n    env:\n      - \"LLAMA_ARG_CHAT_TEMPLATE_FILE=${models-dir}/t\"\n",
        {"model": "/srv/m/q.gguf", "device": "CUDA0", "gpu_layers": 99, "chat_template_file": "/srv/m/t"},
        ["model: -m /srv/m/q.gguf"],
    ),
]
YAML = [
    (
        'services:\n  l:\n    image: llama.cpp:server\n    command: ["-m", "${M:-${N:-x.gguf}}", "-c", "${C:?no}", "-np", "${P-2}", "--tags", "$$5 $T ${A[b]}", "${E:+x}", "-t", "${HOME:+4}"]\n',
        {"model": "x.gguf", "parallel": 2, "threads": 4},
        [
            X,
            "unresolved: -c '${C:?no}'",
            "unresolved: --tags '$5 $T ${A[b]}'",
            "unresolved: '${E:+x}'",
            "around: 'image: llama.cpp:server'",
        ],
    ),
    (
        "services:\n  l:\n    image: llama.cpp:server\n    command: -m x.gguf -c ${CTX-4096} ${A:-$HOME}\n",
        {"model": "x.gguf", "context_size": 4096, "extra_args": ("/home/me",)},
        [X, "unknown: /home/me", "around: 'image: llama.cpp:server'"],
    ),
    (
        'containers:\n  - name: l\n    args: ["-m", "$(MODEL)", "-c", "$(NO_SUCH)", "-t", "4"]\n    env:\n      - name: MODEL\n        value: x.gguf\n',
        {"model": "x.gguf", "threads": 4},
        ["environment: MODEL=x.gguf", X, "unresolved: -c '$(NO_SUCH)'", "around: 'name: l'"],
    ),
    (
        'services:\n  l:\n    image: llama.cpp:server\n    entrypoint: ["sh", "-c"]\n    command: ["llama-server -m x.gguf -c $$CTX -t $$NO"]\n    environment:\n      CTX: 4096\n',
        {"model": "x.gguf", "context_size": 4096},
        [
            "environment: CTX=4096",
            X,
            "unresolved: -t '$NO'",
            "around: sh -c 'image: llama.cpp:server' 'entrypoint: sh' 'entrypoint: -c'",
        ],
    ),
]
POWERSHELL = [
    (
        '$ServerArgs = @(\n    "-m", "C:\\models\\b.gguf",\n    "--port", "8080",\n    "-c", "4096"\n)\n& .\\bin\\llama-server.exe @ServerArgs',
        {"model": "C:\\models\\b.gguf", "port": 8080, "context_size": 4096},
        ["model: -m 'C:\\models\\b.gguf'"],
    ),
    ("& .\\bin\\llama-server.exe @ServerArgs -c 5", {"context_size": 5}, ["unresolved: @ServerArgs"]),
    (
        '$Server = "C:\\llama\\llama-server.exe"\n$opts = @(\'-m\', "$env:USERPROFILE\\x.gguf"\n \'-c\', 4096) # two lines\n$OPTS += "--jinja"\n$all = $opts\n& $Server $all --tags a,b -ts 3,1 --grammar "$one"',
        {
            "model": "C:\\Users\\me\\x.gguf",
            "context_size": 4096,
            "jinja": True,
            "extra_args": ("--tags", "a,b", "-ts", "3,1"),
        },
        ["model: -m 'C:\\Users\\me\\x.gguf'", "extra: --tags a,b", "extra: -ts 3,1", "unresolved: --grammar '$one'"],
    ),
    (
        'param(\n  [string]$Model = "C:\\m\\x.gguf",\n  [int]$Ctx = 8192\n)\n$a = "-m", $Model, "-c", $Ctx\n$a += "--port", (Get-Port 8080), "-t", "4"\nStart-Process -FilePath ".\\llama-server.exe" -ArgumentList $a -NoNewWindow',
        {"model": "C:\\m\\x.gguf", "context_size": 8192, "threads": 4},
        [
            "model: -m 'C:\\m\\x.gguf'",
            "owned: --port '(Get-Port 8080)'",
            "around: ')' Start-Process -FilePath -ArgumentList -NoNewWindow",
        ],
    ),
    (
        'Start-Process llama-server.exe -ArgumentList "-m","C:\\m\\x.gguf","-ngl","99" -Wait',
        {"model": "C:\\m\\x.gguf", "gpu_layers": 99},
        ["model: -m 'C:\\m\\x.gguf'", "around: Start-Process -ArgumentList -Wait"],
    ),
    (
        'Start-Process llama-server.exe -ArgumentList @("-m C:\\m\\x.gguf", "-ngl 99")',
        {"model": "C:\\m\\x.gguf", "gpu_layers": 99},
        ["model: -m 'C:\\m\\x.gguf'", "around: Start-Process -ArgumentList"],
    ),
    (
        '$n = 4\n$one = "-t"\n& llama-server.exe -m x.gguf @one $n @("-np", "2") --tags @',
        {"model": "x.gguf", "threads": 4, "parallel": 2, "extra_args": ("--tags", "@")},
        [X, "extra: --tags @"],
    ),
]
CMD = [
    (
        '@echo off\nset MODEL=C:\\my models\\x.gguf\nset ARGS=-m "%MODEL%" -c 4096 ^\n  -ngl 99\nset ARGS=%ARGS% --jinja -t %NUMBER_OF_PROCESSORS%\nllama-server.exe %args% --tags %MODEL:~0,2%',
        {"model": "C:\\my models\\x.gguf", "context_size": 4096, "gpu_layers": 99, "jinja": True},
        [
            "environment: 'MODEL=C:\\my models\\x.gguf'",
            "environment: 'ARGS=-m \"C:\\my models\\x.gguf\" -c 4096  -ngl 99'",
            "environment: 'ARGS=-m \"C:\\my models\\x.gguf\" -c 4096  -ngl 99 --jinja -t %NUMBER_OF_PROCESSORS%'",
            "model: -m 'C:\\my models\\x.gguf'",
            "unresolved: -t %NUMBER_OF_PROCESSORS%",
            "unresolved: --tags '%MODEL:~0,2%'",
            "around: 'echo off'",
        ],
    ),
    (
        "set A=%A% --jinja\nllama-server.exe -m x.gguf %A%",
        {"model": "x.gguf", "jinja": True},
        ["environment: 'A=%A% --jinja'", X, "unresolved: %A%"],
    ),
    (
        'set "DIR=C:\\my models"\nset "OPTS=-np 2 & rem"\nllama-server.exe -m "%DIR%\\x.gguf" %OPTS%',
        {"model": "C:\\my models\\x.gguf", "parallel": 2},
        [
            "environment: 'DIR=C:\\my models'",
            "environment: 'OPTS=-np 2 & rem'",
            "model: -m 'C:\\my models\\x.gguf'",
            "around: '&'",
        ],
    ),
]
KWARGS = ("--chat-template-kwargs", '{"enable_thinking":false}')
QUOTED = [
    'llama-server.exe -m x.gguf -c 4096 --chat-template-kwargs "{\\"enable_thinking\\":false}" --jinja',
    'C:\\>llama-server.exe -m x.gguf -c 4096 --chat-template-kwargs "{\\"enable_thinking\\":false}" --jinja',
    ".\\llama-server.exe -m x.gguf -c 4096 `\n --chat-template-kwargs '{\\\"enable_thinking\\\":false}' --jinja",
    '.\\llama-server.exe -m x.gguf -c 4096 `\n --chat-template-kwargs "{\\`"enable_thinking\\`":false}" --jinja',
    '.\\llama-server.exe -m x.gguf -c 4096 `\n --chat-template-kwargs "{\\"enable_thinking\\":false}" --jinja',
    ".\\llama-server.exe -m x.gguf -c 4096 `\n --chat-template-kwargs '{\"enable_thinking\":false}' --jinja",
]
LINES = SH + FISH + SWAP + YAML + POWERSHELL + CMD


@pytest.mark.parametrize(("text", "fields", "notes"), LINES, ids=lambda value: str(value)[:50])
def test_names_and_their_values(text, fields, notes):
    check_pasted(text, fields, notes)


@pytest.mark.parametrize("text", QUOTED)
def test_json_in_every_quotation_of_windows(text):
    fields = {"model": "x.gguf", "context_size": 4096, "jinja": True, "extra_args": KWARGS}
    check_pasted(text, fields, [X, "extra: --chat-template-kwargs '{\"enable_thinking\":false}'"])


def test_quotation_marks_within_json_stay_escaped_and_others_are_plain():
    text = """.\\llama-server.exe -m x.gguf `\n --chat-template-kwargs '{"say": "a \\"b\\""}'"""
    kwargs = '{"say": "a \\"b\\""}'
    notes = [X, f"extra: --chat-template-kwargs '{kwargs}'"]
    check_pasted(text, {"model": "x.gguf", "extra_args": ("--chat-template-kwargs", kwargs)}, notes)
    text = 'llama-server.exe -m x.gguf --tags "say \\"hi\\" now"'
    check_pasted(
        text, {"model": "x.gguf", "extra_args": ("--tags", 'say "hi" now')}, [X, "extra: --tags 'say \"hi\" now'"]
    )


def test_a_path_with_backslashes_is_one_without_any_other_mark_of_windows():
    check_pasted(
        "llama-server -m models\\7B\\x.gguf", {"model": "models\\7B\\x.gguf"}, ["model: -m 'models\\7B\\x.gguf'"]
    )


@pytest.mark.parametrize(
    ("text", "pairs", "exported"),
    [
        ("A=1 B+=2", [("A", "1"), ("B", "2")], False),
        ("export A=1", [("A", "1")], True),
        ("declare -gx A=1", [("A", "1")], True),
        ("declare -i -r x=1", [("x", "1")], False),
        ("local A=1", [("A", "1")], False),
        ("readonly", None, False),
        ("setenv A 1", [("A", "1")], True),
        ("set --append --export A 1", [("A", " 1")], True),
        ("set --nope A 1", None, False),
        ("set -gx A 1", [("A", "1")], True),
        ("set A 1 2", [("A", "1 2")], False),
        ("set -o pipefail", None, False),
        ("set -- a b", None, False),
        ("export A", None, True),
        ("A=1 b", None, False),
        ("", None, False),
    ],
)
def test_assignments(text, pairs, exported):
    words = [Word(each) for each in text.split()]
    found = assignments(words)
    assert (None if found is None else [(name, value.text) for name, value in found]) == pairs
    assert exports(words) == exported


def test_references_in_braces():
    variables = Variables({"A": "1", "B": ""})
    assert interpolated("${A}${A:-2}${A:+3}${B:-4}${B-5}${B:+6}$$A", variables) == Word("1134$A")
    assert interpolated("${A", variables) == Word("${A")
    assert sh_words("${A b", variables) == [Word("${A"), Word("b")]


def test_values_altogether_are_no_more_text_than_allowed():
    macros = {f"m{number}": f"${{m{number + 1}}}" * 9 for number in range(60)}
    assert with_macros("${m0}", {"m0": "a" * (MOST_TEXT + 1)}) == "${m0}"
    assert len(with_macros("${m0}", macros)) < 10 * MOST_TEXT
    assert with_macros("${m0}", {f"m{number}": f"${{m{number + 1}}}" for number in range(60)}) == "${m20}"
    variables = Variables({"A": "a" * (MOST_TEXT // 2)})
    words = [word for word in sh_words("$A $A $A", variables) if isinstance(word, Word)]
    assert [word.unresolved for word in words] == [False, False, True]
    assert interpolated("${A:-" * 60 + "b" + "}" * 60, Variables()).unresolved


@pytest.mark.no_cover  # it is about length: counting its lines would double its time
@pytest.mark.parametrize("opening", ["A=(\n", '$a = @(\n$b = "', "A=${A:-\n"])
def test_lists_and_quotes_that_nobody_closes_come_to_an_end(opening):
    read = read_command_line(f"ls\n{opening * 500}\nllama-server -m x.gguf -c 5")
    assert (read.model, read.options.context_size) == ("x.gguf", 5)
