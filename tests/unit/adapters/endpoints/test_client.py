"""Looks at servers that answer well, oddly, or not at all."""

import json
import socket
import ssl

import pytest

from gglib_desktop.adapters.endpoints.client import HttpEndpointClient
from gglib_desktop.adapters.runner.kinds import asked_engines
from gglib_desktop.domain.endpoints.address import address_of
from gglib_desktop.domain.endpoints.look import EndpointLook, Trouble
from gglib_desktop.domain.errors import ChatError, KeyRefused, NoSuchModel
from gglib_desktop.domain.traffic.chat import AnswerEnd, AnswerFigures, AnswerText, ChatMessage, ChatRequest, Role
from tests.fakes.odd_servers import (
    MODELS,
    SELF_SIGNED,
    OddServer,
    endless,
    hang_up,
    odd_server,
    says,
    says_by_path,
    silence,
    whole,
)
from tests.fakes.waiting import DEADLINE_S

KEY = "sk-secret"
HELLO = ChatRequest((ChatMessage(Role.USER, "Hello"),), model="big")
LISTED = whole("200 OK", MODELS)


@pytest.fixture
async def client():
    client = HttpEndpointClient(asked_engines, patience_s=DEADLINE_S)
    yield client
    await client.aclose()


async def test_the_models_it_lists(client):
    async with odd_server(says_by_path(models=LISTED)) as server:
        assert await client.look(server.url, KEY) == EndpointLook(models=("big", "small"))
        assert await client.look(server.url, None) == EndpointLook(models=("big", "small"))
    assert [asked.headers.get("authorization") for asked in server.asked] == [f"Bearer {KEY}", None]


async def test_the_same_answer_is_read_once(client):
    async with odd_server(says_by_path(models=LISTED)) as server:
        first, second = await client.look(server.url, None), await client.look(server.url, None)
        assert second is first
        server.respond = says_by_path(models=whole("200 OK", {"data": [{"id": "new"}]}))
        assert (await client.look(server.url, None)).models == ("new",)
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (whole("200 OK", "<html>", "Content-Type: text/html"), EndpointLook(Trouble.HTML)),
        (whole("200 OK", "<html>"), EndpointLook(Trouble.NO_JSON)),
        (whole("200 OK", b"[" * 100_000), EndpointLook(Trouble.NO_JSON)),
        (whole("200 OK", {"status": "ok"}), EndpointLook(Trouble.NO_LIST)),
        (whole("200 OK", b"\x1f\x8b", "Content-Encoding: gzip"), EndpointLook(Trouble.NO_JSON)),
        (whole("401 Unauthorized", {"error": "no"}), EndpointLook(Trouble.KEY_REFUSED, "401")),
        (whole("404 Not Found", "no"), EndpointLook(Trouble.STATUS, "404")),
        (whole("503 Service Unavailable", "<html>"), EndpointLook(Trouble.NOT_NOW, "503")),
        (
            whole("503 Service Unavailable", {"error": {"message": "Loading model", "code": 503}}),
            EndpointLook(Trouble.LOADING),
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", EndpointLook(Trouble.NO_HTTP)),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 100_000, EndpointLook(Trouble.NO_HTTP)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{", EndpointLook(Trouble.BROKE)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n" + b" " * 2**22, EndpointLook(Trouble.TOO_LONG)),
    ],
)
async def test_odd_answers(client, answer, told):
    async with odd_server(says(answer)) as server:
        assert await client.look(server.url, KEY) == told


async def test_an_answer_without_end(client):
    async with odd_server(endless) as server:
        assert await client.look(server.url, None) == EndpointLook(Trouble.TOO_LONG)


async def test_a_closed_connection(client):
    async with odd_server(hang_up) as server:
        assert await client.look(server.url, None) == EndpointLook(Trouble.BROKE)


@pytest.mark.jumping_clock
async def test_no_answer(client):
    async with odd_server(silence) as server:
        assert await client.look(server.url, None) == EndpointLook(Trouble.SILENT)


async def test_nothing_listens(client):
    async with odd_server(silence) as server:
        pass
    assert await client.look(server.url, None) == EndpointLook(Trouble.REFUSED)


async def test_nothing_listens_at_any_address_of_a_name(client):
    try:
        socket.getaddrinfo("localhost", None)
    except OSError as exc:
        pytest.skip(f"localhost: {exc}")
    async with odd_server(silence) as server:
        pass
    assert await client.look(f"http://localhost:{server.port}/v1", None) == EndpointLook(Trouble.REFUSED)


async def test_a_name_without_a_computer(client):
    assert await client.look("http://nowhere.invalid/v1", None) == EndpointLook(Trouble.NO_ADDRESS)


async def test_a_redirect_is_told_and_the_key_goes_nowhere(client):
    async with odd_server(says(LISTED)) as other:
        moved = whole("307 Temporary Redirect", "", f"Location: http://127.0.0.1:{other.port}/v1/models?token=x")
        async with odd_server(says(moved)) as server:
            told = EndpointLook(Trouble.REDIRECT, f"http://127.0.0.1:{other.port}/v1/models")
            assert await client.look(server.url, KEY) == told
            with pytest.raises(ChatError):
                await said(client, server, key=KEY)
    assert other.asked == []


# -- https


async def test_a_certificate_that_signed_itself_is_not_trusted(client):
    async with odd_server(says(LISTED), secure=True) as server:
        look = await client.look(server.url, KEY)
        # Older versions of OpenSSL write it in two words.
        assert (look.trouble, look.detail.replace("-", " ")) == (Trouble.CERTIFICATE, "self signed certificate")
        with pytest.raises(ChatError, match=r"not trusted: self.signed certificate"):
            await said(client, server, key=KEY)
    assert server.asked == [], "the key was not shown"


def trusting() -> ssl.SSLContext:
    # Not the default one: some versions of Python want more of an authority than this certificate has.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(SELF_SIGNED)
    return context


async def test_a_certificate_that_is_trusted():
    client = HttpEndpointClient(make_tls=trusting, patience_s=DEADLINE_S)
    async with odd_server(says_by_path(models=LISTED, completions=ANSWER), secure=True) as server:
        assert (await client.look(server.url, KEY)).models == ("big", "small")
        assert (await client.look(server.url, KEY)).models == ("big", "small")
        assert await said(client, server) == [AnswerText("Hi"), AnswerFigures(2), AnswerEnd.COMPLETE]
        await client.aclose()


async def test_a_certificate_for_another_name():
    client = HttpEndpointClient(make_tls=trusting, patience_s=DEADLINE_S)
    async with odd_server(says(LISTED), secure=True) as server:
        look = await client.look(f"https://127.0.0.2:{server.port}/v1", KEY)
        assert look.trouble in {Trouble.CERTIFICATE, Trouble.REFUSED}
        await client.aclose()


async def test_no_https_there(client):
    async with odd_server(says(whole("400 Bad Request", ""))) as server:
        assert await client.look(server.url.replace("http:", "https:"), KEY) == EndpointLook(Trouble.NO_TLS)
    assert server.asked == []


# -- chats

ANSWER = (
    b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    b'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n'
    b'data: {"choices":[],"usage":{"completion_tokens":2}}\n\n'
    b"data: [DONE]\n\n"
)


async def said(client: HttpEndpointClient, server: OddServer, *, key: str | None = None) -> list[object]:
    return [piece async for piece in client.chat(address_of(server.url, key), HELLO)]


async def test_a_chat_names_the_model_and_nothing_of_one_engine(client):
    async with odd_server(says(ANSWER)) as server:
        assert await said(client, server, key=KEY) == [AnswerText("Hi"), AnswerFigures(2), AnswerEnd.COMPLETE]
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.headers["authorization"]) == (
        "POST",
        "/v1/chat/completions",
        f"Bearer {KEY}",
    )
    assert json.loads(asked.body) == {
        "model": "big",
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (whole("401 Unauthorized", {"error": {"message": "wrong"}}), KeyRefused),
        (whole("404 Not Found", {"error": {"message": "no such model"}}), NoSuchModel),
        (whole("200 OK", "<html>"), ChatError),
    ],
)
async def test_chats_that_are_refused(client, answer, kind):
    async with odd_server(says(answer)) as server:
        with pytest.raises(kind) as caught:
            await said(client, server, key=KEY)
    assert KEY not in str(caught.value)


# -- what kind it is


PROPS = {"default_generation_settings": {"n_ctx": 2048}, "total_slots": 2, "is_sleeping": False}


async def test_one_of_a_known_kind_is_recognized(client):
    answers = says_by_path(models=LISTED, props=whole("200 OK", PROPS), slots=whole("200 OK", []))
    async with odd_server(answers) as server:
        found = await client.recognize(server.url, None, is_known=False)
        assert found is not None
        assert (found.facts.context_size, found.facts.slots) == (2048, 2)


async def test_a_sleeping_one_is_not_woken(client):
    answers = says_by_path(models=LISTED, props=whole("200 OK", {**PROPS, "is_sleeping": True}))
    async with odd_server(answers) as server:
        found = await client.recognize(server.url, None, is_known=False)
        assert found is not None
        assert await found.engine.slots(address_of(server.url), may_sleep=True) == ()
        assert await found.engine.counters(address_of(server.url), may_sleep=True) is None
    assert {asked.path for asked in server.asked} == {"/props"}


@pytest.mark.parametrize(
    "props", [whole("401 Unauthorized", ""), whole("404 Not Found", ""), whole("200 OK", "<html>")]
)
async def test_any_other_is_not(client, props):
    async with odd_server(says_by_path(models=LISTED, props=props)) as server:
        assert await client.recognize(server.url, KEY, is_known=False) is None


async def test_vllm_is_recognized_and_counts(client):
    listed = {"object": "list", "data": [{"id": "big", "owned_by": "vllm", "max_model_len": 2048}]}
    metrics = (
        'vllm:num_requests_running{engine="0",model_name="big"} 2.0\n'
        'vllm:prompt_tokens_total{engine="0",model_name="big"} 100.0\n'
        'vllm:generation_tokens_total{engine="0",model_name="big"} 50.0\n'
    )
    answers = says_by_path(models=whole("200 OK", listed), metrics=whole("200 OK", metrics))
    async with odd_server(answers) as server:
        found = await client.recognize(server.url, None, is_known=(await client.look(server.url, None)).is_known)
        assert found is not None
        assert found.facts.context_size == 2048
        assert await found.engine.slots(address_of(server.url)) is None
        counters = await found.engine.counters(address_of(server.url))
        assert counters is not None
        assert (counters.processing, counters.gen_n) == (2, 50)


async def test_one_that_gives_the_same_answer_to_all_is_of_no_kind(client):
    async with odd_server(says(LISTED)) as server:
        assert await client.recognize(server.url, KEY, is_known=False) is None


async def test_one_that_is_known_may_refuse_us(client):
    listed = whole("200 OK", {"data": [{"id": "big", "owned_by": "llamacpp"}]})
    async with odd_server(says_by_path(models=listed, props=whole("401 No", ""))) as server:
        look = await client.look(server.url, KEY)
        found = await client.recognize(server.url, KEY, is_known=look.is_known)
        assert found is not None
        assert found.facts.refused


async def test_a_closed_client_asks_nothing():
    client = HttpEndpointClient(asked_engines)
    await client.aclose()
    async with odd_server(says(LISTED)) as server:
        assert await client.look(server.url, None) == EndpointLook(Trouble.NO_CONNECTION)
    assert server.asked == []
