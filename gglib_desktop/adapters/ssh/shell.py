"""Scripts as the shell of an account is given them: on standard input, whatever that shell is.

Words of ours are in no command line there, so fish and csh need no quoting of their own. What the start-up files of the
account print comes before a line of ours.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

COMMAND = "exec sh -s"


def _token() -> str:
    return f"gglib-{secrets.token_hex(8)}"


@dataclass(frozen=True)
class Wrapped:
    """One script with the lines that tell where its output begins and how it ended."""

    script: str
    arguments: tuple[str, ...] = ()
    input: bytes | None = b""
    """Its standard input; None: what is sent after its beginning was read."""
    begins: str = field(default_factory=_token)
    ends: str = field(default_factory=_token)

    def text(self) -> bytes:
        """What is sent. The shell has read all of it before the script begins."""
        words = " ".join(_quoted(word) for word in self.arguments)
        head = f"set -- {words}\n(\nprintf '\\n%s\\n' {self.begins}\n{self.script}\n)"
        tail = f"\nprintf '\\n%s %s\\n' {self.ends} \"$?\"\nexit\n"
        if self.input is None:
            return f"{head}{tail}".encode(errors="surrogateescape")
        if not self.input:
            return f"{head} </dev/null{tail}".encode(errors="surrogateescape")
        assert self.input.endswith(b"\n")
        lines = f"{head} <<'{self.ends}'\n".encode(errors="surrogateescape")
        return lines + self.input + f"{self.ends}{tail}".encode()

    def output(self, printed: bytes) -> tuple[int, bytes] | None:
        """Exit status and output; None where the script was not run to its end."""
        begin = f"\n{self.begins}\n".encode()
        start = printed.find(begin)
        end = printed.rfind(f"\n{self.ends} ".encode())
        if start < 0 or end < start + len(begin):
            return None
        status = printed[end:].split()[1]
        return int(status), printed[start + len(begin) : end]


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"
