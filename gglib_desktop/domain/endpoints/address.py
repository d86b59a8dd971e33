"""The address of an endpoint, as clients of OpenAI's API are given it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

from typing_extensions import override

from gglib_desktop.domain.options.host import is_loopback, openai_chats, openai_models
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.values import Matching

_API = "/v1"
_SCHEMES = frozenset({"http", "https"})
_MOST_KEY = 4096


def endpoint_url(text: str) -> str:
    """The base URL in what a user typed or pasted: a host and port are enough, and a whole path is too much.

    Raises: ValueError, with the reason.
    """
    text = text.strip()
    parts = _parts(text if "://" in text else f"http://{text}")
    path = parts.path.rstrip("/")
    for whole in (openai_chats(""), openai_models("")):
        path = path.removesuffix(whole)
    return urlunsplit((parts.scheme, parts.netloc, path or _API, "", ""))


@dataclass(frozen=True)
class EndpointUrl(Matching):
    """The rule for an address in a document."""

    @override
    def complaint(self, value: str) -> str | None:
        try:
            endpoint_url(value)
        except ValueError as exc:
            return str(exc)
        return super().complaint(value)


def address_of(url: str, key: str | None = None) -> ServerAddress:
    """Where an engine is asked that answers clients at ``url``, a URL of ``endpoint_url``."""
    return ServerAddress(port_of(url), key=key, url=url.removesuffix(_API), api_url=url)


def port_of(url: str) -> int:
    """The port in a URL, or that of its scheme."""
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def others_read_along(url: str) -> bool:
    """Whether computers on the way see what is sent there, a key too."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname)


def is_endpoint_key(text: str) -> bool:
    """Whether a text can be a key: it goes into an HTTP header."""
    return 0 < len(text) <= _MOST_KEY and text.isascii() and text.isprintable() and " " not in text


def _parts(text: str) -> SplitResult:
    if not text.isprintable() or " " in text:
        raise ValueError("must not have spaces")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as exc:
        raise ValueError("is no address") from exc
    if parts.scheme not in _SCHEMES:
        raise ValueError("must begin with http:// or https://")
    if not parts.hostname or port == 0:
        raise ValueError("is no address")
    if "@" in parts.netloc:
        raise ValueError("must not have a name or a password; the key has a place of its own")
    if parts.query or parts.fragment:
        raise ValueError("must have nothing after its path")
    return parts
