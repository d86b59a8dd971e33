"""vLLM's command line, answers and log lines, in the form in which version 0.32 writes them."""

from pathlib import Path

import pytest

from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities, EngineSource
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.failures import FailureCause, ServerExit
from gglib_desktop.domain.servers.foreign import StatedSettings
from gglib_desktop.domain.servers.log_text import LogLevel
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.traffic.figures import Counters
from gglib_desktop.domain.vllm.answers import counters_told, facts_told
from gglib_desktop.domain.vllm.dialect import READER, VllmDialect
from gglib_desktop.domain.vllm.log import diagnose

SAYS = VllmDialect()
ENGINE = Engine(Path("/opt/vllm"), "0.32.0", EngineCapabilities(), EngineSource.PATH, ("serve",))
MODELS = {
    "object": "list",
    "data": [
        {
            "id": "Tiny",
            "object": "model",
            "created": 1785000000,
            "owned_by": "vllm",
            "root": "/models/tiny",
            "parent": None,
            "max_model_len": 2048,
            "permission": [],
        }
    ],
}
METRICS = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="Tiny"} 1.0
vllm:num_requests_running{engine="1",model_name="Tiny"} 2.0
vllm:num_requests_waiting{engine="0",model_name="Tiny"} 4.0
vllm:kv_cache_usage_perc{engine="0",model_name="Tiny"} 0.42
vllm:prompt_tokens_total{engine="0",model_name="Tiny"} 21.0
vllm:generation_tokens_total{engine="0",model_name="Tiny"} 1.000648e+06
vllm:spec_decode_num_drafts_total{engine="0",model_name="Tiny"} 5.0
vllm:spec_decode_num_draft_tokens_total{engine="0",model_name="Tiny"} 10.0
vllm:spec_decode_num_accepted_tokens_total{engine="0",model_name="Tiny"} 7.0
vllm:request_success_total{engine="0",finished_reason="stop",model_name="Tiny"} many
vllm:estimated_flops_per_gpu_total{engine="0",model_name="Tiny"} NaN
process_cpu_seconds_total 12.0
"""


def config(path="/models/tiny", **changes):
    return ServerConfig(7, "Tiny", Path(path), 9000, engine="vllm", **changes)


def test_its_command_line():
    words = SAYS.command(config(alias="Tiny,coder", context_size=2048, parallel=8), ENGINE, 9001)
    assert " ".join(words) == (
        "/opt/vllm serve /models/tiny --served-model-name Tiny coder --host 127.0.0.1 --port 9001"
        " --max-model-len 2048 --max-num-seqs 8"
    )
    assert SAYS.command(config(), ENGINE, 9001, host="0.0.0.0")[2:5] == ("/models/tiny", "--host", "0.0.0.0")


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"path": "/models/tiny.gguf"}, "engine", "no loader for GGUF"),
        ({"gpu_layers": 3}, "gpu_layers", "vLLM has no such setting"),
        ({"extra_args": ("--port=1",)}, "extra_args", "is decided by the field Server port"),
        ({"extra_args": ("--api-key", "x")}, "extra_args", "no secret"),
        ({"spec_draft_n_max": 2}, "spec_draft_n_max", "no such setting"),
    ],
)
def test_what_it_cannot_do_is_refused_with_its_field(changes, field, says):
    with pytest.raises(ConfigurationError, match=says) as caught:
        SAYS.command(config(**changes), ENGINE, 9001)
    assert caught.value.field == field


def test_its_processes_are_read():
    argv = ("/usr/bin/python3", "/opt/vllm", "serve", "/models/tiny", "--port", "9001", "--max-model-len", "64")
    assert READER.is_server("python3.12", argv)
    assert not READER.is_server("python3.12", ("python3", "-m", "http.server"))
    assert READER.model(argv, {}) == Path("/models/tiny")
    named = (*argv, "--served-model-name", "Tiny", "--api-key", "secret")
    assert READER.settings(named, {}) == StatedSettings(context_size=64, alias="Tiny")
    assert READER.key(named, {}) == "secret"
    assert READER.key_flags == {"--api-key"}


def test_its_answers_are_facts_and_counters():
    facts = ServerFacts(context_size=2048, model_path="/models/tiny", alias="Tiny", build="0.32.0")
    assert facts_told(MODELS, {"version": "0.32.0"}) == facts
    assert counters_told(METRICS) == Counters(
        21, None, 1_000_648, None, drafts=5, draft_n=10, accepted_n=7, processing=3, deferred=4
    )


@pytest.mark.parametrize("models", [None, {}, {"data": []}, {"data": ["x"]}, {"data": [{"owned_by": "llamacpp"}]}])
def test_another_server_is_none(models):
    assert facts_told(models, None) is None


def test_what_is_not_as_expected_is_not_known():
    assert facts_told({"data": [{"owned_by": "vllm", "id": 5}]}, {"version": 5}) == ServerFacts()
    assert counters_told("vllm:prompt_tokens_total 1.0\nvllm:generation_tokens_total -1") is None
    assert counters_told("") is None


@pytest.mark.parametrize(
    ("status", "line", "cause"),
    [
        (2, "vllm: error: unrecognized arguments: --nope", FailureCause.UNKNOWN_FLAG),
        (1, "(EngineCore pid=9) torch.OutOfMemoryError: CUDA out of memory. Tried …", FailureCause.OUT_OF_MEMORY),
        (1, "OSError: [Errno 98] address already in use", FailureCause.PORT_TAKEN),
        (1, "huggingface_hub.errors.HFValidationError: Repo id must be in the form …", FailureCause.MODEL_MISSING),
        (1, "RuntimeError: Engine core initialization failed. See root cause above.", FailureCause.UNKNOWN),
        (-9, "INFO:     Application startup complete.", FailureCause.KILLED),
    ],
)
def test_its_log_explains_its_end(status, line, cause):
    failure = diagnose(ServerExit(status), ["(APIServer pid=7) INFO 08-26 09:12:01 [api_server.py:1805] …", line])
    assert (failure.cause, failure.evidence[-1]) == (cause, line)


def test_the_level_of_a_line_stands_after_its_process():
    assert SAYS.level_of("(APIServer pid=7) WARNING 08-26 09:12:01 [x.py:1] careful") is LogLevel.WARNING
    assert SAYS.level_of("ERROR 08-26 09:12:01 [x.py:1] oh") is LogLevel.ERROR
    assert SAYS.level_of("Traceback (most recent call last):") is None
