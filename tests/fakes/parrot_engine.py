#!/usr/bin/env python3
"""An inference server of another make than llama.cpp, as far as a runner can tell: with other words for everything.

Run it, don't import it: ``parrot run --weights FILE --listen ADDRESS:PORT``. It misbehaves on request:
--chatter N     prints N numbered lines before it listens
--secret WORD   changes nothing; only PARROT_SECRET asks for a secret
--deaf          SIGTERM changes nothing
--greedy        dies of too little memory when it is asked for its settings
"""

import os
import signal
import socket
import sys

_FAILED = 3
_USUAL_WINDOW = 4096
_VALUED = {
    "--weights",
    "--listen",
    "--window",
    "--wings",
    "--called",
    "--guess",
    "--sure",
    "--templates",
    "--speaks",
    "--chatter",
    "--secret",
}


def main(words: list[str]) -> None:
    if words[:1] != ["run"]:
        _fail("say: parrot run")
    given = _parsed(words[1:])
    signal.signal(signal.SIGTERM, signal.SIG_IGN if "--deaf" in given else lambda *_args: sys.exit(0))
    _say(f"an egg: {given['--weights']}")
    with open(given["--weights"], "rb") as weights:  # noqa: PTH123  # pathlib makes the start longer by a half
        if weights.read(4) != b"GGUF":
            _fail("these weights are no parrot food")
    _say("".join(f"line {number}\n" for number in range(int(given.get("--chatter", 0)))))
    with _perch(given["--listen"]) as listener:
        _serve(listener, given)


def _parsed(words: list[str]) -> dict[str, str]:
    given = {}
    rest = iter(words)
    for word in rest:
        if word not in _VALUED | {"--deaf", "--greedy"}:
            _fail(f"what is {word}?")
        given[word] = next(rest) if word in _VALUED else ""
    return given


def _perch(address: str) -> socket.socket:
    host, _colon, port = address.rpartition(":")
    listener = socket.socket(socket.AF_INET6 if "[" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), int(port)))
    except OSError:
        _fail(f"the perch {address} is taken")
    listener.listen()
    return listener


def _serve(listener: socket.socket, given: dict[str, str]) -> None:
    # It hatches between the first question and the second.
    hatched = False
    while True:
        connection, _address = listener.accept()
        with connection:
            path, *headers = connection.recv(65536).decode(errors="replace").split("\r\n")
            if path.startswith("GET /up "):
                _answer(connection, 200, "awake" if hatched else "hatching")
                if not hatched:
                    hatched = True
                    _say("hatched")
            elif not _is_let_in(headers):
                _answer(connection, 403, "say the secret")
            elif not hatched:
                _answer(connection, 425, "hatching")
            elif "--greedy" in given:
                _fail("my beak is full")
            else:
                _answer(connection, 200, ascii(_settings(given)))


def _is_let_in(headers: list[str]) -> bool:
    secret = os.environ.get("PARROT_SECRET")
    return secret is None or f"Parrot-Secret: {secret}".lower() in map(str.lower, headers)


def _settings(given: dict[str, str]) -> dict[str, object]:
    return {
        "release": "parrot 1",
        "weights": given["--weights"],
        "window": int(given.get("--window", 0)) or _USUAL_WINDOW,
        "called": given.get("--called", "").split(","),
        "guesses": "--guess" in given,
        "speaks": given.get("--speaks", "squawk {{ words }}"),
    }


def _answer(connection: socket.socket, status: int, text: str) -> None:
    head = (f"HTTP/1.1 {status} So", "Content-Type: text/plain", f"Content-Length: {len(text)}", "Connection: close")
    connection.sendall("\r\n".join([*head, "", text]).encode())


def _say(text: str) -> None:
    sys.stderr.write(text if text.endswith("\n") or not text else text + "\n")
    sys.stderr.flush()


def _fail(text: str) -> None:
    _say(f"squawk: {text}")
    sys.exit(_FAILED)


if __name__ == "__main__":
    main(sys.argv[1:])
