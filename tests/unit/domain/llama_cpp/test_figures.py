"""What is read from the answers about slots and counters, as recorded from llama-server b10434 and told by others."""

import random

import pytest

from gglib_desktop.domain.llama_cpp.figures import counters_told, slots_told
from gglib_desktop.domain.traffic.figures import Counters, SlotWork

NEVER_USED = {"id": 0, "n_ctx": 4096, "speculative": True, "is_processing": False}
GENERATING = {
    "id": 1,
    "n_ctx": 4096,
    "speculative": True,
    "is_processing": True,
    "id_task": 142,
    "n_prompt_tokens": 70,
    "n_prompt_tokens_processed": 9,
    "n_prompt_tokens_cache": 2,
    "params": {"seed": 4294967295, "speculative.types": "none,draft-mtp"},
    "next_token": [{"has_next_token": True, "has_new_line": False, "n_remain": -1, "n_decoded": 59}],
}
# A build of August 2025.
OLDER = {"id": 2, "id_task": -1, "is_processing": False, "prompt": "secret", "next_token": {"n_decoded": 7}}
METRICS = """\
# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed, excluding cached tokens
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 11
llamacpp:prompt_tokens_cached_total 4
llamacpp:prompt_seconds_total 0.027313
llamacpp:tokens_predicted_total 60
llamacpp:tokens_predicted_seconds_total 0.066264
llamacpp:n_decode_total 21
llamacpp:spec_decode_num_draft_tokens_total 55
llamacpp:spec_decode_num_accepted_tokens_total 40
llamacpp:spec_decode_num_drafts_total 19
llamacpp:prompt_tokens_seconds 402.739
llamacpp:predicted_tokens_seconds 890.378
llamacpp:requests_processing 1
llamacpp:requests_deferred 3
llamacpp:spec_decode_num_accepted_tokens_per_pos_total{position="0"} 14
llamacpp:spec_decode_num_accepted_tokens_per_pos_total{position="1"} 13
"""
PLAIN = Counters(11, 0.027313, 60, 0.066264)
LEAST = "".join(f"{line}\n" for line in METRICS.splitlines() if "_total 11" in line or "seconds_total" in line)


def test_slots_do_what_they_say():
    assert slots_told([NEVER_USED, GENERATING, OLDER]) == (
        SlotWork(0),
        SlotWork(1, task=142, is_busy=True, read_n=11, gen_n=59),
        SlotWork(2, gen_n=7),
    )


@pytest.mark.parametrize("slots", [None, {"error": {"code": 501}}, "[]", 7])
def test_without_slots_nothing_is_known(slots):
    assert slots_told(slots) is None


@pytest.mark.parametrize(
    "slot",
    [
        {**GENERATING, "next_token": []},
        {**GENERATING, "next_token": [7]},
        {**GENERATING, "next_token": None},
        {**GENERATING, "next_token": [{"n_decoded": "many"}]},
    ],
)
def test_what_a_slot_does_not_say_is_nothing(slot):
    assert slots_told([slot, 7, {"id": "one"}, {}]) == (SlotWork(1, task=142, is_busy=True, read_n=11),)


def test_counters_are_what_is_said():
    assert counters_told(METRICS) == Counters(
        prompt_n=11,
        prompt_s=0.027313,
        gen_n=60,
        gen_s=0.066264,
        cached_n=4,
        drafts=19,
        draft_n=55,
        accepted_n=40,
        accepted_at=(14, 13),
        processing=1,
        deferred=3,
    )


def test_a_build_without_counters_of_drafts_does_not_know_them():
    least = LEAST + "llamacpp:tokens_predicted_total 60\n"
    assert counters_told(least) == PLAIN
    assert counters_told(least.replace("\n", "\r\n")) == PLAIN


@pytest.mark.parametrize(
    "metrics",
    ["", "<html>", LEAST, METRICS.replace("total 60", "total nan"), METRICS.replace("total 11", "total -1")],
)
def test_half_of_the_counters_are_none(metrics):
    assert counters_told(metrics) is None


def test_positions_with_a_gap_are_not_known():
    told = counters_told(METRICS.replace('position="1"', 'position="2"'))
    assert told is not None
    assert told.accepted_at == ()


def test_nothing_that_is_answered_raises():
    dice = random.Random(1)
    things: list[object] = [None, True, -7, 2**70, 0.5, "x", [], {}, [{}], [{"n_decoded": None}]]
    for _ in range(2000):
        slot = {name: dice.choice(things) for name in GENERATING}
        for work in slots_told([slot, dice.choice(things)]) or ():
            assert work.task is None or work.task >= 0
        text = list(METRICS)
        for _ in range(20):
            text[dice.randrange(len(text))] = chr(dice.choice([0, 10, 32, 57, 101, 233, 0x661, 0x1F600]))
        counters_told("".join(text))
