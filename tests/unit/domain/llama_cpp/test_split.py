"""The words for workers and their heads."""

from pathlib import Path

import pytest

from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.llama_cpp.split.words import listed_workers, missing_workers, with_workers, worker_argv
from gglib_desktop.domain.options.host import LOOPBACK
from gglib_desktop.domain.servers.diagnosis import as_place_says
from gglib_desktop.domain.servers.failures import Failure, FailureCause, ServerExit
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.servers.split.kind import is_worker, worker_config

HEAD = ServerConfig(7, "Tiny", Path("/m/tiny.gguf"), 9000, rpc_workers=("gpu-box", "attic"), threads=3)


def test_a_worker_is_started_beside_the_server_and_spared_from_broken_pipes():
    argv = worker_argv(Path("/opt/llama-server"), LOOPBACK, 50052, None)
    assert argv[:2] == ("/bin/sh", "-c")
    assert 'trap "" PIPE' in argv[2]
    assert argv[3:] == ("worker", "/opt", "", "127.0.0.1", "50052")
    assert worker_argv(Path("/opt/llama-server"), LOOPBACK, 50052, 3)[5] == "3"


def test_a_head_names_its_workers_once():
    argv = ("/e", "-m", "x.gguf")
    assert with_workers(argv, ["127.0.0.1:1", "127.0.0.1:2"]) == (*argv, "--rpc", "127.0.0.1:1,127.0.0.1:2")
    with pytest.raises(ConfigurationError, match="decided by the workers"):
        with_workers((*argv, "--rpc=a:1"), ["127.0.0.1:1"])


def test_which_workers_a_head_reaches():
    listed = "E Failed to connect to 127.0.0.1:2\nAvailable devices:\n  RPC0: 127.0.0.1:1 (24105 MiB, 24105 MiB free)\n"
    assert listed_workers(listed) == {"127.0.0.1:1"}
    assert listed_workers("") == frozenset()
    assert missing_workers(listed) == {"127.0.0.1:2"}


def test_a_worker_listens_on_loopback_and_belongs_to_its_head():
    worker = worker_config(HEAD.replace(host="0.0.0.0"), "attic")
    assert is_worker(worker)
    assert not is_worker(HEAD)
    assert (worker.place, worker.host, worker.threads, worker.rpc_workers) == ("attic", "127.0.0.1", 3, ())
    assert (worker.model_id, worker.model_name) == (7, "Worker of Tiny")


@pytest.mark.parametrize(("places", "reason"), [(("-x y",), "the id of a place"), (("a", "a"), "each place once")])
def test_workers_are_places_each_named_once(places, reason):
    with pytest.raises(ConfigurationError, match=reason) as caught:
        HEAD.replace(rpc_workers=places)
    assert caught.value.field == "rpc_workers"
    assert ServerConfig.from_json(HEAD.to_json()) == HEAD


def test_the_end_of_a_head_without_its_worker_has_its_own_cause():
    end = ServerExit(-9, lost_worker="attic")
    explain = as_place_says(lambda end, _log, *, served=False: Failure(FailureCause.KILLED, str(end)))
    assert explain(end, ()).cause is FailureCause.WORKER_LOST
    assert "its worker at attic had ended" in str(end)
    assert explain(ServerExit(-9), ()).cause is FailureCause.KILLED
