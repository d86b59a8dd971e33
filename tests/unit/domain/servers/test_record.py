"""What is saved about a server: which records can be used, and what they say about its processes."""

from dataclasses import replace
from pathlib import Path

import pytest

from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.servers.record import KnownProcess, ServerRecord, run_name
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig

CONFIG = ServerConfig(1, "Tiny", Path("/m/tiny.gguf"), base_port=9000)
BEGUN = ServerRecord("run-1", CONFIG, 9000, "llama-server")
RUNNING = replace(BEGUN, pid=4711, identity="boot:1", started_at=1000)


@pytest.mark.parametrize(
    "record", [BEGUN, RUNNING, replace(RUNNING, group=4700), replace(RUNNING, pid=None), replace(BEGUN, port=65535)]
)
def test_a_record_that_was_written_can_be_used(record):
    record.check("run-1")
    assert ServerRecord.from_json(record.to_json()) == record


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (replace(BEGUN, run="other"), "run"),
        (replace(BEGUN, port=0), "port"),
        (replace(BEGUN, port=65536), "port"),
        (replace(BEGUN, started_at=-1), "started_at"),
        (replace(BEGUN, pid=4711), "started_at"),
        (replace(BEGUN, identity="boot:1"), "started_at"),
        (replace(RUNNING, pid=1), "pid"),
        (replace(RUNNING, pid=-4711), "pid"),
        (replace(RUNNING, group=1), "group"),
    ],
)
def test_a_record_that_could_lead_to_another_process_is_refused(record, field):
    with pytest.raises(ConfigurationError) as caught:
        record.check("run-1")
    assert caught.value.field == field


def test_a_record_of_an_earlier_version_is_of_the_local_place():
    text = '{"run": "run-1", "config": %s, "port": 9000, "command_line": "llama-server", "pid": 4711, "started_at": 1}'
    record = ServerRecord.from_json(text % CONFIG.to_json())
    assert record.handle() == ProcessHandle(1, "Tiny", 4711, 9000, 1, place="local")


def test_a_server_without_a_pid_is_named_by_its_run():
    record = replace(RUNNING, pid=None, place="elsewhere")
    assert record.handle() == ProcessHandle(1, "Tiny", None, 9000, 1000, place="elsewhere", run="run-1")


def test_a_record_of_no_place_is_refused():
    with pytest.raises(ConfigurationError, match="place"):
        replace(RUNNING, place="no place")


def test_all_processes_that_serve_are_known():
    assert RUNNING.processes() == {(4711, "boot:1")}
    behind = replace(RUNNING, behind=(KnownProcess(4712, "boot:2"),))
    assert behind.processes() == {(4711, "boot:1"), (4712, "boot:2")}


@pytest.mark.parametrize(
    ("record", "group"),
    [(RUNNING, 4711), (replace(RUNNING, group=4700), 4700), (replace(RUNNING, owns_group=False), None), (BEGUN, None)],
)
def test_only_a_group_of_our_own_is_signaled(record, group):
    assert record.own_group == group


def test_a_runs_name_says_which_model_and_is_given_once():
    assert "-tiny-model-1-" in run_name("Tiny Model/1")
    assert "-model-" in run_name("日本")
    assert run_name("Tiny") != run_name("Tiny")
