"""The question that is sent, and answers as the engine really wrote them, cut and spoiled."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gglib_desktop.domain.errors import AnswerCut, ChatError, ChatRefused, KeyRefused, PicturesRefused, PromptTooLong
from gglib_desktop.domain.llama_cpp.asking.chat import AnswerReader, chat_body
from gglib_desktop.domain.traffic.chat import (
    AnswerEnd,
    AnswerFigures,
    AnswerText,
    ChatMessage,
    ChatPiece,
    ChatRequest,
    Picture,
    PromptRead,
    Role,
)

ANSWERS = Path(__file__).parents[4] / "fakes/answers"
DRAFTED = (ANSWERS / "drafted.txt").read_bytes()
REASONING = (ANSWERS / "reasoning.txt").read_bytes()
TOO_LONG = "request (5019 tokens) exceeds the available context size (1024 tokens), try increasing it"
NO_PICTURES = "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"


def read(data: bytes, *, step: int = 10**9) -> list[ChatPiece]:
    reader = AnswerReader()
    pieces = [piece for at in range(0, len(data), step) for piece in reader.feed(data[at : at + step])]
    reader.end()
    return pieces


def said(pieces: list[ChatPiece]) -> tuple[str, str]:
    texts = [piece for piece in pieces if isinstance(piece, AnswerText)]
    return "".join(each.text for each in texts), "".join(each.reasoning for each in texts)


def event(**told: object) -> bytes:
    return b"data: " + json.dumps(told).encode() + b"\n\n"


def delta(reason: object = None, **added: object) -> bytes:
    return event(choices=[{"delta": added, "finish_reason": reason}])


# -- the question


def test_a_question_says_what_was_said_before_and_leaves_sampling_to_the_server():
    messages = (ChatMessage(Role.USER, "Grüße"), ChatMessage(Role.ASSISTANT, "Hi"), ChatMessage(Role.USER, "More"))
    assert json.loads(chat_body(ChatRequest(messages, system="Be brief."))) == {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Grüße"},
            {"role": "assistant", "content": "Hi"},
            {"role": "user", "content": "More"},
        ],
        "stream": True,
        "return_progress": True,
        "timings_per_token": True,
    }


def test_pictures_go_with_their_question():
    message = ChatMessage(Role.USER, "What is it?", (Picture(b"\x89PNG", "image/png"),))
    assert json.loads(chat_body(ChatRequest((message,))))["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
            ],
        }
    ]


# -- the answer


@pytest.mark.parametrize("step", [10**9, 1, 7, 1000])
def test_an_answer_with_drafts(step):
    pieces = read(DRAFTED, step=step)
    assert said(pieces) == ("the th", "")
    assert [piece for piece in pieces if isinstance(piece, PromptRead)][-1] == PromptRead(25, 25)
    figures = next(piece for piece in reversed(pieces) if isinstance(piece, AnswerFigures))
    assert (figures.gen_n, figures.draft_n, figures.accepted, round(figures.speed or 0)) == (6, 3, 1.0, 427)
    assert pieces[-1] is AnswerEnd.LIMIT


def test_all_that_comes_at_once_is_told_in_few_pieces():
    assert list(map(type, read(DRAFTED))) == [PromptRead, AnswerText, AnswerFigures, AnswerEnd]


def test_progress_grows_while_the_prompt_is_read():
    pieces = read(DRAFTED, step=1)
    assert [piece.read_n for piece in pieces if isinstance(piece, PromptRead)] == [0, 21, 25]


@pytest.mark.parametrize("step", [10**9, 1, 3])
def test_an_answer_with_reasoning(step):
    pieces = read(REASONING, step=step)
    assert said(pieces) == ("Good morning 你", "So, ü.\n")
    assert pieces[-1] is AnswerEnd.COMPLETE


def test_lines_may_end_as_on_windows():
    assert said(read(DRAFTED.replace(b"\n", b"\r\n"))) == ("the th", "")


def test_one_token_has_no_speed():
    timings = {"predicted_n": 1, "predicted_ms": 0.001, "predicted_per_second": 0.0}
    pieces = read(event(choices=[{"delta": {"content": "a"}, "finish_reason": "stop"}], timings=timings))
    assert pieces == [AnswerText("a"), AnswerFigures(1), AnswerEnd.COMPLETE]


def test_nothing_drafted_has_no_share():
    assert AnswerFigures(5, 2.0, 0, 0).accepted is None
    assert AnswerFigures(5, 2.0).accepted is None


def test_half_a_character_is_replaced():
    assert said(read(b'data: {"choices":[{"delta":{"content":"a\\ud83db"}}]}\n' + delta("stop"))) == ("a\ufffdb", "")


def test_what_is_no_utf8_is_replaced():
    assert said(read(b'data: {"choices":[{"delta":{"content":"a\xff"}}]}\n' + delta("stop"))) == ("a\ufffd", "")


@pytest.mark.parametrize(
    "spoiled",
    [
        b": a comment\n",
        b"event: message\n",
        b"data: [DONE]\n",
        b"data: not json\n",
        b"data: 5\n",
        b"data: " + b"[" * 100_000 + b"\n",
        b"no colon\n",
        event(choices=[]),
        event(choices=[5]),
        event(choices=[{"delta": None}]),
        delta(content=["a"], reasoning_content=5),
        event(prompt_progress={"total": 0, "processed": 0}),
        event(prompt_progress={"total": 5}),
        event(prompt_progress=7),
        event(timings={"predicted_n": True, "predicted_per_second": 5}),
        event(timings=[]),
        event(error=None),
    ],
)
def test_what_tells_nothing_changes_nothing(spoiled):
    assert read(delta(content="a") + spoiled + delta("stop", content="b")) == [AnswerText("ab"), AnswerEnd.COMPLETE]


def test_a_speed_that_no_server_has_is_not_known():
    endless = b'data: {"timings":{"predicted_n":5,"predicted_per_second":1e999}}\n'
    assert read(endless + delta("stop")) == [AnswerFigures(5), AnswerEnd.COMPLETE]


def test_more_read_than_there_is_counts_as_all():
    assert read(event(prompt_progress={"total": 5, "processed": 9}) + delta("stop"))[0] == PromptRead(5, 5)


@given(st.integers(0, len(DRAFTED)), st.binary(max_size=40), st.integers(1, 2000))
@settings(max_examples=60, deadline=None)
def test_nothing_raises_but_chat_errors(at, noise, step):
    with contextlib.suppress(ChatError):
        read(DRAFTED[:at] + noise + DRAFTED[at:], step=step)


# -- answers that fail


def test_an_answer_without_an_end_was_cut():
    reader = AnswerReader()
    assert said(list(reader.feed(DRAFTED[: len(DRAFTED) // 2])))[0]
    with pytest.raises(AnswerCut):
        reader.end()


def test_a_line_that_never_ends_is_no_chat():
    with pytest.raises(AnswerCut):
        list(AnswerReader().feed(b"x" * (2**20 + 1)))


@pytest.mark.parametrize("name", ["data", "error"])
def test_a_failure_in_mid_answer_comes_after_what_was_said(name):
    error = {"code": 500, "message": "Compute error.", "type": "server_error"}
    told = {"error": error} if name == "data" else error
    pieces = AnswerReader().feed(delta(content="a") + f"{name}: {json.dumps(told)}\n\n".encode())
    assert next(pieces) == AnswerText("a")
    with pytest.raises(ChatRefused, match="Compute error"):
        next(pieces)


def test_a_failure_in_words_only():
    with pytest.raises(ChatRefused, match="too bad"):
        list(AnswerReader().feed(event(error="too bad")))


def error_body(**error: object) -> bytes:
    return json.dumps({"error": error}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        (401, error_body(message="Invalid API Key", code=401), KeyRefused, "Invalid API Key"),
        (400, error_body(message=TOO_LONG, type="exceed_context_size_error"), PromptTooLong, TOO_LONG),
        (500, error_body(message=NO_PICTURES, code=500), PicturesRefused, NO_PICTURES),
        (501, error_body(message="This server does not support chats"), ChatRefused, "This server does not"),
        (503, b"<html>", ChatRefused, "HTTP 503"),
        (400, b'{"error": "bad"}', ChatRefused, "bad"),
        (200, error_body(), ChatRefused, "HTTP 200"),
    ],
)
def test_why_a_question_is_refused(status, body, kind, reason):
    error = AnswerReader().refusal(status, body)
    assert type(error) is kind
    assert error.reason.startswith(reason)


def test_a_failure_without_a_reason_says_so():
    with pytest.raises(ChatRefused, match="no reason given"):
        list(AnswerReader().feed(event(error={})))


def test_a_question_that_is_too_long_names_both_lengths():
    error = AnswerReader().refusal(400, error_body(message=TOO_LONG))
    assert isinstance(error, PromptTooLong)
    assert (error.tokens, error.limit) == (5019, 1024)
