"""Snippets say the same endpoint, model and key to every program, whatever is in them."""

import ast
import json
import shlex

import pytest
import yaml

from gglib_desktop.domain.servers.snippets import ClientAccess, ClientProgram, snippet

ENDPOINT = "http://127.0.0.1:9000/v1"
NAMES = ["Tiny", 'Qwen3.6 27B "UD" it\'s', "Modèle 模型 🦙", "a\\b: #c $HOME `x` %d {y}", "no", "12"]
KEY = "s3cret'\"$k"


def access(model: str = "Tiny", *, key: str | None = KEY, asks_for_key: bool = True) -> ClientAccess:
    return ClientAccess(ENDPOINT, model, asks_for_key=asks_for_key, key=key, context=8192)


@pytest.mark.parametrize("name", NAMES)
def test_curl(name):
    words = shlex.split(snippet(ClientProgram.CURL, access(name)).replace("\\\n", " "))
    assert words[:2] == ["curl", f"{ENDPOINT}/chat/completions"]
    assert words[2:6] == ["-H", "Content-Type: application/json", "-H", f"Authorization: Bearer {KEY}"]
    body = {"model": name, "messages": [{"role": "user", "content": "Hello"}]}
    assert (words[6], json.loads(words[7]), len(words)) == ("-d", body, 8)


@pytest.mark.parametrize("name", NAMES)
def test_openai_in_python(name):
    program = ast.parse(snippet(ClientProgram.OPENAI_PYTHON, access(name)))
    calls = [node for node in ast.walk(program) if isinstance(node, ast.Call)]
    given = {word.arg: ast.literal_eval(word.value) for call in calls for word in call.keywords}
    assert given == {
        "base_url": ENDPOINT,
        "api_key": KEY,
        "model": name,
        "messages": [{"role": "user", "content": "Hello"}],
    }


@pytest.mark.parametrize("name", NAMES)
def test_openai_in_javascript(name):
    text = snippet(ClientProgram.OPENAI_JAVASCRIPT, access(name))
    # What JSON reads between double quotes, JavaScript reads too.
    assert f"model: {json.dumps(name, ensure_ascii=False)},\n" in text
    assert f"{{ baseURL: {json.dumps(ENDPOINT)}, apiKey: {json.dumps(KEY)} }}" in text


@pytest.mark.parametrize("name", NAMES)
def test_cline(name):
    lines = snippet(ClientProgram.CLINE, access(name)).splitlines()
    assert dict(line.split(": ", 1) for line in lines) == {
        "API Provider": "OpenAI Compatible",
        "Base URL": ENDPOINT,
        "API Key": KEY,
        "Model ID": name,
        "Context Window Size": "8192",
    }


@pytest.mark.parametrize("name", NAMES)
def test_continue(name):
    told = yaml.safe_load(snippet(ClientProgram.CONTINUE, access(name)))
    assert {"name", "version", "schema", "models"} == set(told)
    assert told["models"] == [
        {
            "name": name,
            "provider": "openai",
            "model": name,
            "apiBase": ENDPOINT,
            "apiKey": KEY,
            "roles": ["chat", "edit", "apply"],
        }
    ]


@pytest.mark.parametrize("name", NAMES)
def test_zed(name):
    comment, _end, text = snippet(ClientProgram.ZED, access(name)).partition("\n")
    assert comment.startswith("// ")
    assert comment.endswith(KEY)
    (provider,) = json.loads(text)["language_models"]["openai_compatible"].values()
    assert provider == {
        "api_url": ENDPOINT,
        "available_models": [{"name": name, "display_name": name, "max_tokens": 8192}],
    }


@pytest.mark.parametrize("name", NAMES)
def test_aider(name):
    assert yaml.safe_load(snippet(ClientProgram.AIDER, access(name))) == {
        "model": f"openai/{name}",
        "openai-api-base": ENDPOINT,
        "openai-api-key": KEY,
    }


def test_open_webui():
    lines = [shlex.split(line) for line in snippet(ClientProgram.OPEN_WEBUI, access()).splitlines()]
    assert lines == [
        ["export", f"OPENAI_API_BASE_URL={ENDPOINT}"],
        ["export", f"OPENAI_API_KEY={KEY}"],
        ["open-webui", "serve"],
    ]


@pytest.mark.parametrize("program", ClientProgram)
def test_a_key_that_is_not_to_be_told_is_told_nowhere(program):
    hidden = access(key=None)
    text = snippet(program, hidden)
    assert KEY not in text
    assert "YOUR_KEY" in text
    assert "None" not in text


@pytest.mark.parametrize("program", [each for each in ClientProgram if each is not ClientProgram.CURL])
def test_a_server_that_wants_no_key_gets_some_word(program):
    assert "none" in snippet(program, access(key=None, asks_for_key=False))


def test_curl_shows_no_key_to_a_server_that_wants_none():
    assert "Authorization" not in snippet(ClientProgram.CURL, access(key=None, asks_for_key=False))


def test_a_context_that_is_not_known():
    unknown = ClientAccess(ENDPOINT, "Tiny")
    assert "Context" not in snippet(ClientProgram.CLINE, unknown)
    assert '"max_tokens": 4096' in snippet(ClientProgram.ZED, unknown)


def test_a_key_is_not_in_logs():
    assert KEY not in repr(access())
