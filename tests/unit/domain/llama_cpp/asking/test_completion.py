import json

import pytest

from gglib_desktop.domain.errors import AnswerCut
from gglib_desktop.domain.llama_cpp.asking.completion import completion_body, completion_told
from gglib_desktop.domain.traffic.completion import Completion, CompletionRequest

TIMINGS = {"prompt_n": 9, "prompt_ms": 6.6, "predicted_n": 60, "predicted_ms": 66}


def test_it_asks_for_so_many_tokens_with_a_seed_and_without_a_cache():
    asked = json.loads(completion_body(CompletionRequest("Once", 60, 7)))
    expected = {"prompt": "Once", "n_predict": 60, "seed": 7, "ignore_eos": True, "cache_prompt": False}
    assert asked == expected, "above all, no temperature"


def test_what_it_tells():
    answer = {"content": "upon", "timings": {**TIMINGS, "draft_n": 55, "draft_n_accepted": 39}}
    assert completion_told(json.dumps(answer).encode()) == Completion("upon", 60, 9, 6.6, 66.0, 55, 39)
    assert completion_told(json.dumps({"timings": TIMINGS}).encode()) == Completion("", 60, 9, 6.6, 66.0)


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"timings": {}}', b'{"timings": null}', b"\xff"])
def test_what_has_no_times_is_no_answer(answer):
    with pytest.raises(AnswerCut):
        completion_told(answer)
