"""What ssh asks or tells the user while it connects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

_FINGERPRINT = r"(?:SHA256|MD5):[A-Za-z0-9+/=:]+"
# From the first character on: what a server asks by itself begins with the name of the login there.
_HOST_KEY = re.compile(
    rf"The authenticity of host '(?P<host>[^'\n]+)' can't be established\.\n"
    rf"(?:[^\n]*\n)*?(?P<kind>[\w-]+) key fingerprint is (?P<fingerprint>{_FINGERPRINT})\.?\n"
)
_YES_OR_NO = re.compile(r"\(yes/no|'yes'")
_LONGEST = 300


@dataclass(frozen=True)
class HostKeyQuestion:
    """Whether the key of ``host``, as ssh calls it, is right. ``machine`` is its name for the user."""

    machine: str
    host: str
    kind: str
    fingerprint: str


@dataclass(frozen=True)
class SecretQuestion:
    """``text`` is what ssh, or the server, asks for: a passphrase, a PIN, a password or a code."""

    machine: str
    text: str


@dataclass(frozen=True)
class ChangedHostKey:
    """Another host key answers than the known one. ``fingerprint`` is the new one's, empty where it is not known."""

    machine: str
    fingerprint: str


SshQuestion: TypeAlias = HostKeyQuestion | SecretQuestion


def read_question(prompt: str, machine: str) -> SshQuestion | None:
    """What ssh asks with a prompt. None: something that cannot be answered here."""
    if host_key := _HOST_KEY.match(prompt):
        return HostKeyQuestion(machine, host_key["host"], host_key["kind"], host_key["fingerprint"])
    if _YES_OR_NO.search(prompt):
        return None
    text = "".join(each if each.isprintable() else " " for each in prompt.strip())
    return SecretQuestion(machine, text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")
