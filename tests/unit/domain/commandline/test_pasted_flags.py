"""Flags as people write them: aliases, former names, three states, repeated, with a value that nothing can hold."""

from pathlib import Path

import pytest

from gglib_desktop.domain.engine.capabilities import EngineCapabilities
from gglib_desktop.domain.launch.options import MtpChoice
from tests.unit.domain.commandline.pasted import CAPABILITIES, check_pasted

ON, OFF = MtpChoice.ON, MtpChoice.OFF
NETWORK = "models are chosen in the list, not from the network"
LINES = [
    ("--n_gpu_layers 20 --ctx_size 4096", {"gpu_layers": 20, "context_size": 4096}, []),
    ("--ctx-size=4096 --n-gpu-layers=99 --temp=0.7", {"context_size": 4096, "gpu_layers": 99, "temperature": 0.7}, []),
    ("-c=4096 -ngl=all", {"context_size": 4096, "gpu_layers": 999}, []),
    ("-ngl auto -np -1 -t -1", {"gpu_layers": -1, "parallel": -1, "threads": -1}, []),
    ("-ngl -1 -c 0", {"gpu_layers": -1, "context_size": 0}, []),
    ("-ngl 99 -ngl 20", {"gpu_layers": 20}, ["repeated: -ngl 99"]),
    (
        "-c 2048 --ctx-size 4096 --ctx_size=8192",
        {"context_size": 8192},
        ["repeated: -c 2048", "repeated: --ctx-size 4096"],
    ),
    ("--jinja --no-jinja", {"jinja": False}, ["repeated: --jinja"]),
    ("--no-mmap --mlock", {"mmap": False, "mlock": True}, []),
    ("--mmap", {"mmap": True}, []),
    ("-fa on", {"flash_attn": "on"}, []),
    ("-fa --jinja", {"flash_attn": "on", "jinja": True}, ["translated: -fa -> -fa on"]),
    ("--flash-attn 0", {"flash_attn": "off"}, ["translated: --flash-attn 0 -> --flash-attn off"]),
    ("--flash_attn=auto", {"flash_attn": "auto"}, []),
    ("-fa -c 4096", {"flash_attn": "on", "context_size": 4096}, ["translated: -fa -> -fa on"]),
    ("-ctk q8_0 -ctv q8_0", {"cache_type_k": "q8_0", "cache_type_v": "q8_0"}, []),
    (
        "--cache-type-k q6_k",
        {"extra_args": ("--cache-type-k", "q6_k")},
        ["unfit: --cache-type-k q6_k -> must be one of f32, f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0, iq4_nl"],
    ),
    # It would be a context of 8 tokens, without a word of the engine.
    ("-c 8k --jinja", {"jinja": True}, ["refused: -c 8k -> is not a whole number; the engine would read 8"]),
    ("-ngl 9,9 --jinja", {"jinja": True}, ["refused: -ngl 9,9 -> is not a whole number; the engine would read 9"]),
    ("-c 4_096 --jinja", {"jinja": True}, ["refused: -c 4_096 -> is not a whole number; the engine would read 4"]),
    ("--temp 0,7 --jinja", {"jinja": True}, ["refused: --temp 0,7 -> is not a number; the engine would read 0"]),
    ("-c auto", {"extra_args": ("-c", "auto")}, ["unfit: -c auto -> is not a whole number"]),
    ("-c 8k -c 8192", {"context_size": 8192}, ["repeated: -c 8k"]),
    (
        "-c 8192 -c 8k --jinja",
        {"jinja": True},
        ["repeated: -c 8192", "refused: -c 8k -> is not a whole number; the engine would read 8"],
    ),
    # former builds took the scale as a word of its own
    (
        "-c 1 --lora-scaled a.gguf 0.5 --control-vector-scaled c.gguf -1",
        {"context_size": 1, "extra_args": ("--lora-scaled", "a.gguf:0.5", "--control-vector-scaled", "c.gguf:-1")},
        [
            "translated: --lora-scaled a.gguf 0.5 -> --lora-scaled a.gguf:0.5",
            "translated: --control-vector-scaled c.gguf -1 -> --control-vector-scaled c.gguf:-1",
        ],
    ),
    (
        "-c 1 --lora-scaled a.gguf:0.5 7",
        {"context_size": 1, "extra_args": ("--lora-scaled", "a.gguf:0.5", "7")},
        ["extra: --lora-scaled a.gguf:0.5", "unknown: 7"],
    ),
    (
        "--models-dir /m --models-max 2 -c 1",
        {"context_size": 1},
        [
            "refused: --models-dir /m -> a router is started with Start router",
            "refused: --models-max 2 -> a router is started with Start router",
        ],
    ),
    ("-ngl -2", {"extra_args": ("-ngl", "-2")}, ["unfit: -ngl -2 -> must be at least -1"]),
    (
        "--top-p 1.5 --temp hot",
        {"extra_args": ("--top-p", "1.5", "--temp", "hot")},
        ["unfit: --top-p 1.5 -> must be from 0 to 1", "unfit: --temp hot -> is not a number"],
    ),
    (
        "--top-k 0 --min-p 0",
        {"top_k": 0, "min_p": 0.0},
        [],
    ),
    ("--temp .6 --repeat-penalty 1. --top_p 95e-2", {"temperature": 0.6, "repeat_penalty": 1.0, "top_p": 0.95}, []),
    ("--top_k=0 --top-p 0", {"top_k": 0, "top_p": 0.0}, []),
    (
        "LLAMA_ARG_TOP_K=0 llama-server --top-k -1",
        {"extra_args": ("--top-k", "-1")},
        ["repeated: LLAMA_ARG_TOP_K=0", "unfit: --top-k -1 -> must be at least 0"],
    ),
    ("-n -1 --top-k 20", {"top_k": 20, "extra_args": ("-n", "-1")}, ["unfit: -n -1 -> must be greater than 0"]),
    (
        "--presence-penalty 1.5 --frequency-penalty -0.5 --repeat-last-n 128",
        {"presence_penalty": 1.5, "frequency_penalty": -0.5, "repeat_last_n": 128},
        [],
    ),
    ("-c", {}, ["empty: -c"]),
    ("-c --jinja", {"jinja": True}, ["empty: -c"]),
    ("--n-cpu-moe --jinja -np 2 --rpc", {"jinja": True, "parallel": 2}, ["empty: --n-cpu-moe", "empty: --rpc"]),
    (
        "--spec-type draft-mtp --spec-draft-n-max --jinja",
        {"mtp": ON, "jinja": True},
        ["empty: --spec-draft-n-max"],
    ),
    (
        "-c '' --spec-type '' --reasoning-format '' --chat-template '' --tags ''",
        {"chat_template": "", "extra_args": ("--tags", "")},
        ["empty: -c ''", "empty: --spec-type ''", "empty: --reasoning-format ''", "extra: --tags ''"],
    ),
    (
        "--cache-ram= --tags= -c 1",
        {"context_size": 1, "extra_args": ("--tags", "")},
        ["empty: --cache-ram=", "translated: --tags= -> --tags "],
    ),
    ("--jinja=true", {"extra_args": ("--jinja=true",)}, ["unfit: --jinja=true -> takes no value"]),
    ("--port 80", {}, ["refused: --port 80 -> must be from 1024 to 65535"]),
    ("--port ${PORT} -c 4096", {"context_size": 4096}, ["owned: --port '${PORT}'"]),
    (
        "--metrics --host localhost --cors-origins localhost",
        {},
        ["owned: --metrics", "owned: --host localhost", "owned: --cors-origins localhost"],
    ),
    (
        "--cors-origins '*' --slots",
        {"extra_args": ("--cors-origins", "*", "--slots")},
        ["extra: --cors-origins '*'", "extra: --slots"],
    ),
    (
        "--host 0.0.0.0 --port 8080",
        {"host": "0.0.0.0", "port": 8080},
        [],
    ),
    (
        "--api-key sk-123 -c 1",
        {"api_key": "sk-123", "require_api_key": True, "context_size": 1},
        ["access: --api-key '[hidden]'"],
    ),
    (
        "--api_key=sk-123 --jinja",
        {"api_key": "sk-123", "require_api_key": True, "jinja": True},
        ["access: '--api_key=[hidden]'"],
    ),
    (
        "--api-key a --api-key b",
        {"api_key": "b", "require_api_key": True},
        ["repeated: --api-key '[hidden]'", "access: --api-key '[hidden]'"],
    ),
    (
        "LLAMA_API_KEY=sk-9 HF_TOKEN=hf_1 MY_SECRET=s llama-server --jinja",
        {"api_key": "sk-9", "require_api_key": True, "jinja": True},
        [
            "environment: 'MY_SECRET=[hidden]'",
            "access: 'LLAMA_API_KEY=[hidden]'",
            f"refused: 'HF_TOKEN=[hidden]' -> {NETWORK}",
        ],
    ),
    ("--api-key $KEY", {}, ["unresolved: --api-key '$KEY'"]),
    (
        "--api-key-file /etc/keys --ssl-key-file k.pem",
        {},
        [
            "refused: --api-key-file /etc/keys -> is decided by the field API key, and the program keeps the key",
            "refused: --ssl-key-file k.pem -> cannot be used: the server could not be asked how it is",
        ],
    ),
    (
        "llama-server -hf ggml-org/gemma-3-1b-it-GGUF:Q4_K_M -c 4096",
        {"context_size": 4096},
        [f"refused: -hf ggml-org/gemma-3-1b-it-GGUF:Q4_K_M -> {NETWORK}"],
    ),
    (
        "llama-server --hf-repo a/b --hf-file c.gguf -hft hf_x --gpt-oss-20b-default",
        {},
        [
            f"refused: --hf-repo a/b -> {NETWORK}",
            f"refused: --hf-file c.gguf -> {NETWORK}",
            f"refused: -hft '[hidden]' -> {NETWORK}",
            f"refused: --gpt-oss-20b-default -> {NETWORK}",
        ],
    ),
    ("llama-server --version", {}, ["refused: --version -> it would print something and end"]),
    (
        "--cache-ram=2048 --cache_reuse 256",
        {"extra_args": ("--cache-ram", "2048", "--cache_reuse", "256")},
        ["translated: --cache-ram=2048 -> --cache-ram 2048", "extra: --cache_reuse 256"],
    ),
    (
        "-ot 'blk\\.\\d+\\.ffn=CPU' -ot exps=CPU --n-cpu-moe 20 -c 1",
        {"context_size": 1, "extra_args": ("-ot", "blk\\.\\d+\\.ffn=CPU", "-ot", "exps=CPU", "--n-cpu-moe", "20")},
        ["extra: -ot 'blk\\.\\d+\\.ffn=CPU'", "extra: -ot exps=CPU", "extra: --n-cpu-moe 20"],
    ),
    (
        "-cmoe -kvu --swa-full --seed -1 -c 1",
        {"context_size": 1, "extra_args": ("-cmoe", "-kvu", "--swa-full", "--seed", "-1")},
        ["extra: -cmoe", "extra: -kvu", "extra: --swa-full", "extra: --seed -1"],
    ),
    (
        "-c 1 --brand-new x --other -3 word",
        {"context_size": 1, "extra_args": ("--brand-new", "x", "--other", "-3", "word")},
        ["unknown: --brand-new x", "unknown: --other -3", "unknown: word"],
    ),
    (
        "--mmproj mmproj.gguf -sm row -ts 3,1 -mg 0 -c 1",
        {"context_size": 1, "extra_args": ("--mmproj", "mmproj.gguf", "-sm", "row", "-ts", "3,1", "-mg", "0")},
        ["extra: --mmproj mmproj.gguf", "extra: -sm row", "extra: -ts 3,1", "extra: -mg 0"],
    ),
    (
        "-dev CUDA0,CUDA1 --reasoning-format none --chat-template-file t.jinja",
        {"device": "CUDA0,CUDA1", "reasoning_format": "none", "chat_template_file": "t.jinja"},
        [],
    ),
    (
        "--chat-template chatml --reasoning-format deep",
        {"chat_template": "chatml", "extra_args": ("--reasoning-format", "deep")},
        ["unfit: --reasoning-format deep -> must be one of none, deepseek, deepseek-legacy, auto"],
    ),
    # -- drafting
    (
        "--spec-type draft-mtp --spec-draft-n-max 3 --spec-draft-p-min 0.5",
        {"mtp": ON, "spec_draft_n_max": 3, "spec_draft_p_min": 0.5},
        [],
    ),
    ("--spec-type=draft-mtp", {"mtp": ON}, []),
    (
        "--spec_type draft-mtp --spec-draft-n-min 1",
        {"mtp": ON, "extra_args": ("--spec-draft-n-min", "1")},
        ["extra: --spec-draft-n-min 1"],
    ),
    ("LLAMA_ARG_SPEC_TYPE=draft-mtp LLAMA_ARG_SPEC_DRAFT_N_MAX=4 llama-server", {"mtp": ON, "spec_draft_n_max": 4}, []),
    ("--spec-type none --spec-type draft-mtp", {"mtp": ON}, ["repeated: --spec-type none"]),
    ("--spec-type none --jinja", {"mtp": OFF, "jinja": True}, []),
    (
        "--spec-type draft-mtp --draft-max 6 --draft-p-min 0.8",
        {"mtp": ON, "spec_draft_n_max": 6, "spec_draft_p_min": 0.8},
        ["translated: --draft-max 6 -> --spec-draft-n-max 6"],
    ),
    ("--draft 8 -c 1", {"spec_draft_n_max": 8, "context_size": 1}, ["translated: --draft 8 -> --spec-draft-n-max 8"]),
    (
        "--draft-n=4 --jinja",
        {"spec_draft_n_max": 4, "jinja": True},
        ["translated: --draft-n=4 -> --spec-draft-n-max 4"],
    ),
    (
        "--draft-max 8 --draft-min 2",
        {"spec_draft_n_max": 8, "extra_args": ("--spec-draft-n-min", "2")},
        ["translated: --draft-max 8 -> --spec-draft-n-max 8", "translated: --draft-min 2 -> --spec-draft-n-min 2"],
    ),
    (
        "--spec-type draft-mtp --spec-draft-n-max 24 -c 1",
        {"mtp": OFF, "context_size": 1, "extra_args": ("--spec-type", "draft-mtp", "--spec-draft-n-max", "24")},
        ["drafting: --spec-type draft-mtp --spec-draft-n-max 24 -> --spec-draft-n-max 24: must be from 0 to 16"],
    ),
    (
        "-md d.gguf -ngld 99 --draft-max 16 --draft-min 4 -c 1",
        {
            "mtp": ON,
            "spec_draft_model": Path("d.gguf"),
            "spec_draft_n_max": 16,
            "context_size": 1,
            "extra_args": ("-ngld", "99", "--spec-draft-n-min", "4"),
        },
        [
            "extra: -ngld 99",
            "translated: --draft-max 16 -> --spec-draft-n-max 16",
            "translated: --draft-min 4 -> --spec-draft-n-min 4",
        ],
    ),
    (
        "--model-draft d.gguf -ctkd q8_0 --device-draft CUDA1 -c 1",
        {
            "mtp": ON,
            "spec_draft_model": Path("d.gguf"),
            "context_size": 1,
            "extra_args": ("-ctkd", "q8_0", "--device-draft", "CUDA1"),
        },
        ["extra: -ctkd q8_0", "extra: --device-draft CUDA1"],
    ),
    (
        "-hfd a/b:Q4_0 --jinja",
        {"mtp": OFF, "jinja": True, "extra_args": ("-hfd", "a/b:Q4_0")},
        ["drafting: -hfd a/b:Q4_0 -> models are chosen in the list, not from the network"],
    ),
    (
        "--spec-type ngram-mod --spec-ngram-mod-n-max 64 -c 1",
        {"mtp": ON, "spec_type": "ngram-mod", "context_size": 1, "extra_args": ("--spec-ngram-mod-n-max", "64")},
        ["extra: --spec-ngram-mod-n-max 64"],
    ),
    (
        "--spec-type draft-mtp,ngram-mod --spec-draft-n-max 2",
        {"mtp": ON, "spec_type": "draft-mtp,ngram-mod", "spec_draft_n_max": 2},
        [],
    ),
    (
        "--spec-type draft-eagle3 --spec-draft-model e.gguf",
        {"mtp": ON, "spec_type": "draft-eagle3", "spec_draft_model": Path("e.gguf")},
        [],
    ),
    (
        "--spec-type draft-mtp -md d.gguf",
        {"mtp": ON, "spec_type": "draft-mtp", "spec_draft_model": Path("d.gguf")},
        [],
    ),
    ("--spec-type draft-simple -md d.gguf", {"mtp": ON, "spec_draft_model": Path("d.gguf")}, []),
    (
        "--spec-type none -md d.gguf",
        {"mtp": OFF, "spec_draft_model": Path("d.gguf")},
        [],
    ),
    (
        "--spec-type Other -md d.gguf",
        {"mtp": OFF, "extra_args": ("--spec-type", "Other", "-md", "d.gguf")},
        [
            "drafting: --spec-type Other -md d.gguf -> --spec-type Other: must be the engine's names for methods, commas between them"
        ],
    ),
    ("--spec-type $KIND --jinja", {"jinja": True}, ["unresolved: --spec-type '$KIND'"]),
    (
        "--spec-default --jinja",
        {"mtp": OFF, "jinja": True, "extra_args": ("--spec-default",)},
        ["drafting: --spec-default -> the engine chooses how it drafts"],
    ),
    (
        "--spec-type draft-mtp,ngram-mod -md d.gguf",
        {"mtp": ON, "spec_type": "draft-mtp,ngram-mod", "spec_draft_model": Path("d.gguf")},
        [],
    ),
    (
        "LLAMA_ARG_SPEC_TYPE=draft-mtp LLAMA_ARG_SPEC_DRAFT_MODEL=mtp.gguf llama-server --jinja",
        {"mtp": ON, "jinja": True, "spec_type": "draft-mtp", "spec_draft_model": Path("mtp.gguf")},
        [],
    ),
    (
        "/opt/homebrew/Cellar/llama.cpp/9700/bin/llama serve --host 127.0.0.1 --port 51082 --ctx-size 65536 --model /m/g-12B.gguf --spec-draft-model /m/mtp-g-12B.gguf --spec-type draft-mtp --spec-draft-n-max 2",
        {
            "mtp": ON,
            "model": "/m/g-12B.gguf",
            "port": 51082,
            "context_size": 65536,
            "spec_draft_model": Path("/m/mtp-g-12B.gguf"),
            "spec_type": "draft-mtp",
            "spec_draft_n_max": 2,
        },
        [
            "owned: --host 127.0.0.1",
            "model: --model /m/g-12B.gguf",
        ],
    ),
    (
        "--spec-ngram-size-n 12 -c 1",
        {"context_size": 1, "extra_args": ("--spec-ngram-size-n", "12")},
        ["extra: --spec-ngram-size-n 12"],
    ),
]


@pytest.mark.parametrize(("text", "fields", "notes"), LINES, ids=[text[:60] for text, *_ in LINES])
def test_flags(text, fields, notes):
    check_pasted(text, fields, notes)


UNKNOWN_ENGINE = [
    (
        "-m x.gguf --verbose --alias a -c 1",
        {"model": "x.gguf", "context_size": 1, "alias": "a", "extra_args": ("--verbose",)},
        ["model: -m x.gguf", "extra: --verbose"],
    ),
    (
        "-c 1 --flag -1 --other -.5 --last",
        {"context_size": 1, "extra_args": ("--flag", "-1", "--other", "-.5", "--last")},
        ["extra: --flag -1", "extra: --other -.5", "extra: --last"],
    ),
    (
        "--draft-max 8 --draft-min 1 --draft-p-min 0.5",
        {"spec_draft_n_max": 8, "spec_draft_p_min": 0.5, "extra_args": ("--spec-draft-n-min", "1")},
        ["translated: --draft-max 8 -> --spec-draft-n-max 8", "translated: --draft-min 1 -> --spec-draft-n-min 1"],
    ),
    (
        "LLAMA_ARG_CACHE_RAM=0 LLAMA_ARG_NO_JINJA=1 LLAMA_ARG_NO_SUCH=1 llama-server",
        {"jinja": False},
        ["environment: LLAMA_ARG_CACHE_RAM=0", "environment: LLAMA_ARG_NO_SUCH=1"],
    ),
    ("--cache-ram=1 -c 1", {"context_size": 1, "extra_args": ("--cache-ram=1",)}, ["extra: --cache-ram=1"]),
    (
        "-md d.gguf --draft-max 99 -c 1",
        {"mtp": OFF, "context_size": 1, "extra_args": ("-md", "d.gguf", "--spec-draft-n-max", "99")},
        [
            "translated: --draft-max 99 -> --spec-draft-n-max 99",
            "drafting: -md d.gguf --draft-max 99 -> --draft-max 99: must be from 0 to 16",
        ],
    ),
]


@pytest.mark.parametrize(("text", "fields", "notes"), UNKNOWN_ENGINE)
def test_flags_when_no_engine_is_known(text, fields, notes):
    check_pasted(text, fields, notes, None)


def test_an_engine_of_former_days_keeps_its_names():
    former = {"--draft-max": "N", "--draft-min": "N", "-c": "N", "--ctx-size": "N"}
    capabilities = EngineCapabilities({flag: frozenset({flag}) for flag in former}, placeholders=former)
    fields = {"spec_draft_n_max": 8, "extra_args": ("--draft-min", "1")}
    check_pasted("--draft-max 8 --draft-min 1", fields, ["extra: --draft-min 1"], capabilities)
    check_pasted(
        "--spec-draft-n-max 8",
        {"spec_draft_n_max": 8},
        ["translated: --spec-draft-n-max 8 -> --draft-max 8"],
        capabilities,
    )


def test_an_alias_that_only_the_help_tells_of():
    spellings = dict(CAPABILITIES.spellings) | dict.fromkeys(("-c", "--window"), frozenset({"-c", "--window"}))
    spellings |= dict.fromkeys(
        ("--mmap", "-nomap", "--no-map", "--map", "--no-mmap"), frozenset({"--mmap", "--map", "--no-map", "--no-mmap"})
    )
    capabilities = EngineCapabilities(spellings, placeholders=CAPABILITIES.placeholders)
    check_pasted("--window 5 --no-map", {"context_size": 5, "mmap": False}, [], capabilities)
    check_pasted("--map", {"mmap": True}, [], capabilities)
