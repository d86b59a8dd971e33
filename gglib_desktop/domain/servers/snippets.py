"""What other programs need to use a server, each in its own form, ready to be pasted.

The names of fields are from the programs' documentation: curl's and OpenAI's API reference; docs.cline.bot
(provider-config/openai-compatible); docs.continue.dev (customize/model-providers/top-level/openai, and the reference of
config.yaml); zed.dev/docs/ai/llm-providers (OpenAI API compatible); aider.chat/docs (config/aider_conf,
llms/openai-compat); docs.openwebui.com (getting-started/env-configuration).
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from enum import StrEnum

from gglib_desktop.domain.options.host import openai_chats

_PROVIDER = "GGLib Desktop"
# Clients want some key, also for a server that wants none.
_NO_KEY = "none"
_KEY_TO_FILL_IN = "YOUR_KEY"
# Of a context that is not known: what nearly every model has.
_LEAST_CONTEXT = 4096
_QUESTION = "Hello"


class ClientProgram(StrEnum):
    """A program that can use a server. The value is its name."""

    CURL = "curl"
    OPENAI_PYTHON = "OpenAI Python"
    OPENAI_JAVASCRIPT = "OpenAI JavaScript"
    CLINE = "Cline"
    CONTINUE = "Continue"
    ZED = "Zed"
    AIDER = "aider"
    OPEN_WEBUI = "Open WebUI"


@dataclass(frozen=True)
class ClientAccess:
    """How clients use a server: the base URL for OpenAI's API, and the name of the model there.

    ``key`` None: it is not to be told. ``context`` is in tokens, None where it is not known.
    """

    endpoint: str
    model: str
    asks_for_key: bool = False
    key: str | None = field(default=None, repr=False)
    context: int | None = None

    @property
    def shown_key(self) -> str:
        """What stands where the key belongs."""
        return self.key or (_KEY_TO_FILL_IN if self.asks_for_key else _NO_KEY)


def snippet(program: ClientProgram, access: ClientAccess) -> str:
    """What is pasted into a shell, a program or a settings file."""
    write = {
        ClientProgram.CURL: _curl,
        ClientProgram.OPENAI_PYTHON: _python,
        ClientProgram.OPENAI_JAVASCRIPT: _javascript,
        ClientProgram.CLINE: _cline,
        ClientProgram.CONTINUE: _continue,
        ClientProgram.ZED: _zed,
        ClientProgram.AIDER: _aider,
        ClientProgram.OPEN_WEBUI: _open_webui,
    }[program]
    return write(access)


def _curl(access: ClientAccess) -> str:
    headers = ["Content-Type: application/json"]
    if access.asks_for_key:
        headers.append(f"Authorization: Bearer {access.shown_key}")
    body = json.dumps({"model": access.model, "messages": [{"role": "user", "content": _QUESTION}]}, ensure_ascii=False)
    parts = [f"curl {shlex.quote(openai_chats(access.endpoint))}"]
    parts += [f"-H {shlex.quote(header)}" for header in headers]
    return _lines(" \\\n  ".join([*parts, f"-d {shlex.quote(body)}"]))


def _python(access: ClientAccess) -> str:
    return _lines(
        "from openai import OpenAI",
        "",
        f"client = OpenAI(base_url={_quoted(access.endpoint)}, api_key={_quoted(access.shown_key)})",
        "answer = client.chat.completions.create(",
        f"    model={_quoted(access.model)},",
        f'    messages=[{{"role": "user", "content": {_quoted(_QUESTION)}}}],',
        ")",
        "print(answer.choices[0].message.content)",
    )


def _javascript(access: ClientAccess) -> str:
    return _lines(
        'import OpenAI from "openai";',
        "",
        f"const client = new OpenAI({{ baseURL: {_quoted(access.endpoint)}, apiKey: {_quoted(access.shown_key)} }});",
        "const answer = await client.chat.completions.create({",
        f"  model: {_quoted(access.model)},",
        f'  messages: [{{ role: "user", content: {_quoted(_QUESTION)} }}],',
        "});",
        "console.log(answer.choices[0].message.content);",
    )


def _cline(access: ClientAccess) -> str:
    """It is set up in its panel only, so this is what goes into its fields."""
    fields = {
        "API Provider": "OpenAI Compatible",
        "Base URL": access.endpoint,
        "API Key": access.shown_key,
        "Model ID": access.model,
    }
    if access.context is not None:
        fields["Context Window Size"] = str(access.context)
    return _lines(*(f"{name}: {value}" for name, value in fields.items()))


def _continue(access: ClientAccess) -> str:
    return _lines(
        f"name: {_PROVIDER}",
        "version: 0.0.1",
        "schema: v1",
        "models:",
        f"  - name: {_quoted(access.model)}",
        "    provider: openai",
        f"    model: {_quoted(access.model)}",
        f"    apiBase: {_quoted(access.endpoint)}",
        f"    apiKey: {_quoted(access.shown_key)}",
        "    roles:",
        "      - chat",
        "      - edit",
        "      - apply",
    )


def _zed(access: ClientAccess) -> str:
    model = {"name": access.model, "display_name": access.model, "max_tokens": access.context or _LEAST_CONTEXT}
    provider = {"api_url": access.endpoint, "available_models": [model]}
    settings = {"language_models": {"openai_compatible": {_PROVIDER: provider}}}
    # Its settings may have comments, and have no place for keys.
    return _lines(
        f"// The key for {_PROVIDER} goes into the agent's settings: {access.shown_key}",
        json.dumps(settings, ensure_ascii=False, indent=2),
    )


def _aider(access: ClientAccess) -> str:
    return _lines(
        "# .aider.conf.yml",
        f"model: {_quoted(f'openai/{access.model}')}",
        f"openai-api-base: {_quoted(access.endpoint)}",
        f"openai-api-key: {_quoted(access.shown_key)}",
    )


def _open_webui(access: ClientAccess) -> str:
    """It lists the models of a server by itself."""
    return _lines(
        f"export OPENAI_API_BASE_URL={shlex.quote(access.endpoint)}",
        f"export OPENAI_API_KEY={shlex.quote(access.shown_key)}",
        "open-webui serve",
    )


def _quoted(text: str) -> str:
    """As Python, JavaScript and YAML read a text between double quotes."""
    return json.dumps(text, ensure_ascii=False)


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"
