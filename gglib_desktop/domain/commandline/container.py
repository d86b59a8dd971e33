"""What ``docker run`` and its like start inside a container, and with what."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gglib_desktop.domain.commandline.words import Word

_ENGINES = re.compile(r"(?:^|[\\/])(?:docker|podman|nerdctl)(?:\.exe)?$", re.IGNORECASE)
_VOLUME = re.compile(r"((?:[A-Za-z]:)?[^:]*):([^:]+)(?::.*)?")
_SHORT_SWITCHES = "ditPq"
_SWITCHES = re.compile(
    "--(?:detach|interactive|tty|rm|rmi|privileged|init|read-only|publish-all|no-healthcheck|quiet|oom-kill-disable"
    "|sig-proxy|disable-content-trust|replace|tls-verify|env-host|http-proxy)"
)
_ENVIRONMENT = frozenset({"-e", "--env"})
_VOLUMES = frozenset({"-v", "--volume"})
_STARTS = frozenset({"run", "create"})
# They mount with -B and start a file; most of their options have no value.
_APPTAINER = re.compile(r"(?:^|/)(?:apptainer|singularity)$")
_APPTAINER_STARTS = frozenset({"run", "exec"})
_APPTAINER_BINDS = frozenset({"-B", "--bind"})
_APPTAINER_VALUES = frozenset(
    {*_APPTAINER_BINDS, "--env", "--env-file", "--home", "-H", "--pwd", "--cwd", "--workdir", "-W", "--overlay", "-o"}
)
# They come before "run": docker --context box run, podman --log-level debug run.
_GLOBAL_SWITCHES = frozenset({"-D", "--debug", "--tls", "--tlsverify", "-r", "--remote"})
_KINDS = frozenset({"container", "service", "compose"})


@dataclass(frozen=True)
class ContainerCommand:
    """A container that runs: what follows the image, what is set inside, and the inside names of our folders.

    ``environment`` words are ``NAME=value``; ``around`` is all the rest.
    """

    arguments: tuple[Word, ...]
    environment: tuple[Word, ...]
    mounts: tuple[tuple[str, str], ...]
    around: tuple[str, ...]


def container_command(words: Sequence[Word]) -> ContainerCommand | None:
    """The container that a command runs, None for any other command."""
    if words and _APPTAINER.search(words[0].text):
        return _apptainer_command(words)
    at = _start(words)
    if not at:
        return None
    around = [word.text for word in words[:at]]
    environment: list[Word] = []
    mounts: list[tuple[str, str]] = []
    while at < len(words) and words[at].text.startswith("-"):
        name, value, taken = _option(words[at:])
        if name in _ENVIRONMENT and "=" in value.text:
            environment.append(value)
        else:
            around += [word.text for word in words[at : at + taken]]
        if name in _VOLUMES and not value.unresolved:
            mounts += volumes([value.text])
        if name == "--mount" and not value.unresolved:
            mounts += mount(dict(part.partition("=")[::2] for part in _csv_fields(value.text)))
        at += taken
    if at >= len(words):
        return None
    return ContainerCommand(tuple(words[at + 1 :]), tuple(environment), tuple(mounts), (*around, words[at].text))


def _apptainer_command(words: Sequence[Word]) -> ContainerCommand | None:
    if not {word.text for word in words[1:2]} & _APPTAINER_STARTS:
        return None
    at = 2
    environment: list[Word] = []
    mounts: list[tuple[str, str]] = []
    while at < len(words) and words[at].text.startswith("-"):
        name, equals, attached = words[at].text.partition("=")
        taken = 2 if name in _APPTAINER_VALUES and not equals else 1
        value = Word(attached, words[at].unresolved) if equals else (*words[at + 1 : at + taken], Word(""))[0]
        if name in _APPTAINER_BINDS and not value.unresolved:
            mounts += volumes(value.text.split(","))
        environment += [value] if name == "--env" else []
        at += taken
    if at >= len(words):
        return None
    return ContainerCommand(
        tuple(words[at + 1 :]), tuple(environment), tuple(mounts), tuple(word.text for word in words[: at + 1])
    )


def _start(words: Sequence[Word]) -> int:
    """How many words there are before the options of ``run``; none for any other command."""
    texts = [word.text for word in words]
    if not texts or not _ENGINES.search(texts[0]):
        return 0
    at = 1
    while at < len(texts) and texts[at].startswith("-"):
        at += 1 if "=" in texts[at] or texts[at] in _GLOBAL_SWITCHES else 2
    at += texts[at : at + 1] != [] and texts[at] in _KINDS
    return at + 1 if set(texts[at : at + 1]) & _STARTS else 0


def volumes(texts: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of our folder and its name inside, from ``here:inside:ro``; volumes that only have a name are left out."""
    found = [match.groups() for text in texts if (match := _VOLUME.fullmatch(text))]
    return [(here, inside) for here, inside in found if here[:1] in {"/", "."} or here[1:2] == ":"]


def mount(fields: dict[str, str]) -> list[tuple[str, str]]:
    """The same from the fields of a bind mount, in docker's long or short names."""
    here = fields.get("source") or fields.get("src")
    inside = fields.get("target") or fields.get("destination") or fields.get("dst")
    return [(here, inside)] if here and inside else []


def _csv_fields(text: str) -> list[str]:
    import csv

    return next(csv.reader(io.StringIO(text, newline="")), [])


def outside(path: str, mounts: Iterable[tuple[str, str]]) -> str:
    """The path outside of a path inside a container, by the innermost mounted folder that holds it."""
    held = [(inside.rstrip("/"), here.rstrip("/")) for here, inside in mounts]
    held = [(folder, here) for folder, here in held if path == folder or path.startswith(folder + "/")]
    if not held:
        return path
    folder, here = max(held, key=lambda each: len(each[0]))
    return here + path[len(folder) :] or "/"


def _option(words: Sequence[Word]) -> tuple[str, Word, int]:
    """An option's name, its value, and how many words it is."""
    word = words[0]
    name, equals, attached = word.text.partition("=")
    if word.text.startswith("--"):
        if equals or _SWITCHES.fullmatch(name):
            return name, Word(attached, word.unresolved), 1
    else:
        switches = len(word.text[1:]) - len(word.text[1:].lstrip(_SHORT_SWITCHES))
        name, attached = "-" + word.text[1 + switches : 2 + switches], word.text[2 + switches :]
        if name == "-" or attached:
            return name, Word(attached.removeprefix("="), word.unresolved), 1
    return name, (*words[1:2], Word(""))[0], min(2, len(words))
