"""Commands in containers, compose files, systemd units, llama-swap's file and others."""

import pytest

from gglib_desktop.domain.commandline.reading import read_command_line
from gglib_desktop.domain.launch.options import MtpChoice
from tests.unit.domain.commandline.pasted import check_pasted

X = ["model: -m x.gguf"]
M = ["model: -m /models/x.gguf"]
IMAGE = "ghcr.io/ggml-org/llama.cpp:server"
HERE = "/srv/models/x.gguf"
DOCKER = [
    (
        f"docker run -p 8080:8080 -v /srv/models:/models {IMAGE} -m /models/x.gguf -c 512 --host 0.0.0.0 --port 8080",
        {"model": HERE, "context_size": 512, "port": 8080},
        [*M, "owned: --host 0.0.0.0", f"around: docker run -p 8080:8080 -v /srv/models:/models {IMAGE}"],
    ),
    (
        f"sudo docker run --rm -it --gpus all -v /srv/models:/models:ro {IMAGE}-cuda -m /models/x.gguf -ngl 99",
        {"model": HERE, "gpu_layers": 99},
        [*M, f"around: sudo docker run --rm -it --gpus all -v /srv/models:/models:ro {IMAGE}-cuda"],
    ),
    (
        f"docker run -d --name=llm -e LLAMA_ARG_CTX_SIZE=4096 -e CUDA_VISIBLE_DEVICES=0 -e TZ {IMAGE} -m x.gguf",
        {"model": "x.gguf", "context_size": 4096},
        ["environment: CUDA_VISIBLE_DEVICES=0", *X, f"around: docker run -d --name=llm -e TZ {IMAGE}"],
    ),
    (
        "docker run -p8080:8080 --env LLAMA_ARG_JINJA=1 ghcr.io/ggml-org/llama.cpp:full --server -m x.gguf",
        {"model": "x.gguf", "jinja": True},
        [*X, "around: docker run -p8080:8080 ghcr.io/ggml-org/llama.cpp:full --server"],
    ),
    (
        f"podman run --device nvidia.com/gpu=all --mount type=bind,src=/srv/models,dst=/models {IMAGE} -m /models/x.gguf",
        {"model": HERE},
        [*M, f"around: podman run --device nvidia.com/gpu=all --mount type=bind,src=/srv/models,dst=/models {IMAGE}"],
    ),
    (
        f"docker run \\\n  -v ~/models:/models \\\n  --entrypoint /app/llama-server \\\n  {IMAGE} \\\n  -m /models/x.gguf",
        {"model": "/home/me/models/x.gguf"},
        [*M, f"around: docker run -v /home/me/models:/models --entrypoint /app/llama-server {IMAGE}"],
    ),
    (
        f"docker container run -v models:/models -v $PWD:/here {IMAGE} -m /models/x.gguf",
        {"model": "/models/x.gguf"},
        [*M, f"around: docker container run -v models:/models -v '$PWD:/here' {IMAGE}"],
    ),
    (
        "docker run --privileged my/llama /app/llama-server -m x.gguf -np 2",
        {"model": "x.gguf", "parallel": 2},
        [*X, "around: docker run --privileged my/llama /app/llama-server"],
    ),
    ("docker exec -it llm /app/llama-server -m x.gguf", {"model": "x.gguf"}, [*X, "around: docker exec -it llm"]),
    (
        f"docker run -v C:\\models:/models {IMAGE} -m /models/x.gguf",
        {"model": "C:\\models/x.gguf"},
        [*M, f"around: docker run -v 'C:\\models:/models' {IMAGE}"],
    ),
]
COMPOSE = [
    (
        f"services:\n  llm:\n    image: {IMAGE}\n    command: -m /models/x.gguf -c 4096 --host 0.0.0.0\n    volumes:\n      - /srv/models:/models\n",
        {"model": HERE, "context_size": 4096},
        [*M, "owned: --host 0.0.0.0", f"around: 'image: {IMAGE}' 'volumes: /srv/models:/models'"],
    ),
    (
        f"services:\n  llm:\n    image: {IMAGE}\n    command: >\n      -m x.gguf\n      -c 4096\n      --port 8080\n    restart: always",
        {"model": "x.gguf", "context_size": 4096, "port": 8080},
        [*X, f"around: 'image: {IMAGE}' 'restart: always'"],
    ),
    (
        'command:\n  - -m\n  - x.gguf\n  - --ctx-size\n  - "4096"  # enough\n',
        {"model": "x.gguf", "context_size": 4096},
        X,
    ),
    ('command: ["llama-server", "-m", "x.gguf", "--flash-attn", "on"]', {"model": "x.gguf", "flash_attn": "on"}, X),
    (
        "    command: llama-server -m x.gguf\n      --ctx-size 4096\n      -ngl 99",
        {"model": "x.gguf", "context_size": 4096, "gpu_layers": 99},
        X,
    ),
    (
        f"services:\n  llm:\n    image: {IMAGE}\n    environment:\n      LLAMA_ARG_MODEL: /models/x.gguf\n      LLAMA_ARG_CTX_SIZE: 4096\n      LLAMA_ARG_ENDPOINT_METRICS: 1\n      LLAMA_ARG_PORT: 8080\n    volumes:\n    - type: bind\n      source: /srv/models\n      target: /models\n",
        {"model": HERE, "context_size": 4096, "port": 8080},
        [
            "model: LLAMA_ARG_MODEL=/models/x.gguf",
            "owned: LLAMA_ARG_ENDPOINT_METRICS=1",
            f"around: 'image: {IMAGE}' 'type: bind' 'source: /srv/models' 'target: /models'",
        ],
    ),
    (
        "environment:\n  - LLAMA_ARG_MODEL=x.gguf\n  - LLAMA_ARG_N_GPU_LAYERS=99\n  - NVIDIA_VISIBLE_DEVICES=all\n",
        {"model": "x.gguf", "gpu_layers": 99},
        ["environment: NVIDIA_VISIBLE_DEVICES=all", "model: LLAMA_ARG_MODEL=x.gguf"],
    ),
    (
        "services:\n  web:\n    image: nginx\n    command: nginx -g off\n  llm:\n    image: llama.cpp:server\n    command: -m ${MODEL:-x.gguf} --port ${PORT} --alias $$x\n",
        {"model": "x.gguf", "alias": "$x"},
        [
            *X,
            "owned: --port '${PORT}'",
            "around: 'image: nginx' 'command: nginx -g off' 'image: llama.cpp:server'",
        ],
    ),
    (
        "services:\n  llm:\n    build: .\n    entrypoint: [\"/app/llama-server\"]\n    command:\n      - '-m'\n      - '/m/it''s.gguf'\n      - |\n        --jinja\n",
        {"model": "/m/it's.gguf", "jinja": True},
        ["model: -m '/m/it'\"'\"'s.gguf'", "around: 'build: .' 'entrypoint: /app/llama-server'"],
    ),
    (
        '    spec:\n      containers:\n        - name: llm\n          args: ["-m", "/models/x.gguf", "-c", "4096"]\n          env:\n            - name: LLAMA_ARG_JINJA\n              value: "true"\n',
        {"model": "/models/x.gguf", "context_size": 4096, "jinja": True},
        [*M, "around: 'name: llm'"],
    ),
    ('command: ["sh", "-c", "llama-server -m x.gguf -t 4"]', {"model": "x.gguf", "threads": 4}, [*X, "around: sh -c"]),
    ("- llama-server\n- -m\n- x.gguf\n- --jinja", {"model": "x.gguf", "jinja": True}, X),
    (
        'command: ["-m", "x.gguf", "--alias", "$$5", "--tags", "${T-t}"]',
        {"model": "x.gguf", "alias": "$5", "extra_args": ("--tags", "t")},
        [*X, "extra: --tags t"],
    ),
    ('CMD ["llama-server", "-m", "x.gguf", "-c", "4096"]', {"model": "x.gguf", "context_size": 4096}, X),
    ('["llama-server",\n "-m", "x.gguf",\n "-ngl", "99"]', {"model": "x.gguf", "gpu_layers": 99}, X),
    (
        'args: ["-m", "\\u0078.gguf", "--alias", "a\\tb"]',
        {"model": "x.gguf", "alias": "a b"},
        X,
    ),
]
ANCHORS = [
    (
        "x-env: &env\n  LLAMA_ARG_CTX_SIZE: 4096\nx-all: &all\n  image: llama.cpp:server\n  volumes: &v\n    - /srv/m:/models\nservices:\n  a:\n    <<: *all\n    environment:\n      <<: *env\n      LLAMA_ARG_MODEL: /models/x.gguf\n    command: --mmproj /models/mm.gguf\n",
        {"model": "/srv/m/x.gguf", "context_size": 4096, "extra_args": ("--mmproj", "/srv/m/mm.gguf")},
        [
            "model: LLAMA_ARG_MODEL=/models/x.gguf",
            "translated: --mmproj /models/mm.gguf -> --mmproj /srv/m/mm.gguf",
            "around: 'LLAMA_ARG_CTX_SIZE: 4096' 'image: llama.cpp:server' 'volumes: /srv/m:/models' 'image: llama.cpp:server' 'volumes: /srv/m:/models'",
        ],
    ),
]
EMPTY = [
    (
        "services:\n  llama:\n    image: ghcr.io/ggml-org/llama.cpp:server\n    environment:\n      - LLAMA_ARG_MODEL=/models/m.gguf\n      - LLAMA_ARG_N_CPU_MOE=\n      - LLAMA_ARG_SPEC_TYPE=\n      - LLAMA_ARG_N_PARALLEL=\n    volumes:\n      - /srv/m:/models\n",
        {"model": "/srv/m/m.gguf"},
        [
            "empty: LLAMA_ARG_N_CPU_MOE=",
            "empty: LLAMA_ARG_SPEC_TYPE=",
            "empty: LLAMA_ARG_N_PARALLEL=",
            "model: LLAMA_ARG_MODEL=/models/m.gguf",
            f"around: 'image: {IMAGE}' 'volumes: /srv/m:/models'",
        ],
    ),
    (
        "docker run -e LLAMA_ARG_MODEL=x.gguf -e LLAMA_ARG_JINJA= -e LLAMA_API_KEY= -e LLAMA_ARG_NEW= -e TZ= image:server",
        {"model": "x.gguf"},
        [
            "empty: LLAMA_ARG_JINJA=",
            "empty: LLAMA_API_KEY=",
            "empty: LLAMA_ARG_NEW=",
            "environment: TZ=",
            "model: LLAMA_ARG_MODEL=x.gguf",
            "around: docker run image:server",
        ],
    ),
    (
        'command: -m x.gguf -c ${CTX:-} --jinja --n-cpu-moe "" -np 2',
        {"model": "x.gguf", "jinja": True, "parallel": 2},
        [*X, "empty: -c", "empty: --n-cpu-moe ''"],
    ),
]
SWAP = [
    (
        'models:\n  "qwen":\n    cmd: |\n      llama-server --port ${PORT}\n      -m x.gguf\n      # not now: -c 1\n      -c 8192\n    ttl: 300\n',
        {"model": "x.gguf", "context_size": 8192},
        ["owned: --port '${PORT}'", *X, "around: 'ttl: 300'"],
    ),
    (
        "cmd: ${latest-llama} --port ${PORT} -m x.gguf --spec-type draft-mtp --spec-draft-n-max 2",
        {"model": "x.gguf", "mtp": MtpChoice.ON, "spec_draft_n_max": 2},
        ["owned: --port '${PORT}'", *X],
    ),
    (
        "macros:\n  my-args: -ngl 99 --jinja\nmodels:\n  a:\n    cmd: llama-server ${my-args} -m x.gguf --alias ${no-such}\n    env:\n      - CUDA_VISIBLE_DEVICES=0\n",
        {"model": "x.gguf", "gpu_layers": 99, "jinja": True},
        ["environment: CUDA_VISIBLE_DEVICES=0", *X, "unresolved: --alias '${no-such}'"],
    ),
    (
        "cmd: llama-server -m x.gguf --alias 'it",
        {"model": "x.gguf", "alias": "'it"},
        X,
    ),
]
SYSTEMD = [
    (
        "[Unit]\nDescription=llama\n[Service]\nExecStart=/usr/bin/llama-server -m x.gguf -c 4096\nRestart=always\n",
        {"model": "x.gguf", "context_size": 4096},
        [*X, "around: Description=llama Restart=always"],
    ),
    (
        'ExecStart=/usr/bin/llama-server \\\n  -m "/my models/x.gguf" \\\n  # -c 1 \\\n  ; also no argument\n  -ngl 99',
        {"model": "/my models/x.gguf", "gpu_layers": 99},
        ["model: -m '/my models/x.gguf'"],
    ),
    (
        "Environment=LLAMA_ARG_THREADS=8 \"FOO=b c\"\nEnvironment='LLAMA_ARG_ALIAS=it\\x27s'\nExecStart=llama-server -m x.gguf",
        {"model": "x.gguf", "threads": 8, "alias": "it's"},
        ["environment: 'FOO=b c'", *X],
    ),
    (
        "ExecStart=-/usr/bin/llama-server -m %h/x.gguf --alias %i --tags 100%%",
        {"model": "/home/me/x.gguf", "extra_args": ("--tags", "100%")},
        ["model: -m /home/me/x.gguf", "unresolved: --alias %i", "extra: --tags 100%"],
    ),
    (
        'Environment=CTX=4096 "OPTS=-ngl 99 --jinja"\nExecStart=/usr/bin/llama-server -m x.gguf -c ${CTX} $OPTS --alias $$a --port ${PORT}',
        {"model": "x.gguf", "context_size": 4096, "gpu_layers": 99, "jinja": True, "alias": "$a"},
        [
            "environment: CTX=4096",
            "environment: 'OPTS=-ngl 99 --jinja'",
            *X,
            "owned: --port '${PORT}'",
        ],
    ),
    (
        "ExecStart=\nExecStart=/bin/sh -c 'exec llama-server -m x.gguf -t 2 >> /var/log/llm.log 2>&1'",
        {"model": "x.gguf", "threads": 2},
        [*X, "around: /bin/sh -c exec '>>/var/log/llm.log' '2>&1'"],
    ),
    (
        "ExecStart=/bin/true\nExecStart=/opt/llama.cpp/llama-server -m x.gguf ; /bin/false",
        {"model": "x.gguf"},
        [*X, "around: ExecStart=/bin/true"],
    ),
    (
        "ExecStart=/opt/run-it -m x.gguf --tags \"a\\tb\\u00e9 'c'\" --jinja",
        {"model": "x.gguf", "jinja": True, "extra_args": ("--tags", "a\tbé 'c'")},
        [*X, "extra: --tags 'a\tbé '\"'\"'c'\"'\"''", "around: /opt/run-it"],
    ),
    ("ExecStart=", {}, []),
    (
        "[Service]\nEnvironment=CUDA_VISIBLE_DEVICES=0 LLAMA_ARG_CTX_SIZE=8192\nExecStart=/usr/bin/llama-server --port 8080 -m /srv/m.gguf -ngl 20",
        {"model": "/srv/m.gguf", "port": 8080, "gpu_layers": 20, "context_size": 8192},
        ["environment: CUDA_VISIBLE_DEVICES=0", "model: -m /srv/m.gguf"],
    ),
    (
        "Environment=LLAMA_ARG_CTX_SIZE=8192\nEnvironment=LLAMA_ARG_MODEL=/srv/m.gguf\nExecStart=/usr/bin/llama-server",
        {"model": "/srv/m.gguf", "context_size": 8192},
        ["model: LLAMA_ARG_MODEL=/srv/m.gguf"],
    ),
    (
        "[Service]\nUser=llm\nEnvironment=A=1 LLAMA_ARG_JINJA=1 LLAMA_ARG_THREADS=4\nExecStart=/opt/llm -m /srv/m.gguf\n",
        {"model": "/srv/m.gguf", "jinja": True, "threads": 4},
        ["environment: A=1", "model: -m /srv/m.gguf", "around: /opt/llm User=llm"],
    ),
    # codes of no character, alone or of half a one, stay as they are written
    (
        'ExecStart=llama-server -m "a\\U00110000\\ud800.gguf"',
        {"model": "a\\U00110000\\ud800.gguf"},
        [r"model: -m 'a\U00110000\ud800.gguf'"],
    ),
    (
        'command: llama-server -m x.gguf\nother: "\\UFFFFFFFF"',
        {"model": "x.gguf"},
        [*X, "around: command: 'other: \\UFFFFFFFF'"],
    ),
]
ODD = [
    # several documents, of which one has the command
    (
        "kind: Service\nports:\n- 80\n---\nkind: Deployment\nargs: [llama-server, -m, x.gguf]\n",
        {"model": "x.gguf"},
        [*X, "around: 'kind: Service' 'ports: 80' 'kind: Deployment'"],
    ),
    # templates are no mappings
    (
        "image: {{ .Values.image }}:{{ .Values.tag }}\nargs:\n- -m\n- x.gguf\n- --alias\n- {{ name }}\n",
        {"model": "x.gguf", "alias": "{{ name }}"},
        [*X, "around: 'image: {{ .Values.image }}:{{ .Values.tag }}'"],
    ),
    # what PyYAML refuses is read as a shell would
    (
        "services:\n  llm:\n    command: llama-server -m x.gguf -c 512\n   ports: 80\n",
        {"model": "x.gguf", "context_size": 512},
        [*X, "around: services: llm: command: 'ports: 80'"],
    ),
    (
        'services:\n\tllm:\n\t\timage: "C:\\models"\n\t\tcommand: -m x.gguf -c 512\n',
        {"model": "x.gguf", "context_size": 512},
        [*X, "around: services: llm: 'image: C:\\models' command:"],
    ),
    # of keys that are said twice the last counts, as for llama-swap
    ("cmd: llama-server -m y.gguf\ncmd: llama-server -m x.gguf", {"model": "x.gguf"}, X),
    # tags are passed over
    ("command: !!python/object:os.system llama-server -m x.gguf", {"model": "x.gguf"}, X),
]
LINES = DOCKER + COMPOSE + ANCHORS + EMPTY + SWAP + SYSTEMD + ODD


@pytest.mark.parametrize(("text", "fields", "notes"), LINES, ids=lambda value: str(value)[:50])
def test_a_command_in_a_file(text, fields, notes):
    check_pasted(text, fields, notes)


@pytest.mark.no_cover  # it is about length: counting its lines would double its time
def test_lists_in_one_another_without_end_are_text():
    line = read_command_line("command: llama-server -m x.gguf\nother:\n" + "- " * 10_000 + "a")
    assert line.model == "x.gguf"
