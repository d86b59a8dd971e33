"""From the error of a start, and from the model file, to a cause."""

from pathlib import Path

import pytest

from gglib_desktop.domain.errors import (
    ConfigurationError,
    GglibError,
    HealthCheckFailed,
    NotRunning,
    PortTaken,
    RunnerUnavailable,
    StartFailed,
)
from gglib_desktop.domain.llama_cpp.diagnosis import diagnose
from gglib_desktop.domain.models.model import ModelFile
from gglib_desktop.domain.servers.diagnosis import as_place_says, explained_by_model, failure_of_error
from gglib_desktop.domain.servers.failures import Failure, FailureCause, ServerExit
from gglib_desktop.domain.servers.server import ServerConfig
from tests.fakes.library import some_facts

MODEL = Path("/models/tiny.gguf")


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (PortTaken(9000, "nginx (pid 7)"), FailureCause.PORT_TAKEN),
        (ConfigurationError("engine", "/x", "there is no such file"), FailureCause.ENGINE_UNUSABLE),
        (ConfigurationError("model_path", "/x", "there is no such file"), FailureCause.MODEL_MISSING),
        (ConfigurationError("extra_args", "--port", "is decided by the field port"), FailureCause.CONFIGURATION),
        (RunnerUnavailable("locked"), FailureCause.RUNNER_UNAVAILABLE),
        (StartFailed("spawn refused"), FailureCause.ENGINE_UNUSABLE),
        (HealthCheckFailed("never ready"), FailureCause.STALLED),
        (NotRunning("gone"), FailureCause.UNKNOWN),
        (GglibError("whatever"), FailureCause.UNKNOWN),
    ],
)
def test_errors_of_a_start_have_a_cause(error, cause):
    failure = failure_of_error(error, diagnose)
    assert failure.cause is cause
    assert failure.detail
    assert failure.exit is None


def test_an_early_exit_brings_its_evidence():
    line = "error: invalid argument: --nope"
    failure = failure_of_error(StartFailed("ended early", exit_status=1, log_lines=[line]), diagnose)
    assert failure.cause is FailureCause.UNKNOWN_FLAG
    assert failure.evidence == (line,)
    assert failure.detail == "ended early"
    assert failure.exit == ServerExit(1)


def test_only_what_may_be_different_next_time_is_worth_another_try():
    again = {cause for cause in FailureCause if not cause.will_repeat}
    assert again == {FailureCause.KILLED, FailureCause.UNKNOWN, FailureCause.STALLED, FailureCause.FROZEN}


# -- with what the model file tells

NO_LAYERS = "the model file has no MTP layers"
SILENT = Failure(FailureCause.UNKNOWN, "exit code 1")
UNREADABLE = Failure(FailureCause.MODEL_UNREADABLE, "exit code 1")


@pytest.mark.parametrize(
    ("failure", "n_max", "file", "cause", "detail"),
    [
        (SILENT, None, ModelFile(MODEL, problem="cut short"), FailureCause.MODEL_CORRUPT, "cut short"),
        (
            SILENT,
            2,
            ModelFile(MODEL, some_facts()),
            FailureCause.MTP_LAYERS_MISSING,
            "the model file has no MTP layers",
        ),
        (SILENT, 2, ModelFile(MODEL, some_facts(mtp_layers=1)), FailureCause.UNKNOWN, "exit code 1"),
        (SILENT, 0, ModelFile(MODEL, some_facts()), FailureCause.UNKNOWN, "exit code 1"),
        (SILENT, 2, ModelFile(MODEL), FailureCause.UNKNOWN, "exit code 1"),
        (UNREADABLE, 2, ModelFile(MODEL, problem="cut short"), FailureCause.MODEL_CORRUPT, "cut short"),
        (UNREADABLE, 2, ModelFile(MODEL, some_facts()), FailureCause.MODEL_UNREADABLE, "exit code 1"),
    ],
)
def test_the_model_file_explains_what_the_log_does_not(failure, n_max, file, cause, detail):
    config = ServerConfig(1, "Tiny", MODEL, 9000, spec_draft_n_max=n_max)
    explained = explained_by_model(failure, config, file)
    assert (explained.cause, explained.detail) == (cause, detail)


def test_a_log_tells_why_a_start_failed_also_when_nobody_told_how_it_ended():
    failure = failure_of_error(StartFailed("ended early", log_lines=["error: invalid argument: --nope"]), diagnose)
    assert failure.cause is FailureCause.UNKNOWN_FLAG
    assert failure.evidence == ("error: invalid argument: --nope",)


def test_a_place_that_ended_a_server_for_its_memory_says_so_and_a_kill_alone_does_not():
    explain = as_place_says(diagnose)
    assert explain(ServerExit(-9), []).cause is FailureCause.KILLED
    assert explain(ServerExit(-9, out_of_memory=True), []).cause is FailureCause.OUT_OF_MEMORY
    for ran_out, cause in ((False, FailureCause.KILLED), (True, FailureCause.OUT_OF_MEMORY)):
        ended = StartFailed("ended early", exit_status=-9, out_of_memory=ran_out)
        assert failure_of_error(ended, explain).cause is cause
