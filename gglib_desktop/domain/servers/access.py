"""Who can reach a server, and who has to show a key."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from gglib_desktop.domain.options.engine_options import EngineOptions
from gglib_desktop.domain.options.host import is_loopback, own_url

# The engine takes several keys separated by commas.
_NOT_IN_KEYS = ","


def is_exposed(options: EngineOptions) -> bool:
    """Whether other computers can reach the server."""
    return not is_loopback(options.host)


def needs_key(options: EngineOptions) -> bool:
    """Whether clients must show the key: always if other computers reach the server, else if the user chose it."""
    return is_exposed(options) or options.require_api_key is True


@dataclass(frozen=True)
class ServerAddress:
    """The address for questions to a server, and the key for them.

    ``url``: where all its paths begin, of a server that is not reached by host and port alone; without a slash at the
    end. ``api_url``: where those of OpenAI's API begin, if that is not known from the other.
    ``model`` is the name by which it knows the model that is meant, as far as that is known.
    """

    port: int
    host: str | None = None
    key: str | None = field(default=None, repr=False)
    url: str = ""
    api_url: str = ""
    model: str = ""

    @property
    def root(self) -> str:
        """Where all its paths begin."""
        return self.url or own_url(self.host, self.port)

    @property
    def api(self) -> str:
        """The base URL for OpenAI-compatible clients."""
        return self.api_url or f"{self.root}/v1"


@dataclass(frozen=True)
class KeyPlace:
    """The place of the key. ``file`` None: in the system's keyring, named ``keyring``.

    ``keyring_problem``: why a keyring is not used. ``was_readable``: other users could read the
    file until the program looked at it; they may know the key.
    """

    keyring: str = ""
    file: Path | None = None
    keyring_problem: str = ""
    was_readable: bool = False


def is_usable_key(text: str) -> bool:
    """Whether a text can be a key: it goes into an HTTP header and into a list separated by commas."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text and _NOT_IN_KEYS not in text
