"""The part of a chat that all servers share: the question with its model, the answer's figures, and refusals."""

import json
from dataclasses import replace

import pytest

from gglib_desktop.domain.errors import ChatRefused, KeyRefused, NoSuchModel
from gglib_desktop.domain.openai.chat import AnswerReader, chat_body, is_large
from gglib_desktop.domain.traffic.chat import (
    AnswerEnd,
    AnswerFigures,
    AnswerText,
    ChatMessage,
    ChatRequest,
    Picture,
    Role,
)

HELLO = ChatRequest((ChatMessage(Role.USER, "Hello"),))


def told(*events: object) -> bytes:
    return b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in events) + b"data: [DONE]\n\n"


def test_a_question_names_the_model():
    assert json.loads(chat_body(replace(HELLO, model="big"), more=True)) == {
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
        "model": "big",
        "more": True,
    }


def test_large_questions_are_written_elsewhere():
    assert not is_large(HELLO)
    assert is_large(ChatRequest((ChatMessage(Role.USER, "a" * 300_000),)))
    assert is_large(ChatRequest((ChatMessage(Role.USER, "", (Picture(b"", "image/png"),)),)))


def test_an_answer_counts_its_tokens_at_the_end():
    reader = AnswerReader()
    answer = told(
        {"choices": [{"delta": {"reasoning": "So."}, "finish_reason": None}]},
        {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"completion_tokens": 7}},
    )
    assert list(reader.feed(answer)) == [AnswerText("Hi", "So."), AnswerFigures(7), AnswerEnd.COMPLETE]
    reader.end()


@pytest.mark.parametrize("usage", [None, 5, {}, {"completion_tokens": 0}, {"completion_tokens": True}])
def test_figures_that_are_none(usage):
    assert AnswerReader().figures({"usage": usage}) is None


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        (401, b'{"error": {"message": "Incorrect key"}}', KeyRefused, "Incorrect key"),
        (403, b"<html>", KeyRefused, "HTTP 403"),
        (404, b'{"error": "model \\"x\\" not found"}', NoSuchModel, 'model "x" not found'),
        (404, b"{}", ChatRefused, "HTTP 404"),
        (404, b'{"error": {"message": "File Not Found", "code": 404}}', ChatRefused, "File Not Found"),
        (400, b'{"error": {"message": "no", "code": "model_not_found"}}', NoSuchModel, "no"),
        (400, b'{"error": {"message": "no", "code": ["?"]}}', ChatRefused, "no"),
        (500, b'{"error": null}', ChatRefused, "HTTP 500"),
    ],
)
def test_why_a_question_is_refused(status, body, kind, reason):
    error = AnswerReader().refusal(status, body)
    assert (type(error), error.status) == (kind, status)
    assert error.reason == reason


def test_a_refusal_in_the_answer_has_no_status():
    with pytest.raises(ChatRefused, match="no reason given"):
        list(AnswerReader().feed(told({"error": {}})))
