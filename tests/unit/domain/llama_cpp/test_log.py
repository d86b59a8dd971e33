"""What logs of llama.cpp say about an end: the line that states a cause, the file it names, and what was outlived."""

from pathlib import Path

import pytest

from gglib_desktop.domain.errors import StartFailed
from gglib_desktop.domain.llama_cpp.diagnosis import diagnose
from gglib_desktop.domain.llama_cpp.log import read_log
from gglib_desktop.domain.models.model import ModelFile
from gglib_desktop.domain.servers.diagnosis import (
    explained_by_model,
    failure_of_error,
    file_that_tells,
    of_another_file,
)
from gglib_desktop.domain.servers.failures import EVIDENCE_LINES, Failure, FailureCause, ModelPart, ServerExit
from gglib_desktop.domain.servers.server import ServerConfig
from tests.fakes.library import some_facts
from tests.fakes.recorded import LOGS

MODEL = Path("/models/tiny.gguf")
CONFIG = ServerConfig(1, "Tiny", MODEL, 9000)
SOUND = ModelFile(MODEL, some_facts())

# What every build says once a model did not load.
AFTER = (
    "llama_model_load_from_file_impl: failed to load model",
    "common_init_from_params: failed to load model '/models/tiny.gguf'",
    "srv    load_model: failed to load model, '/models/tiny.gguf'",
    "srv    operator(): operator(): cleaning up before exit...",
    "main: exiting due to model loading error",
)

TRACE = ["[New LWP 654]", "0x00007fbc250f1c17 in wait4 () from libc.so.6", *(f"#{n}  0x7f in f ()" for n in range(60))]


def loading(*lines: str) -> list[str]:
    return ["srv    load_model: loading model '/models/tiny.gguf'", *lines, *AFTER]


# -- a sound file is not called damaged

NOT_DAMAGED = [
    ("error loading model vocabulary: unknown pre-tokenizer type: 'xyz'", FailureCause.MODEL_UNSUPPORTED),
    ("error loading model vocabulary: unknown tokenizer: 'plamo2'", FailureCause.MODEL_UNSUPPORTED),
    ("unknown model architecture: 'qwen99'", FailureCause.MODEL_UNSUPPORTED),
    ("done_getting_tensors: wrong number of tensors; expected 292, got 291", FailureCause.MODEL_UNSUPPORTED),
    (
        "gguf_init_from_file_impl: tensor 'blk.0.ffn_down_exps.weight' has invalid ggml type 39 (NONE)",
        FailureCause.MODEL_UNSUPPORTED,
    ),
    ("error loading model hyperparameters: key not found in model: llama.block_count", FailureCause.MODEL_UNREADABLE),
    ("missing tensor 'output_norm.weight'", FailureCause.MODEL_UNREADABLE),
    ("tensor 'token_embd.weight' data is not within the file bounds", FailureCause.MODEL_UNREADABLE),
    ("CLIP cannot be used as main model, use it with --mmproj instead", FailureCause.COMPANION_ALONE),
    ("llama_init_from_model: V cache quantization requires flash_attn", FailureCause.BAD_VALUE),
    ("llama_init_from_model: quantized V cache requires flash_attn to be enabled", FailureCause.BAD_VALUE),
    ("llama_prepare_model_devices: LLAMA_SPLIT_MODE_TENSOR needs >= 1 devices", FailureCause.BAD_VALUE),
    ("common_chat_templates_init: failed to initialize chat template", FailureCause.TEMPLATE_REFUSED),
    ("illegal split file idx: 1 (file: x), model must be loaded with the first split", FailureCause.MODEL_UNREADABLE),
    ("llama.cpp: tensor 'tok_embeddings.weight' is missing from model", FailureCause.MODEL_UNREADABLE),
    ("error loading model hyperparameters: invalid n_rot: 128, expected 160", FailureCause.MODEL_UNREADABLE),
    ("error loading model vocabulary: _Map_base::at", FailureCause.MODEL_UNREADABLE),
    ("error loading model vocabulary: std::bad_alloc", FailureCause.OUT_OF_MEMORY),
    (
        "unknown (magic, version) combination: 46554747, 00000003; is this really a GGML file?",
        FailureCause.MODEL_UNREADABLE,
    ),
    ("invalid value for main_gpu: 3 (available devices: 1)", FailureCause.BAD_VALUE),
    (
        "no backends are loaded. hint: use ggml_backend_load() before calling this function",
        FailureCause.LIBRARY_MISSING,
    ),
    ("vk::Queue::submit: ErrorDeviceLost", FailureCause.UNKNOWN),
    ("mmap failed: No such device", FailureCause.UNKNOWN),
    ("read error: Input/output error", FailureCause.UNKNOWN),
]


@pytest.mark.parametrize(("reason", "cause"), NOT_DAMAGED)
def test_the_line_that_states_the_cause_decides_and_not_what_follows_from_it(reason, cause):
    line = f"llama_model_load: error loading model: {reason}"
    failure = diagnose(ServerExit(1), loading(line))
    failure = of_another_file(failure, CONFIG)
    explained = explained_by_model(failure, CONFIG, SOUND)
    assert (explained.cause, explained.file) == (cause, "")
    assert explained.evidence[0] == line


ABORTED = ServerExit(-6)


@pytest.mark.parametrize(
    "said",
    [
        "CUDA error: no kernel image is available for execution on the device",
        "CUDA error: the provided PTX was compiled with an unsupported toolchain.",
        "CUDA error: device kernel image is invalid",
        "ROCm error: invalid device function",
        "rocBLAS error: Cannot read /opt/rocm/lib/rocblas/TensileLibrary.dat: Illegal seek for GPU arch : gfx1103",
        "  what():  vk::createInstance: ErrorIncompatibleDriver",
    ],
)
def test_an_engine_for_other_graphics_cards_is_told(said):
    lines = [
        "ggml_cuda_init: found 1 CUDA devices:",
        said,
        "  current device: 0, in function evaluate",
        "ggml-cuda.cu:73: error",
    ]
    failure = diagnose(ABORTED, lines)
    assert (failure.cause, failure.evidence) == (FailureCause.WRONG_GRAPHICS, (said,))


@pytest.mark.parametrize(
    "said",
    [
        "ggml_cuda_init: failed to initialize CUDA: no CUDA-capable device is detected",
        "ggml_cuda_init: failed to initialize CUDA: CUDA driver version is insufficient for CUDA runtime version",
        "ggml_vulkan: No devices found.",
    ],
)
def test_a_card_that_the_engine_does_without_is_no_cause(said):
    unknown = "llama_model_load: error loading model: unknown model architecture: 'new'"
    assert diagnose(ServerExit(1), [said, *loading(unknown)]).cause is FailureCause.MODEL_UNSUPPORTED
    assert diagnose(ServerExit(1), [said]).cause is FailureCause.UNKNOWN


@pytest.mark.parametrize(
    "said",
    [
        "gguf_init_from_file_impl: tensor 'blk.33.ffn_up.weight' has offset 1234, expected 1236",
        "gguf_init_from_file_impl: failed to seek to beginning of data section",
        "E gguf_init_from_reader: tensor 'x' has invalid number of dimensions: 9 > 4",
        "gguf_init_from_reader: number of key value pairs is 99999999999 but must be in [0, 1000]",
        "gguf_init_from_reader: encountered bad_alloc error while reading key 3",
        "gguf_init_from_reader: key 'x' has invalid GGUF type 13",
        "failed to load model: this GGUF file version 50331648 is extremely large",
    ],
)
def test_what_the_reader_of_headers_refuses_is_about_the_file(said):
    line = said if said.startswith(("E ", "gguf")) else f"gguf_init_from_reader: {said}"
    failure = diagnose(ServerExit(1), loading(line))
    assert (failure.cause, failure.evidence[0]) == (FailureCause.MODEL_UNREADABLE, line)
    assert explained_by_model(failure, CONFIG, SOUND).cause is FailureCause.MODEL_UNREADABLE


@pytest.mark.parametrize(
    ("line", "cause", "flag"),
    [
        ("koboldcpp.py: error: unrecognized arguments: --metrics --slots", FailureCause.UNKNOWN_FLAG, "--metrics"),
        ("flag provided but not defined: -spec-type", FailureCause.UNKNOWN_FLAG, "-spec-type"),
        ("error: unexpected argument '--metrics' found", FailureCause.UNKNOWN_FLAG, "--metrics"),
        ("llama-server: unrecognized option '--no-mmap'", FailureCause.UNKNOWN_FLAG, "--no-mmap"),
        ("error: invalid argument: --nope", FailureCause.UNKNOWN_FLAG, "--nope"),
        ("error: invalid parameter for argument: -ngl", FailureCause.BAD_VALUE, "-ngl"),
        ('error while handling argument "--device": invalid device: CUDA9', FailureCause.BAD_VALUE, "--device"),
    ],
)
def test_flags_are_refused_in_the_words_of_many_programs(line, cause, flag):
    failure = diagnose(ServerExit(2), [line])
    assert (failure.cause, failure.flag) == (cause, flag)


@pytest.mark.parametrize(
    "line",
    [
        "Error loading shared library libgomp.so.1: No such file or directory (needed by /opt/llama-server)",
        "Error relocating /opt/llama-server: fcntl64: symbol not found",
        "dyld[99]: Library not loaded: @rpath/libllama.dylib",
    ],
)
def test_other_loaders_name_missing_libraries_too(line):
    assert diagnose(ServerExit(127), [line]).cause is FailureCause.LIBRARY_MISSING


# -- what a log only repeats


@pytest.mark.parametrize(
    "line",
    [
        "llama_model_loader: - kv  20: tokenizer.chat_template str = {% if 'cudaMalloc failed: out of memory' %}",
        "0.00.491.171 I llama_model_loader: - kv   5: general.license str = unknown model architecture: 'x'",
        "llama_model_loader: loaded meta data with 3 key-value pairs from /m/failed to allocate/a.gguf (version 3)",
        "srv    load_model: loading model '/m/out of memory/a.gguf'",
        "main: chat template, chat_template: {{ 'unsupported model architecture' }}, example_format: ''",
        "0.05.112.000 D srv  operator(): http: body = {'content': 'CUDA error: out of memory'}",
    ],
)
@pytest.mark.parametrize("served", [True, False])
def test_what_a_log_only_repeats_proves_nothing(line, served):
    assert diagnose(ServerExit(-11), [line], served=served).cause is FailureCause.UNKNOWN
    complaint = "E llama_model_load: error loading model: std::bad_alloc"
    failure = diagnose(ServerExit(1), [line, complaint])
    assert (failure.cause, failure.evidence) == (FailureCause.OUT_OF_MEMORY, (complaint,))


@pytest.mark.parametrize("way", ["retrying without pipeline parallelism", "falling back to the CPU"])
def test_memory_that_was_not_needed_in_the_end_is_not_blamed(way):
    lines = ["graph_reserve: failed to allocate compute buffers", f"llama_context: buffer allocation failed, {way}"]
    assert diagnose(ServerExit(-11), lines).cause is FailureCause.UNKNOWN
    assert diagnose(ServerExit(-11), [*lines, lines[0]]).cause is FailureCause.OUT_OF_MEMORY


def test_of_a_line_without_end_only_the_beginning_is_read():
    line = "E " + "x" * 10_000 + " out of memory"
    failure = diagnose(ServerExit(-11), [line])
    assert failure.cause is FailureCause.UNKNOWN
    assert line.startswith(failure.evidence[0])
    assert len(failure.evidence[0]) < 5_000


def test_nobody_calls_a_file_damaged_because_it_did_not_load():
    """As builds of 2023 say it: no reason at all."""
    lines = [
        "error loading model: ",
        "llama_load_model_from_file: failed to load model",
        "llama_init_from_gpt_params: error: failed to load model 'x.gguf'",
        "{'function': 'load_model', 'level': 'ERR', 'msg': 'unable to load model'}",
    ]
    failure = diagnose(ServerExit(1), lines)
    assert failure.cause is FailureCause.UNKNOWN
    assert failure.evidence == ("error loading model:",)


def test_what_the_engine_cannot_read_is_damaged_where_our_own_reading_says_so():
    failure = diagnose(
        ServerExit(1), loading("E llama_model_load: error loading model: tensor 'a' data is not within the file bounds")
    )
    damaged = explained_by_model(failure, CONFIG, ModelFile(MODEL, problem="truncated: only 1 of 2 bytes"))
    assert (damaged.cause, damaged.detail) == (FailureCause.MODEL_CORRUPT, "truncated: only 1 of 2 bytes")
    for reason, cause in (
        ("permission to read the file is denied", FailureCause.MODEL_MISSING),
        ("the file does not exist", FailureCause.MODEL_MISSING),
        ("GGUF version 1 is not supported, only 2 and 3 are", FailureCause.MODEL_UNREADABLE),
    ):
        told = explained_by_model(failure, CONFIG, ModelFile(MODEL, problem=reason))
        assert (told.cause, told.detail) == (cause, reason)


def test_the_recorded_unknown_tokenizer_is_named():
    lines = (LOGS / "unknown_pre_tokenizer.txt").read_text(encoding="utf-8").splitlines()
    failure = diagnose(ServerExit(1), lines)
    assert failure.cause is FailureCause.MODEL_UNSUPPORTED
    assert failure.unknown_part == (ModelPart.TOKENIZER, "xxxxx")
    # The engine says it twice, and the evidence once.
    assert len([line for line in failure.evidence if "xxxxx" in line]) == 1
    # What a start that failed hands on is judged once more.
    again = failure_of_error(StartFailed("ended early", exit_status=1, log_lines=failure.evidence), diagnose)
    assert (again.cause, again.evidence) == (failure.cause, failure.evidence)


# -- the file that is named is blamed


@pytest.mark.parametrize(
    ("name", "cause", "file"),
    [
        ("draft_missing", FailureCause.MODEL_MISSING, "nothere-draft.gguf"),
        ("draft_unknown_pre_tokenizer", FailureCause.MODEL_UNSUPPORTED, "pre.gguf"),
        ("lora_wrong", FailureCause.COMPANION_REFUSED, "tiny.gguf"),
        ("mmproj_text", FailureCause.MODEL_UNREADABLE, "text.bin"),
        ("context_refused", FailureCause.BAD_VALUE, ""),
    ],
)
def test_recorded_logs_name_the_file(name, cause, file):
    lines = (LOGS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    failure = diagnose(ServerExit(1), lines)
    assert (failure.cause, failure.file) == (cause, file)
    again = failure_of_error(StartFailed("ended early", exit_status=1, log_lines=failure.evidence), diagnose)
    assert (again.cause, again.file, again.evidence) == (cause, file, failure.evidence)


def test_the_evidence_of_an_abort_is_what_it_says_and_not_its_backtrace():
    lines = ["x.cpp:1711: GGML_ASSERT(n <= m) failed", *TRACE, "#3  0x7f in ggml_abort () from libggml-base.so.0"]
    assert diagnose(ServerExit(-6), lines).evidence == (lines[0],)


DRAFT = [
    "E gguf_init_from_file: failed to open GGUF file '/d/draft.gguf' (No such file or directory)",
    "E llama_model_load: error loading model: llama_model_loader: failed to load model from /d/draft.gguf",
    "E llama_model_load_from_file_impl: failed to load model",
    "W srv    load_model: [spec] failed to measure draft model memory: failed to load model",
    "E srv    load_model: failed to load draft model, '/d/draft.gguf'",
]
OTHER_FILES = [
    (DRAFT, FailureCause.MODEL_MISSING, "/d/draft.gguf"),
    (["llama_model_load: error loading model: failed to open /d/x y.gguf: No such file or directory"], None, None),
    (["gguf_init_from_file: failed to open '/d/x y.gguf': 'Permission denied'"], None, None),
    (["error loading model: failed to open /d/x y.gguf: Permission denied"], None, None),
    (["error loading model: failed to open /d/x y.gguf: Datei nicht gefunden"], FailureCause.MODEL_MISSING, None),
    (["common_control_vector_load_one: failed to load control vector file from /d/c.gguf"], None, "/d/c.gguf"),
    (["control_vector_load_one: no direction tensors found in /d/c.gguf"], None, "/d/c.gguf"),
    (
        [
            "common_speculative_are_compatible: draft vocab special tokens must match target vocab to use speculation",
            "srv load_model: the draft model '/d/draft.gguf' is not compatible with the target model 'x'",
        ],
        FailureCause.COMPANION_REFUSED,
        "/d/draft.gguf",
    ),
    (
        [
            "llama_adapter_lora_init: failed to apply lora adapter: (hint: maybe wrong base model?)",
            "common_init_from_params: failed to apply lora adapter '/d/lora.gguf'",
        ],
        FailureCause.COMPANION_REFUSED,
        "/d/lora.gguf",
    ),
    (["llama_adapter_lora_init: failed to load lora adapter file from /d/lora.gguf"], None, "/d/lora.gguf"),
    (
        ["clip_init: failed to load CLIP model from /d/mm.gguf. Does this file exist?"],
        FailureCause.COMPANION_REFUSED,
        "/d/mm.gguf",
    ),
    (
        [
            "E clip_model_loader: unknown projector type: 'new'",
            "E mtmd_init_from_file: error: Failed to load CLIP model from /d/mm.gguf",
            "E srv    load_model: failed to load multimodal model, '/d/mm.gguf'",
        ],
        FailureCause.MODEL_UNSUPPORTED,
        "/d/mm.gguf",
    ),
    (["E mtmd_get_memory_usage: error: Failed to load CLIP model from /d/mm.gguf"], None, "/d/mm.gguf"),
    (
        [
            "E gguf_init_from_reader: invalid magic characters: 'hell', expected 'GGUF'",
            "E mtmd_get_memory_usage: error: Failed to load CLIP model from /d/mm.gguf",
        ],
        FailureCause.MODEL_UNREADABLE,
        "/d/mm.gguf",
    ),
    (
        ["error while handling argument \"--grammar-file\": error: failed to open file '/d/gone.gbnf'"],
        FailureCause.MODEL_MISSING,
        "/d/gone.gbnf",
    ),
]


@pytest.mark.parametrize(("lines", "cause", "file"), OTHER_FILES)
def test_the_file_that_the_engine_names_is_blamed_and_not_the_model(lines, cause, file):
    failure = of_another_file(diagnose(ServerExit(1), lines), CONFIG)
    assert failure.file == (file or "/d/x y.gguf")
    if cause is not None:
        assert failure.cause is cause
    assert failure.cause in {
        FailureCause.MODEL_MISSING,
        FailureCause.MODEL_UNREADABLE,
        FailureCause.MODEL_UNSUPPORTED,
        FailureCause.COMPANION_REFUSED,
    }
    assert any(failure.file in line for line in failure.evidence)


def test_a_model_that_is_named_is_the_model():
    line = "gguf_init_from_file: failed to open GGUF file '/models/tiny.gguf' (No such file or directory)"
    failure = of_another_file(diagnose(ServerExit(1), [line]), CONFIG)
    assert (failure.cause, failure.file) == (FailureCause.MODEL_MISSING, "")


def test_the_file_that_is_blamed_is_the_one_to_look_at():
    draft = Failure(FailureCause.MODEL_UNREADABLE, file="/d/draft.gguf")
    assert file_that_tells(draft, CONFIG) == Path("/d/draft.gguf")
    assert file_that_tells(Failure(FailureCause.MODEL_UNREADABLE), CONFIG) == MODEL
    assert file_that_tells(Failure(FailureCause.UNKNOWN), CONFIG) == MODEL
    assert file_that_tells(Failure(FailureCause.PORT_TAKEN), CONFIG) is None


def test_what_a_draft_model_lacks_is_not_looked_for_in_the_model():
    lines = [
        "E llama_model_load: error loading model: error loading model vocabulary: unknown pre-tokenizer type: 'xyz'",
        "E llama_model_load_from_file_impl: failed to load model",
        "E srv    load_model: failed to load draft model, '/d/draft.gguf'",
    ]
    failure = of_another_file(diagnose(ServerExit(1), lines), CONFIG)
    assert (failure.cause, failure.file) == (FailureCause.MODEL_UNSUPPORTED, "/d/draft.gguf")


# -- memory is blamed only where the line says memory


@pytest.mark.parametrize(
    "line",
    [
        "E failed to initialize the context: quantized V cache was requested, but this requires Flash Attention",
        "E llama_init_from_model: failed to initialize the context: failed to initialize Vulkan backend",
        "E llama_init_from_model: failed to initialize the context: graph split not possible",
        "llama_model_load: error loading model: mmap failed: Invalid argument",
        "W common_fit_params: failed to fit params to free device memory: not implemented, abort",
        "terminate called after throwing 'std::system_error' what(): Resource temporarily unavailable",
    ],
)
def test_memory_is_not_blamed_for_what_says_nothing_of_memory(line):
    failure = diagnose(ServerExit(1), [line, "E common_init_: failed to create context with model 'x.gguf'"])
    assert failure.cause is not FailureCause.OUT_OF_MEMORY
    assert failure.evidence[0] == line


@pytest.mark.parametrize(
    "line",
    [
        "E llama_init_from_model: failed to initialize the context: failed to allocate buffer for kv cache",
        "E llama_init_from_model: failed to initialize the context: std::bad_alloc",
        "alloc_buffer: allocating 9216.00 MiB on device 0: cudaMalloc failed: out of memory",
    ],
)
def test_memory_is_blamed_where_the_line_says_so(line):
    assert diagnose(ServerExit(1), [line]).cause is FailureCause.OUT_OF_MEMORY


# -- what the server outlived decides nothing

READY = ["srv  llama_server: model loaded", "srv  llama_server: server is listening on http://127.0.0.1:9000"]
CACHE = "E srv         alloc: failed to allocate memory for prompt cache state: std::bad_alloc"
DONE = "I srv  log_server_r: done request: POST /v1/chat/completions 127.0.0.1 200"
SLOT = "I slot      release: id  0 | task 12 | stop processing: n_tokens = 31, truncated = 0"
TIMING = "       eval time =     120.00 ms /    24 tokens (    5.00 ms per token,   200.00 tokens per second)"
CUDA = "CUDA error: out of memory"


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        # A prompt cache that could not grow, then good work.
        ([*READY, CACHE, *[DONE] * 20], FailureCause.UNKNOWN),
        ([*READY, CACHE, SLOT], FailureCause.UNKNOWN),
        ([*READY, CACHE, TIMING], FailureCause.UNKNOWN),
        ([*READY, CACHE, "I srv  update_slots: all slots are idle"], FailureCause.UNKNOWN),
        # As builds of 2024 say it.
        ([*READY, CACHE, 'INFO [   print_timings] generation eval time =  1.00 ms / 8 runs | tid="1"'], None),
        ([*READY, CACHE, 'INFO [log_server_request] request | tid="1" method="POST" status=200'], None),
        # Many lines of an unknown kind.
        ([*READY, CACHE, *["something new"] * EVIDENCE_LINES], FailureCause.UNKNOWN),
        # The last thing it said.
        ([*READY, *[DONE] * 20, CUDA], FailureCause.OUT_OF_MEMORY),
        ([*READY, *[DONE] * 20, CUDA, *TRACE], FailureCause.OUT_OF_MEMORY),
        ([*READY, DONE, "E slot update_slots: id 0 | task 3 | failed to allocate a batch"], FailureCause.OUT_OF_MEMORY),
        # Before it was ready.
        (["load_backend: failed to load libggml-cuda.so: libcudart.so.12: cannot open shared object", *READY], None),
        ([*DRAFT, *READY], None),
        (["W warning: failed to open GGUF file 'x' (No such file or directory)", *READY, SLOT], None),
        (["error: invalid argument: --nope", *READY], None),
        # Of requests.
        ([*READY, 'E srv send_error: error: invalid value for "n"'], None),
        ([*READY, DONE, "E srv operator(): got exception: Failed to parse grammar"], None),
        ([*READY, DONE, "E slot restore: failed to open file '/slots/a.bin'"], None),
    ],
)
def test_what_the_server_outlived_is_not_why_it_crashed(lines, cause):
    failure = diagnose(ServerExit(-11), lines, served=True)
    assert failure.cause is (cause or FailureCause.UNKNOWN)
    assert failure.evidence


def test_the_evidence_of_an_unknown_end_is_what_it_said_last():
    lines = [*READY, CACHE, *(f"I slot print_timing: id  0 | task {n} | n = {n}" for n in range(20))]
    failure = diagnose(ServerExit(-11), lines, served=True)
    assert failure.evidence == tuple(lines[-EVIDENCE_LINES:])


def test_a_server_that_was_ready_has_outlived_its_load_also_where_the_log_has_lost_that():
    lines = ["I srv  log_server_r: done request: GET /health 127.0.0.1 200", "error: invalid argument: --nope"]
    assert diagnose(ServerExit(1), lines, served=True).cause is FailureCause.UNKNOWN
    assert diagnose(ServerExit(1), lines[1:]).cause is FailureCause.UNKNOWN_FLAG


def test_a_backend_that_cannot_be_loaded_is_done_without():
    line = "load_backend: failed to load /x/libggml-cuda.so: libcudart.so.12: cannot open shared object file"
    bad = "E llama_model_load: error loading model: unknown model architecture: 'qwen99'"
    assert read_log([line]).cause is FailureCause.UNKNOWN
    assert read_log([line, bad]).cause is FailureCause.MODEL_UNSUPPORTED


# -- the processor


@pytest.mark.parametrize(
    "lines",
    [
        ["I srv load_model: loading model 'x'", "AMX is not ready to be used!"],
        ["W srv load_model: [spec] failed to measure draft model memory: failed to load model"],
        [*DRAFT],
        [],
    ],
)
def test_an_illegal_instruction_is_the_engines_and_nobody_elses(lines):
    failure = diagnose(ServerExit(-4), lines)
    assert (failure.cause, failure.file) == (FailureCause.WRONG_PROCESSOR, "")
    assert failure.evidence == tuple(lines)
    assert failure.cause.will_repeat
