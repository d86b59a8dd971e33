"""Short questions to servers over HTTP. None raises."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import httpx

from gglib_desktop.adapters.http.kept_connections import KeptConnections
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.health import Probe, ProbeResult

_TIMEOUT_S = 2.0
_HEADERS = {"Accept-Encoding": "identity"}
_MOST_SERVERS = 200


class Questions:
    """One keep-alive HTTP client for all servers of a driver. ``transport`` stands in for the network, in tests."""

    def __init__(self, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        # No proxies: all servers are on this computer.
        self._transport = transport or KeptConnections()
        self._http = httpx.AsyncClient(trust_env=False, headers=_HEADERS, transport=self._transport)
        self._closed = False

    async def aclose(self) -> None:
        """Closes every connection, which ends pending questions."""
        self._closed = True
        await self._http.aclose()

    async def answer(
        self, server: ServerAddress, path: str, timeout_s: float, *, key: str | None = None
    ) -> httpx.Response | Probe:
        """Any answer, or what a probe tells where there is none in time."""
        try:
            async with self.within(timeout_s):
                # Without the client's redirects, cookies and authentication, which cost twice as much as all the rest.
                return await self._transport.handle_async_request(_question(server.root + path, key))
        except httpx.ConnectError as exc:
            # The cause may be on our side, for example too many sockets.
            is_refused = isinstance(exc.__cause__, ConnectionRefusedError | None)
            message = "the port refuses connections" if is_refused else f"no connection can be made: {exc}"
            return Probe(ProbeResult.REFUSED, message)
        except TimeoutError:
            return Probe(ProbeResult.TIMEOUT, f"no answer within {timeout_s:g} s")
        except httpx.HTTPError as exc:
            return Probe(ProbeResult.REFUSED, f"the connection broke: {type(exc).__name__}")

    async def get(self, server: ServerAddress, path: str, *, key: str | None) -> httpx.Response | None:
        """As ``answer``; None where there is none."""
        try:
            async with self.within(_TIMEOUT_S):
                return await self._http.get(server.root + path, headers=_shown(key))
        except (httpx.HTTPError, TimeoutError):
            return None

    def within(self, timeout_s: float = _TIMEOUT_S) -> asyncio.Timeout:
        """Raises TimeoutError after ``timeout_s`` seconds, or at once if the client is closed."""
        if self._closed:
            raise TimeoutError
        # One limit for the whole answer, so that a server that sends drop by drop comes to an end.
        return asyncio.timeout(timeout_s)


@functools.lru_cache(maxsize=_MOST_SERVERS)
def _question(url: str, key: str | None) -> httpx.Request:
    """Cached, because it is asked every few seconds and never changes."""
    return httpx.Request("GET", url, headers={**_HEADERS, **_shown(key)})


def _shown(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def value_of(answer: httpx.Response | None) -> Any:
    """The content of a good answer, None for any other."""
    try:
        return answer.json() if answer is not None and answer.status_code == httpx.codes.OK else None
    except (ValueError, RecursionError):
        return None
