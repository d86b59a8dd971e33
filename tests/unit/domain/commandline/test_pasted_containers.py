"""Commands in containers: files are where the mounts say, whichever argument names them and wherever the command stands."""

from pathlib import Path

import pytest

from gglib_desktop.domain.commandline.reading import read_command_line
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch.options import MtpChoice
from tests.unit.domain.commandline.pasted import check_pasted

IMAGE = "ghcr.io/ggml-org/llama.cpp:server"
RUN = "docker run -v /srv/m:/models"
X = "model: -m /models/x.gguf"
HERE = {"model": "/srv/m/x.gguf"}
FILES = [
    (
        f"sudo docker run -p 5000:8000 --gpus all -v /srv/m:/models {IMAGE} -m /models/a.gguf --port 8000 --host 0.0.0.0 -v -md /models/d.gguf --lora-scaled /models/l.gguf:0.5 -t 16 -ngl 1 --n-gpu-layers 33",
        {
            "model": "/srv/m/a.gguf",
            "port": 8000,
            "threads": 16,
            "gpu_layers": 33,
            "mtp": MtpChoice.ON,
            "spec_draft_model": Path("/srv/m/d.gguf"),
            "extra_args": ("-v", "--lora-scaled", "/srv/m/l.gguf:0.5"),
        },
        [
            "repeated: -ngl 1",
            "model: -m /models/a.gguf",
            "owned: --host 0.0.0.0",
            "extra: -v",
            "translated: --lora-scaled /models/l.gguf:0.5 -> --lora-scaled /srv/m/l.gguf:0.5",
            f"around: sudo docker run -p 5000:8000 --gpus all -v /srv/m:/models {IMAGE}",
        ],
    ),
    (
        f"services:\n  l:\n    image: {IMAGE}\n    command: -m /models/x.gguf --mmproj /models/mm.gguf --chat-template-file /models/t.jinja\n    environment:\n      LLAMA_ARG_MMPROJ: /models/no.gguf\n    volumes:\n      - /srv/m:/models:ro\n",
        {
            **HERE,
            "chat_template_file": "/srv/m/t.jinja",
            "extra_args": ("--mmproj", "/srv/m/no.gguf", "--mmproj", "/srv/m/mm.gguf"),
        },
        [
            "translated: LLAMA_ARG_MMPROJ=/models/no.gguf -> --mmproj /srv/m/no.gguf",
            X,
            "translated: --mmproj /models/mm.gguf -> --mmproj /srv/m/mm.gguf",
            f"around: 'image: {IMAGE}' 'volumes: /srv/m:/models:ro'",
        ],
    ),
    # several in one argument, the innermost folder, a folder itself
    (
        f"podman run -v /srv/m:/models -v /l:/models/l {IMAGE} -m /models/x.gguf --lora /models/1.gguf,/models/l/2.gguf --control-vector-scaled /models/l/c:-1 --slot-save-path /models",
        {
            **HERE,
            "extra_args": (
                *("--lora", "/srv/m/1.gguf,/l/2.gguf"),
                *("--control-vector-scaled", "/l/c:-1", "--slot-save-path", "/srv/m"),
            ),
        },
        [
            X,
            "translated: --lora /models/1.gguf,/models/l/2.gguf -> --lora /srv/m/1.gguf,/l/2.gguf",
            "translated: --control-vector-scaled /models/l/c:-1 -> --control-vector-scaled /l/c:-1",
            "translated: --slot-save-path /models -> --slot-save-path /srv/m",
            f"around: podman run -v /srv/m:/models -v /l:/models/l {IMAGE}",
        ],
    ),
    # what is no file, and what this computer does not have
    (
        f"{RUN} {IMAGE} -m /models/x.gguf --tags /models/x --chat-template-file /app/t.jinja --grammar-file /app/g /models/y",
        {
            **HERE,
            "chat_template_file": "/app/t.jinja",
            "extra_args": ("--tags", "/models/x", "--grammar-file", "/app/g", "/srv/m/y"),
        },
        [
            "inside: --chat-template-file /app/t.jinja",
            "inside: --grammar-file /app/g",
            X,
            "extra: --tags /models/x",
            "extra: --grammar-file /app/g",
            "translated: /models/y -> /srv/m/y",
            f"around: {RUN} {IMAGE}",
        ],
    ),
]
COMMANDS = [
    (
        f'docker run -v /srv/m:/models --entrypoint /bin/bash {IMAGE} -c "llama-server -m /models/x.gguf -t 4"',
        {**HERE, "threads": 4},
        [X, f"around: docker run -v /srv/m:/models --entrypoint /bin/bash {IMAGE} -c"],
    ),
    (
        f"{RUN} {IMAGE} bash -lc 'LLAMA_ARG_JINJA=1 exec /app/llama-server -m /models/x.gguf' x",
        {**HERE, "jinja": True},
        [X, f"around: {RUN} {IMAGE} bash -lc x exec"],
    ),
    (
        f"{RUN} img numactl -N 0 /app/llama-server -m /models/x.gguf -t 4",
        {**HERE, "threads": 4},
        [X, f"around: {RUN} img numactl -N 0"],
    ),
    (f"{RUN} img:full -s -m /models/x.gguf", HERE, [X, f"around: {RUN} img:full -s"]),
    (
        f"{RUN} {IMAGE} -s 42 -m /models/x.gguf",
        {**HERE, "extra_args": ("-s", "42")},
        ["extra: -s 42", X, f"around: {RUN} {IMAGE}"],
    ),
    (
        f"{RUN} img:llama serve 'my llama-server' here",
        {"extra_args": ("serve", "my llama-server", "here")},
        [
            "unknown: serve",
            "unknown: 'my llama-server'",
            "unknown: here",
            f"around: {RUN} img:llama",
        ],
    ),
    (
        f'macros:\n  "pod": >\n    podman run --name ${{MODEL_ID}} --init --rm -p ${{PORT}}:8080 -v /srv/ai:/models:z --gpus=all\n    {IMAGE}\n  "kv8": >\n    -fa on -ctk q8_0 -ctv q8_0\nmodels:\n  "a20b":\n    cmd: >\n      ${{pod}} -m \'/models/a-20b-UD-Q8_K_XL.gguf\' ${{kv8}} --no-warmup -c 65536 -ngl 99 -ncmoe 15\n    ttl: 180\n',
        {
            "model": "/srv/ai/a-20b-UD-Q8_K_XL.gguf",
            "context_size": 65536,
            "cache_type_k": "q8_0",
            "cache_type_v": "q8_0",
            "gpu_layers": 99,
            "flash_attn": "on",
            "extra_args": ("--no-warmup", "-ncmoe", "15"),
        },
        [
            "model: -m /models/a-20b-UD-Q8_K_XL.gguf",
            "extra: --no-warmup",
            "extra: -ncmoe 15",
            f"around: podman run --name a20b --init --rm -p '${{PORT}}:8080' -v /srv/ai:/models:z --gpus=all {IMAGE} 'ttl: 180'",
        ],
    ),
    (
        f"models:\n  a:\n    cmd: docker run --rm --mount type=bind,source=/srv/m,target=/models {IMAGE} -m /models/x.gguf --mmproj /models/mm.gguf\n",
        {**HERE, "extra_args": ("--mmproj", "/srv/m/mm.gguf")},
        [
            X,
            "translated: --mmproj /models/mm.gguf -> --mmproj /srv/m/mm.gguf",
            f"around: docker run --rm --mount type=bind,source=/srv/m,target=/models {IMAGE}",
        ],
    ),
    (
        f"[Service]\nExecStart=/usr/bin/podman run --rm -v /srv/m:/models {IMAGE} -m /models/x.gguf --log-file /models/log\n",
        {**HERE, "extra_args": ("--log-file", "/srv/m/log")},
        [
            X,
            "translated: --log-file /models/log -> --log-file /srv/m/log",
            f"around: /usr/bin/podman run --rm -v /srv/m:/models {IMAGE}",
        ],
    ),
]
QUADLETS = [
    (
        f"[Container]\nImage={IMAGE}\nVolume=/srv/m:/models:ro\nPublishPort=127.0.0.1:8080:8080\nExec=--model /models/a.gguf --port 8080 --ctx-size 4096\n",
        {"model": "/srv/m/a.gguf", "port": 8080, "context_size": 4096},
        [
            "model: --model /models/a.gguf",
            f"around: Image={IMAGE} Volume=/srv/m:/models:ro PublishPort=127.0.0.1:8080:8080",
        ],
    ),
    (
        '[Unit]\nDescription=llm\n[Container]\nImage=quay.io/me/it\nVolume=%h/m:/models:ro,z\nVolume=x.volume:/x\nEnvironment=LLAMA_ARG_MODEL=/models/a.gguf "LLAMA_ARG_MMPROJ=/models/l/mm.gguf"\nPodmanArgs=-v /srv/l:/models/l --gpus=all\nEnvironment=TZ=UTC\n[Install]\nWantedBy=default.target\n',
        {"model": "/home/me/m/a.gguf", "extra_args": ("--mmproj", "/srv/l/mm.gguf")},
        [
            "environment: TZ=UTC",
            "model: LLAMA_ARG_MODEL=/models/a.gguf",
            "translated: LLAMA_ARG_MMPROJ=/models/l/mm.gguf -> --mmproj /srv/l/mm.gguf",
            "around: Description=llm Image=quay.io/me/it Volume=%h/m:/models:ro,z Volume=x.volume:/x 'PodmanArgs=-v /srv/l:/models/l --gpus=all' WantedBy=default.target",
        ],
    ),
    (
        f"[Container]\nImage={IMAGE}\nMount=type=bind,source=/srv/m,destination=/models\nEntrypoint=/bin/sh\nExec=-c \\\n  'llama-server -m /models/x.gguf -c ${{CTX}}'\n",
        HERE,
        [
            X,
            "unresolved: -c '${CTX}'",
            f"around: Image={IMAGE} Mount=type=bind,source=/srv/m,destination=/models Entrypoint=/bin/sh",
        ],
    ),
    (
        "[Container]\nExec=/app/llama-server -m /srv/x.gguf -t 4\nImage=\n",
        {"model": "/srv/x.gguf", "threads": 4},
        ["model: -m /srv/x.gguf", "around: Image="],
    ),
]
WRAPPED = [
    (
        f"sudo -E docker run -v /srv/m:/models {IMAGE} -m /models/x.gguf --host 0.0.0.0",
        HERE,
        [X, "owned: --host 0.0.0.0", f"around: sudo -E {RUN} {IMAGE}"],
    ),
    (
        f"sudo -u llm podman run -v /srv/m:/models {IMAGE} -m /models/x.gguf",
        HERE,
        [X, f"around: sudo -u llm podman run -v /srv/m:/models {IMAGE}"],
    ),
    (
        f"systemd-run --user -p CPUQuota=4 {RUN} {IMAGE} -m /models/x.gguf",
        HERE,
        [X, f"around: systemd-run --user -p CPUQuota=4 {RUN} {IMAGE}"],
    ),
    (f"ssh box '{RUN} {IMAGE} -m /models/x.gguf'", HERE, [X, f"around: ssh box {RUN} {IMAGE}"]),
    (
        f"docker --context box -D run -v /srv/m:/models {IMAGE} -m /models/x.gguf",
        HERE,
        [X, f"around: docker --context box -D run -v /srv/m:/models {IMAGE}"],
    ),
    (
        f"docker --log-level=warn container run -v /srv/m:/models {IMAGE} -m /models/x.gguf",
        HERE,
        [X, f"around: docker --log-level=warn container run -v /srv/m:/models {IMAGE}"],
    ),
    (
        "llama-server -m /m/x.gguf --tags docker run a b",
        {"model": "/m/x.gguf", "extra_args": ("--tags", "docker", "run", "a", "b")},
        ["model: -m /m/x.gguf", "extra: --tags docker", "unknown: run", "unknown: a", "unknown: b"],
    ),
    # its own variables count for the shell inside
    (
        f"docker run -e CTX=4096 -e M=$HOST -v /srv/m:/models {IMAGE} sh -c 'llama-server -m /models/x.gguf -c $CTX --alias $M'",
        {**HERE, "context_size": 4096},
        [
            "environment: CTX=4096",
            "environment: 'M=$HOST'",
            X,
            "unresolved: --alias '$M'",
            f"around: {RUN} {IMAGE} sh -c",
        ],
    ),
]
APPTAINER = [
    (
        "singularity exec --nv -B /srv/m:/models,/a:/b llama.sif llama-server -m /models/x.gguf",
        HERE,
        [X, "around: singularity exec --nv -B /srv/m:/models,/a:/b llama.sif llama-server"],
    ),
    (
        f"srun -n 1 apptainer run --nv --env LLAMA_ARG_JINJA=1 --bind=/srv/m:/models docker://{IMAGE} -m /models/x.gguf",
        {**HERE, "jinja": True},
        [X, f"around: srun -n 1 apptainer run --nv --env LLAMA_ARG_JINJA=1 --bind=/srv/m:/models docker://{IMAGE}"],
    ),
    (
        "apptainer exec -B $DIR:/models llama.sif llama-server -m /models/x.gguf",
        {"model": "/models/x.gguf"},
        [X, "around: apptainer exec -B '$DIR:/models' llama.sif llama-server"],
    ),
]
DOCKERFILES = [
    (
        f'# mine\nFROM {IMAGE} AS first\nCMD ["-m", "no.gguf"]\nFROM {IMAGE}\nARG N=99\nENV LLAMA_ARG_CTX_SIZE=4096 LLAMA_ARG_MODEL=/models/x.gguf \\\n    # more\n    TZ=UTC\nENV LLAMA_ARG_N_GPU_LAYERS $N\nCOPY x.gguf /models/x.gguf\n',
        {"model": "/models/x.gguf", "context_size": 4096, "gpu_layers": 99},
        [
            "environment: TZ=UTC",
            "model: LLAMA_ARG_MODEL=/models/x.gguf",
            f"around: 'FROM {IMAGE} AS first' 'FROM {IMAGE}' 'COPY x.gguf /models/x.gguf'",
        ],
    ),
    (
        'ENTRYPOINT ["/app/llama-server"]\nCMD ["-m", "/models/x.gguf", "-c", "4096"]\n',
        {"model": "/models/x.gguf", "context_size": 4096},
        [X],
    ),
    (
        f"FROM {IMAGE}\nENV A\nEXPOSE 8080\nCMD -m /models/x.gguf --alias 'it\n",
        {"model": "/models/x.gguf", "alias": "'it"},
        [X, f"around: 'FROM {IMAGE}' 'EXPOSE 8080'"],
    ),
    (
        'FROM debian\nENTRYPOINT ["/bin/sh", "-c"]\nCMD ["llama-server -m /models/x.gguf -c $CTX"]\nENV CTX=4096\n',
        {"model": "/models/x.gguf", "context_size": 4096},
        ["environment: CTX=4096", X, "around: 'FROM debian'"],
    ),
]
LINES = FILES + COMMANDS + QUADLETS + WRAPPED + APPTAINER + DOCKERFILES


@pytest.mark.parametrize(("text", "fields", "notes"), LINES, ids=lambda value: str(value)[:50])
def test_a_command_in_a_container(text, fields, notes):
    check_pasted(text, fields, notes)


@pytest.mark.parametrize(
    "text",
    [
        "FROM nginx\nENV A=1\nCMD nginx -g off\n# not llama-server\n",
        "FROM nginx\nENTRYPOINT 5\nCMD 7\n",
        "docker",
        "docker -H x",
        "docker run -v /srv/m:/models",
        "apptainer build x.sif llama-server.def",
        "apptainer exec --nv",
    ],
)
def test_another_container_is_no_command(text):
    with pytest.raises(ConfigurationError, match="no llama-server command"):
        read_command_line(text)


def test_a_quadlet_of_something_else_is_no_command():
    with pytest.raises(ConfigurationError, match="no llama-server command"):
        read_command_line("[Container]\nImage=docker.io/library/nginx\nExec=nginx -g off\n")


def test_without_an_engines_help_any_value_may_be_a_file_but_a_name():
    text = f"{RUN} {IMAGE} -m /models/x.gguf --grammar-file /models/g --api-prefix /models/v --other /app/o"
    fields = {**HERE, "extra_args": ("--grammar-file", "/srv/m/g", "--other", "/app/o")}
    notes = [
        X,
        "translated: --grammar-file /models/g -> --grammar-file /srv/m/g",
        "refused: --api-prefix /models/v -> cannot be used: the server could not be asked how it is",
        "extra: --other /app/o",
        f"around: {RUN} {IMAGE}",
    ]
    check_pasted(text, fields, notes, None)
