"""The program that ssh runs to ask something: it passes the question to the window, and prints the answer.

It runs by itself, with nothing but Python's own modules: ``python askpass_program.py SOCKET PROMPT``.
"""

import json
import os
import socket
import sys

TOKEN_VARIABLE = "GGLIB_ASKPASS_TOKEN"  # noqa: S105  # the name of a variable


def main(path: str, prompt: str) -> int:
    """Returns the exit status: 1 where there is no answer."""
    # ssh says here whether it only tells something, or wants to be allowed something.
    question = (os.environ.get(TOKEN_VARIABLE, ""), os.environ.get("SSH_ASKPASS_PROMPT", ""), prompt)
    try:
        with socket.socket(socket.AF_UNIX) as window:
            window.connect(path)
            window.sendall(json.dumps(question).encode() + b"\n")
            with window.makefile("rb") as answers:
                line = answers.readline()
    except OSError:
        return 1
    if not line:
        return 1
    sys.stdout.write(json.loads(line) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
