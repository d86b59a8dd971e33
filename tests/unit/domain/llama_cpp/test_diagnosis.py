"""From the end of a server and its log to a cause in words with evidence; logs as llama-server b10434 printed them."""

import pytest

from gglib_desktop.domain.errors import StartFailed
from gglib_desktop.domain.llama_cpp.diagnosis import diagnose
from gglib_desktop.domain.llama_cpp.log import read_log
from gglib_desktop.domain.servers.diagnosis import failure_of_error
from gglib_desktop.domain.servers.failures import EVIDENCE_LINES, FailureCause, ServerExit
from tests.fakes.recorded import LOGS


def log(name: str) -> list[str]:
    return (LOGS / f"{name}.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("name", "status", "cause", "words"),
    [
        ("unknown_flag", 1, FailureCause.UNKNOWN_FLAG, "error: invalid argument: --nope"),
        ("removed_flag", 1, FailureCause.UNKNOWN_FLAG, "the argument has been removed. use --spec-draft-n-max"),
        ("bad_value", 1, FailureCause.BAD_VALUE, 'error while handling argument "-c": stoi'),
        ("value_missing", 1, FailureCause.BAD_VALUE, "expected value for argument"),
        ("model_missing", 1, FailureCause.MODEL_MISSING, "failed to open GGUF file 'nothere.gguf'"),
        ("model_truncated", 1, FailureCause.MODEL_UNREADABLE, "model is corrupted or incomplete"),
        ("not_gguf", 1, FailureCause.MODEL_UNREADABLE, "invalid magic characters: 'not ', expected 'GGUF'"),
        ("unknown_architecture", 1, FailureCause.MODEL_UNSUPPORTED, "unknown model architecture: 'qwen99'"),
        ("mtp_without_layers", 1, FailureCause.MTP_LAYERS_MISSING, "failed to create MTP context"),
        ("port_taken", 1, FailureCause.PORT_TAKEN, "couldn't bind HTTP server socket"),
        ("out_of_memory_context", 1, FailureCause.OUT_OF_MEMORY, "std::bad_alloc"),
        ("out_of_memory_cache", 1, FailureCause.OUT_OF_MEMORY, "failed to allocate buffer for kv cache"),
        ("worker_lost", -6, FailureCause.WORKER_LOST, "Remote RPC server crashed or returned malformed response"),
        ("context_of_one", -6, FailureCause.UNKNOWN, "GGML_ASSERT(n_tokens_all <= cparams.n_batch) failed"),
    ],
)
def test_recorded_logs_name_their_cause(name, status, cause, words):
    failure = diagnose(ServerExit(status), log(name))
    assert failure.cause is cause
    assert any(words in line for line in failure.evidence)
    assert len(failure.evidence) <= EVIDENCE_LINES
    assert failure.exit == ServerExit(status)
    assert failure.detail == str(ServerExit(status))


def test_a_lost_worker_ends_a_server_that_works():
    failure = diagnose(ServerExit(-6), log("worker_lost"), served=True)
    assert failure.cause is FailureCause.WORKER_LOST
    assert failure.cause.will_repeat, "without its worker it starts with less memory than it was given"
    # A request may say so too.
    said = [*log("worker_lost")[:12], "0.03.000.000 I slot launch_slot_: id  0 | task 1 | processing task"]
    assert (
        diagnose(ServerExit(-6), [*said, "request: Remote RPC server crashed"], served=True).cause
        is FailureCause.UNKNOWN
    )


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("llama-server: error while loading shared libraries: libgomp.so.1: cannot open", FailureCause.LIBRARY_MISSING),
        ("dyld: Library not loaded: @rpath/libllama.dylib", FailureCause.LIBRARY_MISSING),
        ("ggml_backend_cuda_buffer_type_alloc_buffer: cudaMalloc failed: out of memory", FailureCause.OUT_OF_MEMORY),
        ("alloc_tensor_range: failed to allocate CUDA0 buffer of size 151851674624", FailureCause.OUT_OF_MEMORY),
        ("llama_model_load: error loading model: unable to allocate CUDA0 buffer", FailureCause.OUT_OF_MEMORY),
        ("graph_reserve: failed to allocate compute buffers", FailureCause.OUT_OF_MEMORY),
        ("CUDA error: out of memory", FailureCause.OUT_OF_MEMORY),
        ("CUDA error: the resource allocation failed", FailureCause.OUT_OF_MEMORY),
        ("ggml_vulkan: Device memory allocation failed: ErrorOutOfDeviceMemory", FailureCause.OUT_OF_MEMORY),
        ("ggml_vulkan: Device memory allocation of size 118497280 failed.", FailureCause.OUT_OF_MEMORY),
        ("ggml_vulkan: vk::Device::allocateMemory: ErrorOutOfDeviceMemory", FailureCause.OUT_OF_MEMORY),
        ("llama_model_load: error loading model: mmap failed: Cannot allocate memory", FailureCause.OUT_OF_MEMORY),
        ("bind: Address already in use", FailureCause.PORT_TAKEN),
        ("Illegal instruction", FailureCause.UNKNOWN),
    ],
)
def test_lines_of_other_systems(line, cause):
    assert read_log([line]).cause is cause


def test_a_debugger_that_misses_sources_does_not_make_the_model_missing():
    lines = ["30\t../sysdeps/unix/sysv/linux/wait4.c: No such file or directory."]
    assert read_log(lines).cause is FailureCause.UNKNOWN


@pytest.mark.parametrize("number", [1, 2, 3, 9, 15])
def test_killed_by_somebody_keeps_the_last_lines(number):
    lines = [f"line {n}" for n in range(20)] + ["", "  "]
    failure = diagnose(ServerExit(-number), lines)
    assert failure.cause is FailureCause.KILLED
    assert failure.evidence == tuple(f"line {n}" for n in range(12, 20))


def test_one_that_obeyed_a_signal_of_somebody_was_ended_by_somebody():
    """``kill`` alone asks politely, and the engine ends with exit code 0."""
    goodbye = "0.00.306.044 I srv    operator(): operator(): cleaning up before exit..."
    lines = [*(f"line {n}" for n in range(20)), goodbye]
    failure = diagnose(ServerExit(0), lines)
    assert failure.cause is FailureCause.KILLED
    assert failure.evidence == tuple(lines[-8:])
    # The same words come before other ends.
    assert diagnose(ServerExit(1), lines).cause is FailureCause.UNKNOWN
    assert diagnose(ServerExit(0), lines[:-1]).cause is FailureCause.UNKNOWN


# As b10434 says it where it has a graphics card; the lines around them are recorded.
PINNED = (
    "0.00.021.003 W ggml_vulkan: Failed to allocate pinned memory (vk::Device::allocateMemory: ErrorOutOfDeviceMemory)"
)
FALLBACK = "0.00.021.003 W ggml_x: failed to allocate buffer of size 10240000000, trying a smaller one"
FULL = "0.03.017.502 E alloc_tensor_range: failed to allocate CPU buffer of size 10240000000"
LOADED = "0.00.035.931 I srv  llama_server: model loaded"


@pytest.mark.parametrize("status", [-11, -6, 1, None])
@pytest.mark.parametrize("name", ["memory_not_locked", "pinned"])
def test_a_crash_is_not_about_memory_that_the_engine_did_without(name, status):
    lines = log("memory_not_locked")
    if name == "pinned":
        lines = [PINNED if "mlock" in line else line for line in lines]
    failure = diagnose(ServerExit(status), lines)
    assert failure.cause is FailureCause.UNKNOWN
    assert lines[-1] in failure.evidence
    assert not any("mlock" in line or "pinned" in line for line in failure.evidence)
    # What a start that failed hands on is judged once more.
    again = failure_of_error(StartFailed("ended early", exit_status=1, log_lines=failure.evidence), diagnose)
    assert again.cause is FailureCause.UNKNOWN


def test_killed_by_somebody_is_not_about_memory_that_the_engine_did_without():
    assert diagnose(ServerExit(-9), log("memory_not_locked")).cause is FailureCause.KILLED


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        ([FALLBACK], FailureCause.OUT_OF_MEMORY),
        ([FALLBACK, *["."] * (EVIDENCE_LINES - 1)], FailureCause.OUT_OF_MEMORY),
        ([FALLBACK, *["."] * EVIDENCE_LINES], FailureCause.UNKNOWN),
        ([FALLBACK, LOADED], FailureCause.UNKNOWN),
        ([LOADED, FALLBACK], FailureCause.OUT_OF_MEMORY),
        ([FALLBACK, LOADED, "error: invalid argument: --nope"], FailureCause.UNKNOWN_FLAG),
        ([FULL, *["."] * 50], FailureCause.OUT_OF_MEMORY),
        ([FULL, LOADED, *["."] * 50], FailureCause.UNKNOWN),
        ([LOADED, FULL, *["."] * 50], FailureCause.UNKNOWN),
        ([PINNED, FULL], FailureCause.OUT_OF_MEMORY),
        ([LOADED, PINNED], FailureCause.UNKNOWN),
    ],
)
def test_a_complaint_about_memory_counts_while_the_server_has_not_outlived_it(lines, cause):
    assert diagnose(ServerExit(1), lines).cause is cause


def test_killed_while_memory_ran_out_is_about_memory():
    failure = diagnose(ServerExit(-9), ["cudaMalloc failed: out of memory"])
    assert failure.cause is FailureCause.OUT_OF_MEMORY


def test_the_kernels_killer_leaves_no_words_in_the_log():
    """Its line stands in the system's journal. What is seen is signal 9 alone, before the first answer and after."""
    log = ["srv    load_model: loading model 'big.gguf'", "load_tensors: loading model tensors"]
    later = diagnose(ServerExit(-9), log)
    early = failure_of_error(StartFailed("ended early", exit_status=-9, log_lines=log), diagnose)
    assert later.cause is early.cause is FailureCause.KILLED
    assert later.exit is not None
    assert later.exit.signal_number == 9


def test_a_kill_before_the_first_answer_is_no_fault_of_the_model():
    lines = ["llama_model_load: error loading model: interrupted"]
    for status in (-9, -15):
        failure = failure_of_error(StartFailed("ended early", exit_status=status, log_lines=lines), diagnose)
        assert (failure.cause, failure.exit, failure.detail) == (FailureCause.KILLED, ServerExit(status), "ended early")


def test_an_empty_log_is_no_evidence():
    failure = diagnose(ServerExit(None), [])
    assert (failure.cause, failure.evidence) == (FailureCause.UNKNOWN, ())
    assert failure.detail == "ended, reason unknown to us"


def test_lines_that_speak_of_a_cause_come_before_others():
    lines = ["an error of no class", "x failed to load model", "unknown model architecture: 'x'", "more"]
    assert read_log(lines).evidence == ("unknown model architecture: 'x'",)


def test_what_only_follows_from_a_cause_comes_after_errors_of_no_class():
    lines = ["an error of no class", "x failed to load model", "more"]
    assert read_log(lines).evidence == ("an error of no class",)
    assert read_log(lines[1:]).evidence == ("x failed to load model",)


def test_without_a_cause_errors_are_evidence():
    assert read_log(["hello", "0.1 E something", "what():  boom", "bye"]).evidence == (
        "0.1 E something",
        "what():  boom",
    )


def test_without_errors_the_last_lines_are_evidence():
    lines = [f"line {n}" for n in range(20)]
    assert read_log(lines).evidence == tuple(lines[-8:])


@pytest.mark.parametrize("count", [8, 9])
def test_there_is_a_most_of_evidence(count):
    lines = tuple(f"error {n}" for n in range(count))
    assert read_log(lines).evidence == lines[:1] + lines[-7:]


@pytest.mark.parametrize(
    ("evidence", "flag"),
    [
        ((), ""),
        (("error: invalid argument: --nope",), "--nope"),
        (("loading", "error: unknown argument: -x"), "-x"),
        (("error: invalid argument: word",), ""),
    ],
)
def test_the_flag_that_is_not_known_is_found_in_the_evidence(evidence, flag):
    assert diagnose(ServerExit(1), evidence).flag == flag
