"""Asks a container engine through Docker's API on its unix socket. Podman speaks it too."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from gglib_desktop.adapters.http.streamed_answer import StreamedAnswer, asked
from gglib_desktop.domain.errors import RunnerUnavailable

_VERSION = "/v1.41"
_HEADERS = {"Host": "localhost", "Content-Type": "application/json"}
# An engine on a busy computer takes seconds to set up the network of a container.
_PATIENCE_S = 60.0
_REFUSED, _NOT_FOUND = 400, 404
# So many lines take 2 ms.
_AT_ONCE = 10
# Before the bytes of each piece of a log: which stream, and how many they are.
_FRAME_BYTES = 8
_LENGTH_AT = 4


class Refused(Exception):  # noqa: N818  # as the port's own errors
    """The engine answered that it will not do it, in its own words."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class DockerApi:
    """One engine. Methods raise Refused, and RunnerUnavailable where it does not answer: then the outcome is unknown.

    Every question has a connection of its own, which costs nothing on a unix socket and is never lost.
    """

    def __init__(self, socket: Path) -> None:
        self.socket = socket

    async def ask(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """One question with a short answer: its JSON, None where that is empty."""
        async with self._stream(method, path, query, body, patience_s=_PATIENCE_S) as answer:
            text = b"".join([piece async for piece in answer.pieces()])
        return json.loads(text) if text.strip().startswith((b"{", b"[")) else None

    async def container(self, name: str) -> dict[str, Any] | None:
        """What is known of a container by its id or name; None when there is none."""
        with contextlib.suppress(Gone):
            found: dict[str, Any] = await self.ask("GET", f"/containers/{name}/json")
            return found
        return None

    async def remove(self, name: str, *, force: bool = False) -> None:
        with contextlib.suppress(Gone):
            await self.ask("DELETE", f"/containers/{name}", v="1", force=str(int(force)))

    async def copy_log(self, name: str, write: Callable[[bytes], object], *, follow: bool) -> None:
        """Passes on all that a container wrote since its beginning, on either stream.

        ``follow``: until it ends. Podman may miss the end of one that ends just then, and follows for ever.
        """
        came = bytearray()
        query = {"follow": str(int(follow)), "stdout": "1", "stderr": "1"}
        async with self._stream("GET", f"/containers/{name}/logs", query) as answer:
            pieces = 0
            async for piece in answer.pieces():
                came += piece
                write(_taken_from(came))
                pieces += 1
                if pieces % _AT_ONCE == 0:
                    # Podman sends each line by itself, and thousands of them may be here already.
                    await asyncio.sleep(0)

    async def hear_of_ends(self, label: str, call_back: Callable[[], object]) -> None:
        """Calls back at once, and whenever a container with that label ends, for as long as the engine answers.

        Its other way to tell an end, /wait, makes Podman 4.3 use a whole processor.
        """
        # The second one is Podman's word.
        filters = json.dumps({"type": ["container"], "event": ["die", "died"], "label": [label]})
        async with self._stream("GET", "/events", {"filters": filters}) as answer:
            call_back()
            async for _event in answer.pieces():
                call_back()

    @contextlib.asynccontextmanager
    async def _stream(
        self, method: str, path: str, query: Mapping[str, str], body: Any = None, *, patience_s: float | None = None
    ) -> AsyncIterator[StreamedAnswer]:
        target = f"{_VERSION}{path}?{urlencode(query)}"
        content = b"" if body is None else json.dumps(body).encode()
        connecting = asyncio.open_unix_connection(self.socket)
        asking = asked(connecting, method, target, content, headers=_HEADERS, opened=set())
        try:
            async with asyncio.timeout(patience_s), asking as answer:
                if answer.status >= _REFUSED:
                    raise await _refusal(answer)
                yield answer
        except OSError as exc:
            why = exc.strerror or str(exc) or "no answer in time"
            raise RunnerUnavailable(f"no container engine answers on {self.socket}: {why}") from exc


class Gone(Refused):
    """There is no such container, or no such image."""


async def _refusal(answer: StreamedAnswer) -> Refused:
    text = b"".join([piece async for piece in answer.pieces()]).decode(errors="replace").strip()
    with contextlib.suppress(ValueError, KeyError, TypeError):
        text = str(json.loads(text)["message"])
    kind = Gone if answer.status == _NOT_FOUND else Refused
    return kind(answer.status, text)


def _taken_from(came: bytearray) -> bytes:
    """Takes the contents of all whole frames away from what came."""
    contents, at = [], 0
    while len(came) >= at + _FRAME_BYTES:
        end = at + _FRAME_BYTES + int.from_bytes(came[at + _LENGTH_AT : at + _FRAME_BYTES], "big")
        if end > len(came):
            break
        contents.append(bytes(came[at + _FRAME_BYTES : end]))
        at = end
    del came[:at]
    return b"".join(contents)
