"""What dasllama tells of itself, and why it ended, from answers and logs as version 0.6.6 wrote them."""

import pytest

from gglib_desktop.domain.dasllama.log import diagnose
from gglib_desktop.domain.dasllama.stats import counters_told, facts_told, slots_told
from gglib_desktop.domain.openai.models import are_of, model_ids, readiness
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.failures import FailureCause, ServerExit, StopRung
from gglib_desktop.domain.servers.health import ProbeResult
from gglib_desktop.domain.traffic.figures import Counters, SlotWork

SETUP = {"setup": True, "model": "(no model)", "ctx": 0, "active": 0, "max_streams": 0, "models": []}
STATS = {
    "model": "Tiny",
    "models": [{"name": "Tiny", "served": "CPU", "served_note": ""}],
    "ctx": 512,
    "active": 1,
    "queued": 2,
    "gen_tokens": 20,
    "cached_tokens": 3,
    "max_streams": 2,
    "mtp_drafted": 0,
    "mtp_accepted": 0,
    "prefill_tokens": 21,
    "vision": False,
}
MODELS = {"object": "list", "data": [{"id": "Tiny", "object": "model", "owned_by": "dasllama"}]}


def test_its_stats_are_facts_slots_and_counters():
    assert facts_told(STATS) == ServerFacts(context_size=512, slots=2, alias="Tiny", gpu_layers=0, takes_images=False)
    assert slots_told(STATS) == (SlotWork(0, is_busy=True, gen_n=None), SlotWork(1))
    assert counters_told(STATS) == Counters(
        21, None, 20, None, cached_n=3, draft_n=0, accepted_n=0, processing=1, deferred=2
    )


def test_it_drafts_once_it_has_drafted():
    facts = facts_told({**STATS, "mtp_drafted": 9, "models": [{"served": "GPU"}], "vision": "no", "model": 5})
    assert facts == ServerFacts(context_size=512, slots=2, drafts=True)


@pytest.mark.parametrize("stats", [None, [], {}, {"active": True, "gen_tokens": -1}, {"models": None}])
def test_what_it_does_not_tell_is_not_known(stats):
    assert slots_told(stats) is None
    assert counters_told(stats) is None
    assert facts_told(stats) in {None, ServerFacts()}


def test_without_a_model_it_tells_no_facts():
    assert facts_told(SETUP) is None


@pytest.mark.parametrize(
    ("status", "content", "model", "result", "says"),
    [
        (200, MODELS, "Tiny", ProbeResult.OK, ""),
        (200, MODELS, "", ProbeResult.OK, ""),
        (200, MODELS, "Other", ProbeResult.FOREIGN, "it serves Tiny and not Other"),
        (200, {"object": "list", "data": []}, "Tiny", ProbeResult.LOADING, "no model yet"),
        (503, None, "Tiny", ProbeResult.LOADING, "loading"),
        (404, None, "Tiny", ProbeResult.FOREIGN, "no dasllama answers (HTTP 404)"),
        (200, [], "Tiny", ProbeResult.FOREIGN, "no dasllama answers"),
        (200, {"data": 5}, "Tiny", ProbeResult.FOREIGN, "no dasllama answers"),
    ],
)
def test_it_is_ready_when_it_lists_our_model(status, content, model, result, says):
    probe = readiness(status, content, model, "dasllama")
    assert probe.result is result
    assert says in probe.message


def test_whose_models_they_are_is_said_of_each():
    assert are_of(MODELS, "dasllama")
    assert not are_of(MODELS, "vllm")
    assert not are_of({"data": []}, "dasllama")
    assert not are_of(None, "dasllama")


def test_only_names_are_names():
    assert model_ids({"data": [{"id": "a"}, {"id": 5}, "b"]}) == ("a",)


LOADING = ("dispatch: 1 worker lanes, affinity platform default", "loading ./Tiny ...")


@pytest.mark.parametrize(
    ("status", "last", "cause"),
    [
        (1, "EXCEPTION: gguf: bad magic (not a GGUF file)", FailureCause.MODEL_UNREADABLE),
        (1, "EXCEPTION: array index out of range", FailureCause.MODEL_UNREADABLE),
        (1, "EXCEPTION: dasLLAMA: unsupported architecture 'foo'", FailureCause.MODEL_UNSUPPORTED),
        (2, "dasllama-server: could not start on port 18431 (start rc -22; …)", FailureCause.PORT_TAKEN),
        (-6, "corrupted double-linked list", FailureCause.UNKNOWN),
        (-9, "loading ./Tiny ...", FailureCause.KILLED),
        (-4, "loading ./Tiny ...", FailureCause.WRONG_PROCESSOR),
    ],
)
def test_its_log_explains_its_end(status, last, cause):
    failure = diagnose(ServerExit(status), [*LOADING, last + "\n", ""])
    assert failure.cause is cause
    assert failure.evidence[-1] == last
    assert failure.exit == ServerExit(status)


def test_what_it_wrote_while_it_loaded_explains_no_later_end():
    log = [*LOADING, "EXCEPTION: array index out of range"]
    assert diagnose(ServerExit(1, StopRung.NONE), log, served=True).cause is FailureCause.UNKNOWN
