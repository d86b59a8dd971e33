"""The addresses that a server listens on, and the ones that reach it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

LOOPBACK = "127.0.0.1"
_LOOPBACK_6 = "::1"
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_LONGEST_NAME = 253


@dataclass(frozen=True)
class HostRule:
    """A possible address to listen on: an IP address, or the name of a computer."""

    def complaint(self, value: str) -> str | None:
        labels = value.split(".")
        if _address(value) is not None:
            # A zone belongs to one computer's network cards, so a URL with one is useless for others.
            return "must be an address without a zone" if "%" in value else None
        if value.endswith(".sock"):
            return "must not end in .sock: the engine would open a file and no port"
        is_name = len(value) <= _LONGEST_NAME and all(map(_LABEL.fullmatch, labels))
        # "1.2.3" and "127.1" are addresses to some programs and names to others.
        return None if is_name and not labels[-1].isdigit() else "must be an IP address or a host name"


def is_loopback(host: str | None) -> bool:
    """Whether only this computer can reach it. Unknown for a name without looking it up, except for localhost."""
    address = _address(host or LOOPBACK)
    return (host or "").lower() == "localhost" if address is None else address.is_loopback


def is_any_address(host: str | None) -> bool:
    """Whether a server there listens on all addresses of its computer."""
    address = _address(host or LOOPBACK)
    return address is not None and address.is_unspecified


def own_url(host: str | None, port: int) -> str:
    """Where programs on the same computer reach a server that listens on ``host``; None is the loopback."""
    if is_any_address(host):
        host = _LOOPBACK_6 if host is not None and ":" in host else LOOPBACK
    return _url(host or LOOPBACK, port)


def openai_url(port: int, host: str | None = None) -> str:
    """The base URL for OpenAI-compatible clients on the computer of a server that listens on ``host``."""
    return own_url(host, port) + "/v1"


def openai_chats(endpoint: str) -> str:
    """Where OpenAI-compatible clients ask for answers. ``endpoint`` is their base URL."""
    return f"{endpoint}/chat/completions"


def openai_models(endpoint: str) -> str:
    """Where OpenAI-compatible clients ask for the names of models. ``endpoint`` is their base URL."""
    return f"{endpoint}/models"


def other_urls(host: str | None, port: int, own_addresses: Iterable[str]) -> tuple[str, ...]:
    """Where other computers reach it, as far as known; empty if they cannot.

    ``own_addresses`` are those of the server's computer.
    """
    if is_loopback(host) or host is None:
        return ()
    if not is_any_address(host):
        return (_url(host, port),)
    usable = [each for each in own_addresses if _is_for_others(each, six=":" in host)]
    return tuple(_url(each, port) for each in sorted(usable, key=lambda each: ":" in each))


def _is_for_others(text: str, *, six: bool) -> bool:
    address = _address(text)
    return (
        address is not None
        and not (address.is_loopback or address.is_link_local or address.is_unspecified)
        and (six or address.version == 4)
    )


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
