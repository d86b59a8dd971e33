"""Command lines as people write them in PowerShell, cmd.exe and batch files."""

import pytest

from tests.unit.domain.commandline.pasted import check_pasted

X = ["model: -m x.gguf"]
POWERSHELL = [
    (
        r".\llama-server.exe -m C:\models\x.gguf -c 8192",
        {"model": r"C:\models\x.gguf", "context_size": 8192},
        [r"model: -m 'C:\models\x.gguf'"],
    ),
    (r"PS C:\llama> .\llama-server.exe -m x.gguf -ngl 99", {"model": "x.gguf", "gpu_layers": 99}, X),
    ("PS C:\\Users\\me> llama-server `\n>>   -m x.gguf `\n>>   -c 4096", {"model": "x.gguf", "context_size": 4096}, X),
    (
        "llama-server `\n  -m x.gguf `\n  -c 4096 `\n  -ngl all",
        {"model": "x.gguf", "context_size": 4096, "gpu_layers": 999},
        X,
    ),
    (
        '& "C:\\Program Files\\llama.cpp\\llama-server.exe" -m "D:\\my models\\x.gguf" --jinja',
        {"model": r"D:\my models\x.gguf", "jinja": True},
        [r"model: -m 'D:\my models\x.gguf'"],
    ),
    (
        "& 'C:\\llama\\llama-server.exe' -m 'C:\\it''s\\x.gguf' -t 8",
        {"model": r"C:\it's\x.gguf", "threads": 8},
        ["model: -m 'C:\\it'\"'\"'s\\x.gguf'"],
    ),
    (
        '$env:LLAMA_ARG_CTX_SIZE = "4096"\n$env:CUDA_VISIBLE_DEVICES="0"\n.\\llama-server.exe -m x.gguf',
        {"model": "x.gguf", "context_size": 4096},
        ["environment: CUDA_VISIBLE_DEVICES=0", *X],
    ),
    (
        '$env:LLAMA_API_KEY="sk-7"; llama-server -m x.gguf',
        {"model": "x.gguf", "api_key": "sk-7", "require_api_key": True},
        ["access: 'LLAMA_API_KEY=[hidden]'", *X],
    ),
    (
        '$model = "C:\\m\\x.gguf"\n& .\\llama-server.exe -m $model -c 2048',
        {"model": r"C:\m\x.gguf", "context_size": 2048},
        [r"model: -m 'C:\m\x.gguf'"],
    ),
    (
        ".\\llama-server.exe -m $env:USERPROFILE\\models\\x.gguf",
        {"model": r"C:\Users\me\models\x.gguf"},
        [r"model: -m 'C:\Users\me\models\x.gguf'"],
    ),
    (
        '& llama-server.exe -m "$HOME/x.gguf" --port $port -c $(1024*8)',
        {"model": "/home/me/x.gguf"},
        ["model: -m /home/me/x.gguf", "owned: --port '$port'", "unresolved: -c '$(1024*8)'"],
    ),
    (
        ".\\llama-server.exe -m x.gguf --chat-template-kwargs '{\"a\": 1}' # thinking",
        {"model": "x.gguf", "extra_args": ("--chat-template-kwargs", '{"a": 1}')},
        [*X, "extra: --chat-template-kwargs '{\"a\": 1}'"],
    ),
    (
        '.\\llama-server.exe -m x.gguf --alias "say `"hi`"" --tags "a ""b"""',
        {"model": "x.gguf", "alias": 'say "hi"', "extra_args": ("--tags", 'a "b"')},
        [*X, "extra: --tags 'a \"b\"'"],
    ),
    (
        "llama-server.exe -m ‘x y.gguf’ -fa on *> log.txt",
        {"model": "x y.gguf", "flash_attn": "on"},
        ["model: -m 'x y.gguf'", "around: '*>log.txt'"],
    ),
    (
        "cd C:\\llama; .\\llama-server.exe -m x.gguf 2>&1 | Tee-Object log.txt",
        {"model": "x.gguf"},
        [*X, "around: 'cd C:\\llama' '2>&1' '|' 'Tee-Object log.txt'"],
    ),
    (
        "$env:LLAMA_ARG_CTX_SIZE = 8192\nSet-Location C:\\llama\n.\\llama-server.exe -m x.gguf -ngl 40",
        {"model": "x.gguf", "context_size": 8192, "gpu_layers": 40},
        [*X, "around: 'Set-Location C:\\llama'"],
    ),
    ("<# the big one #>\n.\\llama-server.exe -m x.gguf -np 4", {"model": "x.gguf", "parallel": 4}, X),
    (
        ".\\llama-server.exe -m ~\\x.gguf --cache-reuse 256",
        {"model": "/home/me\\x.gguf", "extra_args": ("--cache-reuse", "256")},
        ["model: -m '/home/me\\x.gguf'", "extra: --cache-reuse 256"],
    ),
    (
        "Start-Process .\\llama-server.exe -ArgumentList '-m x.gguf -c 4096' -NoNewWindow",
        {"model": "x.gguf", "context_size": 4096},
        [*X, "around: Start-Process -ArgumentList -NoNewWindow"],
    ),
    (
        "& 'llama-server.exe' -m x.gguf --alias \"cost $ 5 `$a ${b}\"",
        {"model": "x.gguf"},
        [*X, "unresolved: --alias 'cost $ 5 $a ${b}'"],
    ),
]
CMD = [
    ("llama-server.exe ^\n  -m x.gguf ^\n  -c 4096", {"model": "x.gguf", "context_size": 4096}, X),
    (
        r'C:\llama>llama-server -m "C:\my models\x.gguf" -ngl 99',
        {"model": r"C:\my models\x.gguf", "gpu_layers": 99},
        [r"model: -m 'C:\my models\x.gguf'"],
    ),
    (r"C:\Users\me> llama-server.exe -m x.gguf --no-mmap", {"model": "x.gguf", "mmap": False}, X),
    (
        "set CUDA_VISIBLE_DEVICES=0 && llama-server -m x.gguf",
        {"model": "x.gguf"},
        ["environment: CUDA_VISIBLE_DEVICES=0", *X],
    ),
    (
        'set "LLAMA_ARG_CTX_SIZE=4096" && set LLAMA_ARG_N_PARALLEL=2&& llama-server -m x.gguf',
        {"model": "x.gguf", "context_size": 4096, "parallel": 2},
        X,
    ),
    (
        "@echo off\nrem the model\nset MODEL=C:\\m\\x.gguf\nset CTX=8192\nllama-server.exe -m %MODEL% -c %CTX%\npause",
        {"model": r"C:\m\x.gguf", "context_size": 8192},
        [
            "environment: 'MODEL=C:\\m\\x.gguf'",
            "environment: CTX=8192",
            r"model: -m 'C:\m\x.gguf'",
            "around: 'echo off' pause",
        ],
    ),
    (
        'llama-server -m "%USERPROFILE%\\models\\x.gguf" --port %PORT%',
        {"model": r"C:\Users\me\models\x.gguf"},
        [r"model: -m 'C:\Users\me\models\x.gguf'", "owned: --port %PORT%"],
    ),
    ('"%~dp0llama-server.exe" -m "%~dp0x.gguf" -c 4096', {"context_size": 4096}, ["model: -m '%~dp0x.gguf'"]),
    (
        'start "LLM" /B llama-server.exe -m x.gguf > log.txt 2>&1',
        {"model": "x.gguf"},
        [*X, "around: start LLM /B '>log.txt' '2>&1'"],
    ),
    (
        'llama-server.exe -m x.gguf --alias "a \\"b\\" ^c" %*',
        {"model": "x.gguf", "alias": 'a "b" ^c'},
        [*X, "unresolved: '%*'"],
    ),
    (
        "llama-server.exe -m x.gguf --draft-max 8 ^& more -c !CTX! --tags a^^b",
        {"model": "x.gguf", "spec_draft_n_max": 8, "extra_args": ("&", "more", "--tags", "a^b")},
        [
            *X,
            "translated: --draft-max 8 -> --spec-draft-n-max 8",
            "unknown: '&'",
            "unknown: more",
            "unresolved: -c '!CTX!'",
            "extra: --tags 'a^b'",
        ],
    ),
    (
        "set LLAMA_ARG_CTX_SIZE=8192\ncd /d C:\\llama\nllama-server.exe -m x.gguf -ngl 40",
        {"model": "x.gguf", "context_size": 8192, "gpu_layers": 40},
        [*X, "around: 'cd /d C:\\llama'"],
    ),
    (
        'setx LLAMA_ARG_CTX_SIZE 8192\nsetx /M LLAMA_ARG_ALIAS "a b"\nllama-server.exe -m x.gguf',
        {"model": "x.gguf", "context_size": 8192, "alias": "a b"},
        X,
    ),
    (
        "if exist x.gguf (llama-server.exe -m x.gguf -t 4) else (echo no)",
        {"model": "x.gguf", "threads": 4},
        [*X, "around: 'if exist x.gguf' 'echo no'"],
    ),
    (
        "@echo off\nif not defined CTX (\n  set CTX=4096\n)\n(\n  llama-server.exe -m x.gguf -c %CTX%\n)",
        {"model": "x.gguf", "context_size": 4096},
        ["environment: CTX=4096", *X, "around: 'echo off' 'if not defined CTX (' '('"],
    ),
    (
        ":: start\ncd /d C:\\llama & llama-server.exe -m x.gguf -t 4",
        {"model": "x.gguf", "threads": 4},
        [*X, "around: 'cd /d C:\\llama'"],
    ),
]
LINES = POWERSHELL + CMD


@pytest.mark.parametrize(("text", "fields", "notes"), LINES, ids=[text[:60] for text, *_ in LINES])
def test_a_line_from_windows(text, fields, notes):
    check_pasted(text, fields, notes)
