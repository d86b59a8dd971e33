"""One look at an endpoint: what it answered to the question for its models, or why there is no answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# A list that is longer is not read to its end.
MOST_MODELS = 2000
_LONGEST_NAME = 300
_OK = 200
_REDIRECTS = range(300, 400)
_NO_ENTRY = frozenset({401, 403})
# The server, or one on the way to it, says that it cannot answer now.
NOT_NOW = frozenset({429, *range(500, 600)})


class Trouble(StrEnum):
    """Why a look saw no list of models."""

    NO_ADDRESS = "its name leads to no computer"
    REFUSED = "nothing listens there"
    NO_CONNECTION = "no connection"
    CERTIFICATE = "its certificate is not trusted"
    NO_TLS = "it does not speak https"
    SILENT = "no answer in time"
    BROKE = "it closes the connection"
    LOADING = "it is loading"
    NOT_NOW = "it says that it cannot answer now"
    KEY_WANTED = "it wants a key"
    KEY_REFUSED = "it refuses the key"
    REDIRECT = "it answers with a redirect"
    STATUS = "it answers with an error"
    NO_HTTP = "it does not speak HTTP"
    TOO_LONG = "its answer is too long"
    HTML = "it answers with a web page"
    NO_JSON = "its answer is no JSON"
    NO_LIST = "its answer is no list of models"


@dataclass(frozen=True)
class EndpointLook:
    """``trouble`` None: it listed ``models``, by the names for clients. ``detail`` is what the trouble names.

    Of NOT_NOW and STATUS, that is the number of the answer; of REDIRECT, where it leads; of connections, the system's
    or the library's words. ``is_known``: it lists its models in the way of one kind of server.
    """

    trouble: Trouble | None = None
    detail: str = ""
    models: tuple[str, ...] = ()
    is_known: bool = False


def look_at(
    status: int, content: object, *, kind: str = "", location: str = "", with_key: bool = False
) -> EndpointLook:
    """What an answer tells. ``content``: its JSON, None where it has none; ``kind``: its media type.

    ``with_key``: the question showed a key.
    """
    if status in _REDIRECTS:
        return EndpointLook(Trouble.REDIRECT, shown(location))
    if status in _NO_ENTRY:
        return EndpointLook(Trouble.KEY_REFUSED if with_key else Trouble.KEY_WANTED, str(status))
    if status in NOT_NOW:
        return EndpointLook(Trouble.NOT_NOW, str(status))
    if status != _OK:
        return EndpointLook(Trouble.STATUS, str(status))
    if content is None:
        return EndpointLook(Trouble.HTML if kind.lower().startswith("text/html") else Trouble.NO_JSON)
    models = models_listed(content)
    return EndpointLook(Trouble.NO_LIST) if models is None else EndpointLook(models=models)


def models_listed(content: object) -> tuple[str, ...] | None:
    """The names in an answer, each once and in its order; None if it is no list of models."""
    if not isinstance(content, dict) or "data" not in content:
        return None
    listed = content["data"]
    if listed is None and content.get("object") == "list":
        # Ollama without any model.
        return ()
    if not isinstance(listed, list):
        return None
    names = [each["id"] for each in listed[:MOST_MODELS] if isinstance(each, dict) and isinstance(each.get("id"), str)]
    if listed and not names:
        return None
    return tuple(dict.fromkeys(name for name in names if name.isprintable() and 0 < len(name) <= _LONGEST_NAME))


def shown(location: str) -> str:
    """An address from a stranger, fit to be shown: what may be secret in it is left out."""
    text = location.split("?", 1)[0].split("#", 1)[0]
    scheme, slashes, rest = text.partition("//")
    host, slash, path = rest.partition("/")
    text = f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{path}" if slashes else text
    return "".join(each if each.isprintable() else "\ufffd" for each in text[:_LONGEST_NAME])
