"""Asks llama-server over HTTP. The only module that imports httpx."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from gglib_desktop.domain.effective import ServerFacts, facts_from
from gglib_desktop.domain.health import Probe, ProbeResult
from gglib_desktop.domain.llama_args import HOST

_QUESTION_TIMEOUT_S = 2.0


def _url(port: int, path: str) -> str:
    return f"http://{HOST}:{port}{path}"


class LlamaClient:
    """One keep-alive HTTP client for all servers of a runner. ``transport`` stands in for the network, in tests."""

    def __init__(self, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        # Loopback needs no certificates and no proxies; loading them costs 70 ms.
        self._http = httpx.AsyncClient(
            verify=False,  # noqa: S501  # no TLS here
            trust_env=False,
            timeout=_QUESTION_TIMEOUT_S,
            transport=transport,
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def probe(self, port: int, timeout_s: float) -> Probe:
        """One question to /health. Never raises."""
        try:
            # The library's own timeout is for each piece of an answer, so somebody who sends drop by drop never ends.
            async with asyncio.timeout(timeout_s):
                answer = await self._http.get(_url(port, "/health"), timeout=timeout_s)
        except httpx.ConnectError:
            return Probe(ProbeResult.REFUSED, "the port refuses connections")
        except (httpx.TimeoutException, TimeoutError):
            return Probe(ProbeResult.TIMEOUT, f"no answer within {timeout_s:g} s")
        except httpx.HTTPError as exc:
            return Probe(ProbeResult.REFUSED, f"the connection broke: {type(exc).__name__}")
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            return Probe(ProbeResult.LOADING, "loading the model")
        if answer.status_code == httpx.codes.OK and _json_object(answer).get("status") == "ok":
            return Probe(ProbeResult.OK)
        return Probe(ProbeResult.FOREIGN, f"something that is no llama-server answers (HTTP {answer.status_code})")

    async def facts(self, port: int, log: str = "") -> ServerFacts | None:
        """The settings in force, from /props, /slots and the beginning of the ``log``; None without /props."""
        return facts_from(await self._ask(port, "/props"), await self._ask(port, "/slots"), log)

    async def busy_slots(self, port: int) -> int | None:
        """How many of /slots work on a request; None when the server does not say."""
        slots = await self._ask(port, "/slots")
        if not isinstance(slots, list):
            return None
        return sum(1 for slot in slots if isinstance(slot, dict) and slot.get("is_processing"))

    async def _ask(self, port: int, path: str) -> Any:
        try:
            async with asyncio.timeout(_QUESTION_TIMEOUT_S):
                answer = await self._http.get(_url(port, path))
            return answer.json() if answer.status_code == httpx.codes.OK else None
        except (httpx.HTTPError, TimeoutError, ValueError):
            return None


def _json_object(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
