"""Command lines as people write them in sh, bash and zsh, in scripts, forums and READMEs."""

import pytest

from tests.unit.domain.commandline.pasted import check_pasted

X = ["model: -m x.gguf"]
LINES = [
    # -- as in READMEs
    (
        "llama-server -m models/7B/ggml-model.gguf -c 2048",
        {"model": "models/7B/ggml-model.gguf", "context_size": 2048},
        ["model: -m models/7B/ggml-model.gguf"],
    ),
    ("./llama-server -m x.gguf --port 8080", {"model": "x.gguf", "port": 8080}, X),
    (
        "./build/bin/llama-server --model x.gguf --ctx-size 16384 --n-gpu-layers 99",
        {"model": "x.gguf", "context_size": 16384, "gpu_layers": 99},
        ["model: --model x.gguf"],
    ),
    (
        "./server -m x.gguf -ngl 35 -c 4096 --host 127.0.0.1",
        {"model": "x.gguf", "gpu_layers": 35, "context_size": 4096},
        [*X, "owned: --host 127.0.0.1"],
    ),
    (
        "~/src/llama.cpp/build/bin/llama-server -m ~/models/x.gguf",
        {"model": "/home/me/models/x.gguf"},
        ["model: -m /home/me/models/x.gguf"],
    ),
    (
        "/opt/homebrew/bin/llama-server -m $HOME/x.gguf -fa",
        {"model": "/home/me/x.gguf", "flash_attn": "on"},
        ["model: -m /home/me/x.gguf", "translated: -fa -> -fa on"],
    ),
    ("llama server -m x.gguf -t 6", {"model": "x.gguf", "threads": 6}, X),
    ("llama-server-b4567-cuda -m x.gguf", {"model": "x.gguf"}, X),
    ("llama-server", {}, []),
    # -- prompts
    ("$ llama-server -m x.gguf -c 8192", {"model": "x.gguf", "context_size": 8192}, X),
    ("# llama-server -m x.gguf -np 2", {"model": "x.gguf", "parallel": 2}, X),
    ("> ./llama-server -m x.gguf --mlock", {"model": "x.gguf", "mlock": True}, X),
    ("% llama-server -m x.gguf --no-mmap", {"model": "x.gguf", "mmap": False}, X),
    ("user@box:~/llama.cpp$ ./llama-server -m x.gguf -b 512", {"model": "x.gguf", "batch_size": 512}, X),
    ("root@4f2a:/app# ./llama-server -m x.gguf -ub 128", {"model": "x.gguf", "ubatch_size": 128}, X),
    ("[me@fedora llama.cpp]$ ./llama-server -m x.gguf -tb 4", {"model": "x.gguf", "threads_batch": 4}, X),
    ("(venv) me@mac llama.cpp % llama-server -m x.gguf --embedding", {"model": "x.gguf", "embeddings": True}, X),
    ("➜  ~ llama-server -m x.gguf --temp 0.2", {"model": "x.gguf", "temperature": 0.2}, X),
    # -- lines that go on
    (
        "llama-server \\\n  -m x.gguf \\\n  -c 4096 \\\n  -ngl 99",
        {"model": "x.gguf", "context_size": 4096, "gpu_layers": 99},
        X,
    ),
    ("llama-server \\   \n  -m x.gguf \\ # the model\n  -c 4096", {"model": "x.gguf", "context_size": 4096}, X),
    ("llama-server -m x.gguf\\\n-c 4096\\\n--jinja", {"model": "x.gguf", "context_size": 4096, "jinja": True}, X),
    ("llama-server -m x.gguf \\\n  # -c 4096 \\\n  -ngl 20", {"model": "x.gguf", "gpu_layers": 20}, X),
    ("llama-server\n  -m x.gguf\n  -c 4096\n  --jinja", {"model": "x.gguf", "context_size": 4096, "jinja": True}, X),
    ("$ llama-server -m x.gguf \\\n> -c 1024 \\\n> -np 2", {"model": "x.gguf", "context_size": 1024, "parallel": 2}, X),
    ("llama-server -m x.gguf \\\r\n  -c 4096\r\n", {"model": "x.gguf", "context_size": 4096}, X),
    # -- quotes and expansions
    (
        "llama-server -m '/data/my models/x.gguf'",
        {"model": "/data/my models/x.gguf"},
        ["model: -m '/data/my models/x.gguf'"],
    ),
    (
        'llama-server -m "/data/it\'s/x.gguf" -c "4096"',
        {"model": "/data/it's/x.gguf", "context_size": 4096},
        ["model: -m '/data/it'\"'\"'s/x.gguf'"],
    ),
    (
        "llama-server -m /data/my\\ models/x.gguf",
        {"model": "/data/my models/x.gguf"},
        ["model: -m '/data/my models/x.gguf'"],
    ),
    ("llama-server -m $'x\\'s.gguf' -t 2", {"model": "x's.gguf", "threads": 2}, ["model: -m 'x'\"'\"'s.gguf'"]),
    (
        "llama-server -m x.gguf --chat-template-kwargs '{\"enable_thinking\": false}'",
        {"model": "x.gguf", "extra_args": ("--chat-template-kwargs", '{"enable_thinking": false}')},
        [*X, "extra: --chat-template-kwargs '{\"enable_thinking\": false}'"],
    ),
    (
        'llama-server -m x.gguf --alias "a \\"b\\" \\$c"',
        {"model": "x.gguf", "alias": 'a "b" $c'},
        X,
    ),
    (
        'llama-server -m x.gguf --grammar \'root ::= "yes"\n| "no"\' -c 512',
        {"model": "x.gguf", "context_size": 512, "extra_args": ("--grammar", 'root ::= "yes"\n| "no"')},
        [*X, 'extra: --grammar \'root ::= "yes"\n| "no"\''],
    ),
    (
        "MODEL=/m/x.gguf\nCTX=8192\nllama-server -m $MODEL -c ${CTX}",
        {"model": "/m/x.gguf", "context_size": 8192},
        ["model: -m /m/x.gguf"],
    ),
    ('DIR=/m; FILE=$DIR/x.gguf; llama-server -m "$FILE"', {"model": "/m/x.gguf"}, ["model: -m /m/x.gguf"]),
    (
        "OPTS='-c 4096 -ngl 99'\nllama-server -m x.gguf $OPTS",
        {"model": "x.gguf", "context_size": 4096, "gpu_layers": 99},
        X,
    ),
    ("llama-server -m x.gguf -c ${CTX:-4096} -np ${NP-2}", {"model": "x.gguf", "context_size": 4096, "parallel": 2}, X),
    (
        "llama-server -m $MODEL -c $CTX --port $PORT $EXTRA",
        {},
        ["model: -m '$MODEL'", "unresolved: -c '$CTX'", "owned: --port '$PORT'", "unresolved: '$EXTRA'"],
    ),
    (
        "llama-server -m x.gguf -t $(nproc) --alias `hostname`",
        {"model": "x.gguf"},
        [*X, "unresolved: -t '$(nproc)'", "unresolved: --alias '`hostname`'"],
    ),
    ('exec llama-server -m x.gguf "$@"', {"model": "x.gguf"}, [*X, "unresolved: '$@'", "around: exec"]),
    # -- variables, then other commands, then the server
    (
        "export LLAMA_ARG_CTX_SIZE=8192\nsource ~/llm/env.sh\ncd ~/llm && ./llama-server -m /srv/m.gguf --port 8091 -ngl 40",
        {"model": "/srv/m.gguf", "port": 8091, "gpu_layers": 40, "context_size": 8192},
        ["model: -m /srv/m.gguf", "around: 'source /home/me/llm/env.sh' 'cd /home/me/llm'"],
    ),
    (
        "set -a\nLLAMA_ARG_CTX_SIZE=8192\nset +a\n./llama-server -m x.gguf -t 4",
        {"model": "x.gguf", "context_size": 8192, "threads": 4},
        [*X, "around: 'set -a' 'set +a'"],
    ),
    (
        "LLAMA_ARG_CTX_SIZE=8192\nmodule load cuda\nsrun -G 1 llama-server -m x.gguf",
        {"model": "x.gguf", "context_size": 8192},
        [*X, "around: 'module load cuda' srun -G 1"],
    ),
    # -- what people put before it
    ("CUDA_VISIBLE_DEVICES=0 llama-server -m x.gguf", {"model": "x.gguf"}, ["environment: CUDA_VISIBLE_DEVICES=0", *X]),
    (
        "FOO=bar LLAMA_ARG_CTX_SIZE=4096 LLAMA_ARG_N_GPU_LAYERS=all ./llama-server -m x.gguf",
        {"model": "x.gguf", "context_size": 4096, "gpu_layers": 999},
        ["environment: FOO=bar", *X],
    ),
    (
        "env GGML_VK_VISIBLE_DEVICES=1 LLAMA_ARG_FLASH_ATTN=on llama-server -m x.gguf",
        {"model": "x.gguf", "flash_attn": "on"},
        ["environment: GGML_VK_VISIBLE_DEVICES=1", *X, "around: env"],
    ),
    (
        "export HIP_VISIBLE_DEVICES=0\nexport LLAMA_ARG_THREADS=4\nllama-server -m x.gguf",
        {"model": "x.gguf", "threads": 4},
        ["environment: HIP_VISIBLE_DEVICES=0", *X],
    ),
    (
        "LLAMA_ARG_CTX_SIZE=1024 llama-server -m x.gguf -c 2048",
        {"model": "x.gguf", "context_size": 2048},
        ["repeated: LLAMA_ARG_CTX_SIZE=1024", *X],
    ),
    (
        "LLAMA_ARG_NO_MMAP=1 LLAMA_ARG_JINJA=0 LLAMA_ARG_MLOCK=true llama-server -m x.gguf",
        {"model": "x.gguf", "mmap": False, "jinja": False, "mlock": True},
        X,
    ),
    (
        "LLAMA_ARG_CACHE_RAM=0 LLAMA_ARG_CONT_BATCHING=off LLAMA_ARG_SWA_FULL=1 llama-server -m x.gguf",
        {"model": "x.gguf", "extra_args": ("--cache-ram", "0", "--no-cont-batching", "--swa-full")},
        [
            "translated: LLAMA_ARG_CACHE_RAM=0 -> --cache-ram 0",
            "translated: LLAMA_ARG_CONT_BATCHING=off -> --no-cont-batching",
            "translated: LLAMA_ARG_SWA_FULL=1 -> --swa-full",
            *X,
        ],
    ),
    (
        "LLAMA_ARG_DRAFT_MAX=8 LLAMA_ARG_DRAFT_MIN=1 LLAMA_ARG_NEW=1 llama-server -m x.gguf",
        {"model": "x.gguf", "spec_draft_n_max": 8, "extra_args": ("--spec-draft-n-min", "1")},
        ["environment: LLAMA_ARG_NEW=1", "translated: LLAMA_ARG_DRAFT_MIN=1 -> --spec-draft-n-min 1", *X],
    ),
    (
        "LLAMA_ARG_MODEL=x.gguf LLAMA_ARG_HOST=0.0.0.0 LLAMA_ARG_PORT=8081 LLAMA_ARG_ENDPOINT_METRICS=1 llama-server",
        {"model": "x.gguf", "host": "0.0.0.0", "port": 8081},
        [
            "model: LLAMA_ARG_MODEL=x.gguf",
            "owned: LLAMA_ARG_ENDPOINT_METRICS=1",
        ],
    ),
    (
        "LLAMA_ARG_CTX_SIZE=big LLAMA_ARG_JINJA=maybe llama-server -m x.gguf",
        {"model": "x.gguf", "extra_args": ("-c", "big")},
        ["environment: LLAMA_ARG_JINJA=maybe", "unfit: LLAMA_ARG_CTX_SIZE=big -> is not a whole number", *X],
    ),
    (
        "sudo -u llama nice -n 10 taskset -c 0-7 llama-server -m x.gguf -t 8",
        {"model": "x.gguf", "threads": 8},
        [*X, "around: sudo -u llama nice -n 10 taskset -c 0-7"],
    ),
    (
        "nohup ./llama-server -m x.gguf > server.log 2>&1 &",
        {"model": "x.gguf"},
        [*X, "around: nohup '>server.log' '2>&1' '&'"],
    ),
    (
        "time llama-server -m x.gguf 2>/dev/null | tee log.txt",
        {"model": "x.gguf"},
        [*X, "around: time '2>/dev/null' '|' 'tee log.txt'"],
    ),
    (
        "cd ~/llama.cpp && ./llama-server -m x.gguf -c 4096; echo done",
        {"model": "x.gguf", "context_size": 4096},
        [*X, "around: 'cd /home/me/llama.cpp' 'echo done'"],
    ),
    (
        "systemd-run --user -p MemoryMax=32G llama-server -m x.gguf -t 8",
        {"model": "x.gguf", "threads": 8},
        [*X, "around: systemd-run --user -p MemoryMax=32G"],
    ),
    (
        "systemd-run --scope -p CPUQuota=400% --setenv=LLAMA_ARG_THREADS=4 -E CUDA_VISIBLE_DEVICES=0 llama-server -m x.gguf",
        {"model": "x.gguf", "threads": 4},
        ["environment: CUDA_VISIBLE_DEVICES=0", *X, "around: systemd-run --scope -p CPUQuota=400% -E"],
    ),
    (
        "nice -n 5 env -i HOME=/root LLAMA_ARG_THREADS=4 ionice -c 3 llama-server -m x.gguf",
        {"model": "x.gguf", "threads": 4},
        ["environment: HOME=/root", *X, "around: nice -n 5 env -i ionice -c 3"],
    ),
    ("prlimit -o LIMIT=1 ./llama-server -m x.gguf", {"model": "x.gguf"}, [*X, "around: prlimit -o LIMIT=1"]),
    (
        "numactl --interleave=all llama-server -m x.gguf --numa distribute",
        {"model": "x.gguf", "extra_args": ("--numa", "distribute")},
        [*X, "extra: --numa distribute", "around: numactl --interleave=all"],
    ),
    ("bash -c 'llama-server -m x.gguf -c 4096'", {"model": "x.gguf", "context_size": 4096}, [*X, "around: bash -c"]),
    (
        'ssh gpu-box "CUDA_VISIBLE_DEVICES=1 /opt/llama-server -m x.gguf -ngl all"',
        {"model": "x.gguf", "gpu_layers": 999},
        ["environment: CUDA_VISIBLE_DEVICES=1", *X, "around: ssh gpu-box"],
    ),
    (
        "tmux new-session -d -s llm 'llama-server -m x.gguf'",
        {"model": "x.gguf"},
        [*X, "around: tmux new-session -d -s llm"],
    ),
    (
        "screen -dmS llm ./llama-server -m x.gguf --mlock",
        {"model": "x.gguf", "mlock": True},
        [*X, "around: screen -dmS llm"],
    ),
    # -- in the middle of something else
    (
        "I'm running it like this:\n\n    llama-server -m x.gguf -c 4096\n\nbut it doesn't use the GPU",
        {"model": "x.gguf", "context_size": 4096},
        [*X, "around: 'I'\"'\"'m running it like this:' 'but it doesn'\"'\"'t use the GPU'"],
    ),
    ("```bash\nllama-server -m x.gguf -ngl 99\n```", {"model": "x.gguf", "gpu_layers": 99}, X),
    ("Just use `llama-server -m x.gguf -ngl 99`, that's enough", {"model": "x.gguf", "gpu_layers": 99}, X),
    (
        "git clone https://github.com/ggml-org/llama.cpp\ncd llama.cpp\ncmake -B build && cmake --build build --target llama-server -j\n./build/bin/llama-server -m x.gguf",
        {"model": "x.gguf"},
        [
            *X,
            "around: 'git clone https://github.com/ggml-org/llama.cpp' 'cd llama.cpp' 'cmake -B build' 'cmake --build build --target llama-server -j'",
        ],
    ),
    (
        "#!/usr/bin/env bash\nset -e\n# the small model\n/opt/llama/llama-server -m x.gguf -c 4096\n",
        {"model": "x.gguf", "context_size": 4096},
        [*X, "around: 'set -e'"],
    ),
    (
        "pkill llama-server\nllama-server -m x.gguf\nllama-server -m y.gguf --port 8081 --api-key sk-1",
        {"model": "x.gguf"},
        [*X, "around: 'pkill llama-server' 'llama-server -m y.gguf --port 8081 --api-key [hidden]'"],
    ),
    (
        "me 4242 12.3 40.1 9 8 ? Sl 10:01 1:02 /usr/bin/llama-server -m x.gguf -c 4096",
        {"model": "x.gguf", "context_size": 4096},
        [*X, "around: me 4242 12.3 40.1 9 8 '?' Sl 10:01 1:02"],
    ),
    # -- without the program, or with one of another name
    ("-m x.gguf -c 4096 --jinja", {"model": "x.gguf", "context_size": 4096, "jinja": True}, X),
    ("--model x.gguf \\\n--ctx-size 4096", {"model": "x.gguf", "context_size": 4096}, ["model: --model x.gguf"]),
    (
        "./my-llama --model x.gguf --ctx-size 4096",
        {"model": "x.gguf", "context_size": 4096},
        ["model: --model x.gguf", "around: ./my-llama"],
    ),
    ("$LLAMA_BIN -m x.gguf -c 4096", {"model": "x.gguf", "context_size": 4096}, X),
    ('"$LLAMA_CPP/llama-server" -m x.gguf', {"model": "x.gguf"}, X),
    (
        "LLAMA_ARG_MODEL=x.gguf\nLLAMA_ARG_CTX_SIZE=4096\n# comment\nLLAMA_ARG_JINJA=1",
        {"model": "x.gguf", "context_size": 4096, "jinja": True},
        ["model: LLAMA_ARG_MODEL=x.gguf"],
    ),
]


@pytest.mark.parametrize(("text", "fields", "notes"), LINES, ids=[text[:60] for text, *_ in LINES])
def test_a_line_from_a_posix_shell(text, fields, notes):
    check_pasted(text, fields, notes)
