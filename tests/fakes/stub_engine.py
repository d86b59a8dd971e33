#!/usr/bin/env python3
"""A program that behaves like llama-server as far as a runner can tell, and misbehaves on request.

Run it, don't import it. Flags of its own, all optional:
--stub-ignore-sigterm   SIGTERM changes nothing, and prints "asked to end"
--stub-hang-on-sigterm  the first SIGTERM closes the port and hangs, as b10434 does with a request in flight
--stub-mute             never listens
--stub-lines N          prints N numbered lines before it listens
--stub-family           starts a child that ignores SIGTERM
--stub-thief FILE       ends because its port is taken, unless FILE exists, which it makes
--stub-show-environment prints its environment
--stub-hidden           the system hides its sockets and its environment, as those of a program with file capabilities
"""

# ruff: noqa: PLC0415  # each import is paid for at every start, and there are hundreds: what is seldom used comes late

import os
import signal
import socket
import sys

_HELP = """\
-h,    --help, --usage                  print usage and exit
--version                               show version and build info
-c,    --ctx-size N                     size of the prompt context
-m,    --model FNAME                    model path to load
--host HOST                             ip address to listen
--port PORT                             port to listen
-t,    --threads N                      number of CPU threads to use
--metrics                               enable prometheus compatible metrics endpoint
"""
_ANSWERS = {"/health": b'{"status":"ok"}', "/props": b'{"default_generation_settings":{"n_ctx":4096},"total_slots":1}'}
_VALUED = {"-m", "-c", "-t", "--host", "--port", "--stub-lines", "--stub-thief"}
_PLAIN = {
    "--metrics",
    "--stub-ignore-sigterm",
    "--stub-hang-on-sigterm",
    "--stub-mute",
    "--stub-family",
    "--stub-show-environment",
    "--stub-hidden",
}
_PR_SET_DUMPABLE = 4


def main(words: list[str]) -> None:
    if "--help" in words:
        sys.stdout.write(_HELP)
    elif "--version" in words:
        sys.stderr.write("version: 1 (stub)\n")
    else:
        _serve(_parsed(words))


def _parsed(words: list[str]) -> dict[str, str]:
    given = {}
    rest = iter(words)
    for word in rest:
        if word not in _VALUED | _PLAIN:
            sys.exit(f"error: invalid argument: {word}")
        given[word] = next(rest) if word in _VALUED else ""
    return given


def _serve(given: dict[str, str]) -> None:
    if "--stub-hidden" in given:
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    unix = given.get("--host", "").endswith(".sock")
    listener = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _set_signals(given, listener)
    if "--stub-show-environment" in given:
        for name, value in os.environ.items():
            sys.stderr.write(f"{name}={value}\n")
    if "--stub-family" in given:
        import subprocess

        # The child has an own copy of the listener's descriptor, as careless programs do.
        subprocess.Popen([sys.executable, "-c", "import signal; signal.signal(15, signal.SIG_IGN); signal.pause()"])
    thief = given.get("--stub-thief")
    if thief and not os.access(thief, os.F_OK):
        os.mknod(thief)
        sys.exit(f"E srv  start: couldn't bind HTTP server socket, hostname: 127.0.0.1, port: {given['--port']}")
    sys.stderr.write("".join(f"line {number}\n" for number in range(int(given.get("--stub-lines", 0)))))
    sys.stderr.flush()
    if "--stub-mute" not in given:
        listener.bind(given["--host"] if unix else (given["--host"], int(given["--port"])))
        listener.listen()
    while True:
        _answer_one(listener) if "--stub-mute" not in given else signal.pause()


def _set_signals(given: dict[str, str], listener: socket.socket) -> None:
    if "--stub-ignore-sigterm" in given:
        signal.signal(signal.SIGTERM, lambda *_args: os.write(2, b"asked to end\n"))
    if "--stub-hang-on-sigterm" in given:

        def hang(*_args: object) -> None:
            listener.close()
            signal.signal(signal.SIGTERM, lambda *_args: os._exit(1))
            while True:
                signal.pause()

        signal.signal(signal.SIGTERM, hang)


def _answer_one(listener: socket.socket) -> None:
    connection, _address = listener.accept()
    with connection:
        request = connection.recv(65536).decode(errors="replace")
        body = _ANSWERS.get(request.split(" ")[1] if " " in request else "", b"{}")
        head = (
            "HTTP/1.1 200 OK",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "Connection: close",
        )
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body)


if __name__ == "__main__":
    main(sys.argv[1:])
