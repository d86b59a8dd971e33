"""Addresses of computers that are reached over ssh."""

from __future__ import annotations

import re
from dataclasses import dataclass

SCHEME = "ssh://"
# No character here means anything to a shell: ssh puts names into the commands of its configuration.
_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*"
_IPV6 = r"[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.-]+)?"
_ADDRESS = re.compile(rf"(?:(?P<user>{_NAME})@)?(?:(?P<host>{_NAME})|\[(?P<ipv6>{_IPV6})\])(?::(?P<port>\d{{1,5}}))?/?")
_MOST_PORT = 65535


@dataclass(frozen=True)
class SshAddress:
    """``host`` is a name, an alias of the user's own ssh configuration or an IP address, without brackets.

    ``user`` and ``port`` None: as that configuration says.
    """

    host: str
    user: str | None = None
    port: int | None = None


def ssh_address(text: str) -> SshAddress:
    """Reads ``ssh://[user@]host[:port]``. Raises: ValueError, with the reason."""
    if not text.startswith(SCHEME):
        raise ValueError(f"must begin with {SCHEME}")
    rest = text.removeprefix(SCHEME)
    if not rest.isprintable() or " " in rest:
        raise ValueError("must not have spaces or control characters")
    user, at, host = rest.rpartition("@")
    if ":" in user:
        raise ValueError("must not have a password; ssh asks for it")
    if host.startswith("-") or (at and user.startswith("-")):
        raise ValueError("must not have a host or a user that begins with -")
    read = _ADDRESS.fullmatch(rest)
    port = int(read["port"]) if read and read["port"] else None
    if read is None or port == 0 or (port or 0) > _MOST_PORT:
        raise ValueError("must be ssh://[user@]host[:port]")
    return SshAddress(read["host"] or read["ipv6"], read["user"], port)
