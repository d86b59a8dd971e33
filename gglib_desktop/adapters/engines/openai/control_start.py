"""Whether a server lives with a flag that its help lists: it is started once, and asked for answers."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gglib_desktop.adapters.engines.asking import CallOff, last_words, unusable
from gglib_desktop.domain.options.host import LOOPBACK

_PATIENCE_S, _PAUSE_S, _SETTLED_S = 20.0, 0.05, 0.3
_ANSWERS = 2
_QUESTION = json.dumps({"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 16})


def why_it_fails(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    call_off: CallOff,
    *,
    patience_s: float = _PATIENCE_S,
) -> str | None:
    """None if the server lives and answers; else its end and its last words. ``command`` gets the flag of its port.

    Blocks. Raises: ConfigurationError if it cannot be run, or is called off.
    """
    with socket.create_server((LOOPBACK, 0)) as probe:
        port = int(probe.getsockname()[1])
    answers: list[bytes] = []

    def use(ended: Callable[[], bool]) -> None:
        until = time.monotonic() + patience_s
        while len(answers) < _ANSWERS and not ended() and time.monotonic() < until:
            with contextlib.suppress(OSError, http.client.HTTPException):
                answers.append(_answer(port, patience_s))
            time.sleep(_PAUSE_S)
        # It may still end of what the last answer has done to it.
        until = time.monotonic() + _SETTLED_S
        while not ended() and time.monotonic() < until:
            time.sleep(_PAUSE_S)

    said = last_words((*command, "--port", str(port)), environment, folder, use, call_off=call_off)
    if call_off.wanted.is_set():
        raise unusable(Path(command[0]), "this program was not asked")
    if said is None:
        return None if len(answers) == _ANSWERS else "it gave no answer"
    last = next((line.strip() for line in reversed(said.output.splitlines()) if line.strip()), "")
    return f"it ended ({said.end}): {last}"


def _answer(port: int, patience_s: float) -> bytes:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=patience_s)
    with contextlib.closing(connection):
        connection.request("POST", "/v1/chat/completions", _QUESTION, {"Content-Type": "application/json"})
        return connection.getresponse().read()
