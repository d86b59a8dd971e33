"""Files of units, of other programs and of people's own scripts, with a start of llama-server in them."""

import pytest

from gglib_desktop.domain.commandline.reading import read_command_line
from gglib_desktop.domain.errors import ConfigurationError
from tests.unit.domain.commandline.pasted import check_pasted

X = {"model": "/m/x.gguf"}
CTX = {**X, "context_size": 4096}
SAID = ["model: -m /m/x.gguf"]

UNITS = [
    # a drop-in takes back what the unit says
    (
        (
            "[Service]\nEnvironment=A=1 LLAMA_ARG_THREADS=2\nExecStart=/usr/bin/llama-server -m /a.gguf -c 2048\n"
            "[Service]\nEnvironment=\nEnvironment=LLAMA_ARG_N_GPU_LAYERS=20\nExecStart=\n"
            "ExecStart=/usr/bin/llama-server -m /m/x.gguf -c 4096"
        ),
        {**CTX, "gpu_layers": 20},
        [
            *SAID,
            (
                "around: Environment=A=1 Environment=LLAMA_ARG_THREADS=2 "
                "'ExecStart=/usr/bin/llama-server -m /a.gguf -c 2048'"
            ),
        ],
    ),
    (
        "[Service]\nExecStart=\nExecStart=/usr/bin/llama-server -m /m/x.gguf -c 4096\nExecStart=/bin/true",
        CTX,
        [*SAID, "around: ExecStart=/bin/true"],
    ),
    # lines of files whose key is no variable
    (
        "[program:llama]\ncommand=/usr/bin/llama-server -m /m/x.gguf -c 4096\nautostart=true",
        CTX,
        [*SAID, "around: autostart=true"],
    ),
    ("alias llm='llama-server -m /m/x.gguf -c 4096'", CTX, [*SAID, "around: alias"]),
    ("BIN=/opt/llama-server\n$BIN -m /m/x.gguf -c 4096", CTX, SAID),
    ("nix run github:x/llama.cpp#llama-server -- -m /m/x.gguf -c 4096", CTX, [*SAID, "around: nix run"]),
    ("distrobox enter x -- llama-server -- -m /m/x.gguf -c 4096", CTX, [*SAID, "around: distrobox enter x --"]),
]

SHELLS = [
    # a line that was broken in an e-mail
    ("llama-server -m /m/x.gguf -c\n4096 --jinja", {**CTX, "jinja": True}, SAID),
    ("llama-server -c 4096 -m\n/m/x.gguf\n-ngl\n-1", {**CTX, "gpu_layers": -1}, SAID),
    ("llama-server -m /m/x.gguf --jinja\ntook 4096 MB", {**X, "jinja": True}, [*SAID, "around: 'took 4096 MB'"]),
    # fish and csh
    ("set -l args -m /m/x.gguf -c 4096\nset -a args --jinja\nllama-server $args", {**CTX, "jinja": True}, SAID),
    (
        "set --global --export LLAMA_ARG_CTX_SIZE 4096\nset --append o --jinja\nllama-server -m /m/x.gguf $o",
        {**CTX, "jinja": True},
        SAID,
    ),
    ("setenv LLAMA_ARG_CTX_SIZE 4096\nllama-server -m /m/x.gguf", CTX, SAID),
    # a comment within a command
    ("llama-server -m /m/x.gguf `# the model` \\\n  `# the rest` -c 4096", CTX, SAID),
    ("llama-server -m /m/x.gguf -c `cat n`", X, [*SAID, "unresolved: -c '`cat n`'"]),
]

YAML = [
    # variables that a file only names
    (
        (
            "services:\n  a:\n    image: llama\n    environment:\n      - LLAMA_ARG_CTX_SIZE\n      - OTHER\n"
            "    command: -m /m/x.gguf"
        ),
        X,
        [
            "environment: 'OTHER=$OTHER'",
            "unresolved: 'LLAMA_ARG_CTX_SIZE=$LLAMA_ARG_CTX_SIZE'",
            *SAID,
            "around: 'image: llama'",
        ],
    ),
    (
        "containers:\n- args: [-m, /m/x.gguf]\n  env:\n  - name: LLAMA_API_KEY\n    valueFrom: {secretKeyRef: {name: k}}",
        X,
        ["unresolved: 'LLAMA_API_KEY=$LLAMA_API_KEY'", *SAID],
    ),
    # mappings in one line
    (
        'services: {a: {environment: {LLAMA_ARG_CTX_SIZE: 4096, "LLAMA_ARG_JINJA": "on"}, command: [-m , /m/x.gguf ]}}',
        {**CTX, "jinja": True},
        SAID,
    ),
    (
        (
            'services:\n  a:\n    environment: {LLAMA_ARG_CTX_SIZE: 4096,  # "a [comment\n      LLAMA_ARG_JINJA: on}\n'
            "    command: -m /m/x.gguf"
        ),
        {**CTX, "jinja": True},
        SAID,
    ),
    # JSON
    ('{"command": "/usr/bin/llama-server", "args": ["-m", "/m/x.gguf", "-c", "4096"]}', CTX, SAID),
    (
        (
            '{\n  "mcp": {\n    "args": ["-m", "/m/x.gguf",\n      "--tags", "a,b]", "--alias", ""],\n'
            '    "env": {"LLAMA_ARG_CTX_SIZE": 4096},\n    "note": "x"\n  }\n}'
        ),
        {**CTX, "alias": "", "extra_args": ("--tags", "a,b]")},
        [*SAID, "extra: --tags 'a,b]'", "around: 'note: x'"],
    ),
    # llama-swap on Windows
    (
        (
            "macros:\n  srv-win: C:\\llama\\llama-server.exe --port ${PORT}\nmodels:\n  a:\n    cmd: |\n      ${srv-win}\n"
            "      -m C:\\m\\x.gguf  # the model\n      -c 4096 ${no-such}"
        ),
        {"model": r"C:\m\x.gguf", "context_size": 4096},
        ["owned: --port '${PORT}'", r"model: -m 'C:\m\x.gguf'", "unresolved: '${no-such}'"],
    ),
    (
        'models:\n  a:\n    cmd: C:\\llama\\llama-server.exe -m "C:\\my models\\x.gguf"\n      -c 4096',
        {"model": r"C:\my models\x.gguf", "context_size": 4096},
        [r"model: -m 'C:\my models\x.gguf'"],
    ),
]


SOURCES = [
    (
        'subprocess.Popen(["llama-server", "-m", "/m/x.gguf", "-c", "4096", "--port", str(port), "--tags", "a, b]"])',
        {**CTX, "extra_args": ("--tags", "a, b]")},
        [*SAID, "owned: --port '${str(port)}'", "extra: --tags 'a, b]'", "around: 'subprocess.Popen('"],
    ),
    (
        "cmd = [\n    './bin/llama-server',\n    '-m', MODEL,  # the model\n    '-c', f\"{ctx}\", *more,\n    '--jinja',\n]",
        {"jinja": True},
        ["model: -m '${MODEL}'", "unresolved: -c '${ctx}'", "unresolved: '${*more}'", "around: 'cmd ='"],
    ),
    (
        r"""x = [r"C:\l\llama-server.exe", "-m", r"C:\m\x.gguf", '-a', 'say "x"', '--tags', 'C:\\t']""",
        {"model": r"C:\m\x.gguf", "alias": 'say "x"', "extra_args": ("--tags", r"C:\t")},
        [r"model: -m 'C:\m\x.gguf'", r"extra: --tags 'C:\t'", "around: 'x ='"],
    ),
    # calls
    (
        "spawn('./llama-server', ['-m', '/m/x.gguf', '-c', ctx], {stdio: 'inherit'})",
        X,
        [*SAID, "unresolved: -c '${ctx}'", "around: spawn"],
    ),
    (
        'exec.Command("llama-server", "-m", "/m/x.gguf", "-c", "4096")',
        CTX,
        [*SAID, "around: exec.Command"],
    ),
    ('subprocess.run("llama-server -m /m/x.gguf -c 4096", shell=True)', CTX, [*SAID, "around: subprocess.run"]),
    ('os.system("nohup ./llama-server -m /m/x.gguf &")', X, [*SAID, "around: os.system"]),
    (
        r'Process.Start("llama-server.exe", "-m C:\\m\\x.gguf -c 4096");',
        {"model": r"C:\m\x.gguf", "context_size": 4096},
        [r"model: -m 'C:\m\x.gguf'", "around: Process.Start"],
    ),
    # a whole command in quotation marks
    ('"./llama-server -m /m/x.gguf -c 4096"', CTX, SAID),
    ("'llama-server -m /m/x.gguf -c 4096',", CTX, SAID),
    ('"/my folder/llama-server"', {}, []),
    # an entry of a list of several
    ('"args": ["-m", "/m/x.gguf", "-c", "4096"],', CTX, SAID),
]

SUPERVISED = [
    (
        '[program:web]\ncommand=nginx\n[program:llm]\ncommand=%(ENV_HOME)s/llama-server -m /m/x.gguf -c %(ctx)s --alias a%%$b ; comment\n  -t 4\n# no\nenvironment=\n    LLAMA_ARG_JINJA="1",\n    CUDA_VISIBLE_DEVICES="0,1"\ndirectory=/srv\n',
        {**X, "jinja": True, "alias": "a%$b", "threads": 4},
        ["environment: CUDA_VISIBLE_DEVICES=0,1", *SAID, "unresolved: -c '${ctx}'", "around: directory=/srv"],
    ),
    (
        "[program:llm]\nenvironment = LLAMA_ARG_MODEL=/m/x.gguf\ncommand = /srv/start\n",
        X,
        ["model: LLAMA_ARG_MODEL=/m/x.gguf", "around: /srv/start"],
    ),
    ("[program:llm]\ncommand=llama-server -m 'x\n", {}, []),
    (
        "<key>ProgramArguments</key><array/>\nllama-server -m /m/x.gguf",
        X,
        [*SAID, "around: '<key>ProgramArguments</key><array/>'"],
    ),
    (
        "<dict>\n<key>Label</key><string>llm</string>\n<key>ProgramArguments</key>\n<array>\n  <string>/opt/homebrew/bin/llama-server</string>\n  <string>-m</string>\n  <string>/m/x.gguf</string>\n  <!-- <string>-t</string> -->\n  <string>--tags</string><string>a&amp;b</string>\n</array>\n<key>EnvironmentVariables</key>\n<dict><key>LLAMA_ARG_CTX_SIZE</key><string>4096</string><key>A</key><string>1</string></dict>\n<key>KeepAlive</key><true/>\n</dict>",
        {**CTX, "extra_args": ("--tags", "a&b")},
        ["environment: A=1", *SAID, "extra: --tags 'a&b'"],
    ),
    (
        "<key>ProgramArguments</key><array><string>llama-server</string><string>-m</string><string>/m/x.gguf</string></array>",
        X,
        SAID,
    ),
]


@pytest.mark.parametrize(
    ("text", "fields", "notes"), UNITS + SHELLS + YAML + SOURCES + SUPERVISED, ids=lambda value: str(value)[:50]
)
def test_a_command_in_a_script(text, fields, notes):
    check_pasted(text, fields, notes)


@pytest.mark.parametrize("line", ["A=1\n", "export A=1\n", "(\n"])
def test_a_long_text_without_a_start_is_refused_at_once(line):
    with pytest.raises(ConfigurationError, match="no llama-server command"):
        read_command_line(line * 20000)


@pytest.mark.no_cover  # it is about length: counting its lines would double its time
def test_a_long_list_of_variables_before_a_start_is_read():
    read = read_command_line("A=1\n" * 5000 + "llama-server -m x.gguf -c 4096")
    assert (read.model, read.options.context_size) == ("x.gguf", 4096)


@pytest.mark.parametrize("text", ["env: production\nname: my-llama\n", 'x = []; x = ["llama-server", "-m"'])
def test_a_file_with_no_command_in_it_is_refused(text):
    with pytest.raises(ConfigurationError, match="no llama-server command"):
        read_command_line(text)
